"""Calls of a provider that is only known by name, and the classes that all providers share.

`llm.call("openai", "gpt-4o")` is `call("openai/gpt-4o")` of `mirascope.core`.
"""

from typing import TYPE_CHECKING

from .._left_out import attribute_error as _attribute_error
from ..core import BaseAsyncStream as AsyncStream
from ..core import BaseCallResponse as CallResponse
from ..core import BaseCallResponseChunk as CallResponseChunk
from ..core import BaseStream as Stream
from ..core import BaseTool as Tool
from ..core.plugins import publish as _publish
from ._call import call

__all__ = [
    "AsyncStream",
    "CallResponse",
    "CallResponseChunk",
    "Stream",
    "Tool",
    "call",
]

_publish(globals())

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        raise _attribute_error(__name__, name)
