"""The embedded model: the distribution `mirascope-local` under its short name."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mirascope_local import *  # pyright: ignore[reportWildcardImportFromLibrary]
else:
    from ._shims import alias

    alias(__name__, "mirascope_local")
