"""The OpenAI API through the official SDK, which is imported by the first call."""

from ._call import OpenAICallParams, OpenAIDynamicConfig, call, call_async
from ._call_response import OpenAICallResponse
from ._call_response_chunk import OpenAICallResponseChunk
from ._provider import OpenAIProvider
from ._stream import OpenAIAsyncStream, OpenAIStream

__all__ = [
    "OpenAIAsyncStream",
    "OpenAICallParams",
    "OpenAICallResponse",
    "OpenAICallResponseChunk",
    "OpenAIDynamicConfig",
    "OpenAIProvider",
    "OpenAIStream",
    "call",
    "call_async",
]
