"""The OpenAI API: the distribution `mirascope-openai` under its short name."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mirascope_openai import *  # pyright: ignore[reportWildcardImportFromLibrary]
else:
    from ._shims import alias

    alias(__name__, "mirascope_openai")
