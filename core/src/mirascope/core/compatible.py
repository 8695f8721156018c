"""Chat-completions servers: the distribution `mirascope-compatible` under its short name."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mirascope_compatible import *  # pyright: ignore[reportWildcardImportFromLibrary]
else:
    from ._shims import alias

    alias(__name__, "mirascope_compatible")
