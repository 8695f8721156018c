"""The top of the package: the library's neutral names, from `mirascope.core`, where they live.

They are loaded when they are asked for, so that `import mirascope` costs nothing.
"""

import sys as _sys

from . import _left_out

_left_out.refuse_overlay(__path__[0])

TYPE_CHECKING = False  # as type checkers know it: importing typing would cost more than all of this
if TYPE_CHECKING:
    from . import core as core
    from . import llm as llm
    from .core import AudioPart as AudioPart
    from .core import AudioURLPart as AudioURLPart
    from .core import BaseDynamicConfig as BaseDynamicConfig
    from .core import BaseMessageParam as BaseMessageParam
    from .core import BaseTool as BaseTool
    from .core import BaseToolKit as BaseToolKit
    from .core import DocumentPart as DocumentPart
    from .core import DocumentURLPart as DocumentURLPart
    from .core import ImagePart as ImagePart
    from .core import ImageURLPart as ImageURLPart
    from .core import Messages as Messages
    from .core import TextPart as TextPart
    from .core import prompt_template as prompt_template
    from .core import toolkit_tool as toolkit_tool

    __version__: str
else:

    def __getattr__(name: str) -> object:
        # Hidden from type checkers, which would otherwise accept any name.
        from importlib import import_module

        if name == "__version__":
            from importlib.metadata import version

            return version("mirascope-core")
        if name in ("core", "llm"):
            return import_module(f"mirascope.{name}")
        if name in __all__:
            return getattr(import_module("mirascope.core"), name)
        raise _left_out.attribute_error(__name__, name)


__all__ = [
    "AudioPart",
    "AudioURLPart",
    "BaseDynamicConfig",
    "BaseMessageParam",
    "BaseTool",
    "BaseToolKit",
    "DocumentPart",
    "DocumentURLPart",
    "ImagePart",
    "ImageURLPart",
    "Messages",
    "TextPart",
    "core",
    "llm",
    "prompt_template",
    "toolkit_tool",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if _left_out.Finder not in _sys.meta_path:
    _sys.meta_path.append(_left_out.Finder)
