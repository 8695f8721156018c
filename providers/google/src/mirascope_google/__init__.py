"""The Gemini API through the official SDK, which is imported by the first call."""

from ._call import GoogleCallParams, GoogleDynamicConfig, call, call_async
from ._call_response import GoogleCallResponse
from ._call_response_chunk import GoogleCallResponseChunk
from ._decode import GoogleDecoder
from ._provider import GoogleProvider
from ._stream import GoogleAsyncStream, GoogleStream

__all__ = [
    "GoogleAsyncStream",
    "GoogleCallParams",
    "GoogleCallResponse",
    "GoogleCallResponseChunk",
    "GoogleDecoder",
    "GoogleDynamicConfig",
    "GoogleProvider",
    "GoogleStream",
    "call",
    "call_async",
]
