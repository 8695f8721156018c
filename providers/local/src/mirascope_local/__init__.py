"""A language model that runs in the process: no key, no server, no cost.

`llama.cpp` (by way of `xllamacpp`) is imported, and the model is loaded, by the first call.
"""

from mirascope.core.plugins import publish as _publish

from ._call import (
    AsyncLocalDynamicConfig,
    LocalDynamicConfig,
    LocalMessageParam,
    LocalTool,
    call,
    call_async,
    local_call,
)
from ._call_response import LocalCallResponse
from ._call_response_chunk import LocalCallResponseChunk
from ._engines import close
from ._models import DEFAULT_MODEL
from ._provider import LocalProvider
from ._stream import LocalAsyncStream, LocalStream

LocalResponseChunk = LocalCallResponseChunk
"""The chunk of a stream, by a shorter name."""

__all__ = [
    "DEFAULT_MODEL",
    "AsyncLocalDynamicConfig",
    "LocalAsyncStream",
    "LocalCallResponse",
    "LocalCallResponseChunk",
    "LocalDynamicConfig",
    "LocalMessageParam",
    "LocalProvider",
    "LocalResponseChunk",
    "LocalStream",
    "LocalTool",
    "call",
    "call_async",
    "close",
    "local_call",
]

_publish(globals())
