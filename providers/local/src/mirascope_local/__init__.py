"""A language model that runs in the process: no key, no server, no cost.

`llama.cpp` (by way of `xllamacpp`) is imported, and the model is loaded, by the first call.
"""

from mirascope.core.plugins import publish as _publish

from ._call import call, call_async
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
    "LocalAsyncStream",
    "LocalCallResponse",
    "LocalCallResponseChunk",
    "LocalProvider",
    "LocalResponseChunk",
    "LocalStream",
    "call",
    "call_async",
    "close",
]

_publish(globals())
