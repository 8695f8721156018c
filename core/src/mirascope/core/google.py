"""Google Gemini: the distribution `mirascope-google` under its short name."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mirascope_google import *  # pyright: ignore[reportWildcardImportFromLibrary]
else:
    from ._shims import alias

    alias(__name__, "mirascope_google")
