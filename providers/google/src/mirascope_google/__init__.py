"""The Gemini API through the official SDK, which is imported by the first call."""

from mirascope.core.plugins import publish as _publish

from ._call import (
    AsyncGoogleDynamicConfig,
    GoogleCallParams,
    GoogleDynamicConfig,
    GoogleMessageParam,
    GoogleTool,
    call,
    call_async,
    google_call,
)
from ._call_response import GoogleCallResponse
from ._call_response_chunk import GoogleCallResponseChunk
from ._decode import GoogleDecoder
from ._provider import GoogleProvider
from ._stream import GoogleAsyncStream, GoogleStream

GoogleResponseChunk = GoogleCallResponseChunk
"""The chunk of a stream, by a shorter name."""

__all__ = [
    "AsyncGoogleDynamicConfig",
    "GoogleAsyncStream",
    "GoogleCallParams",
    "GoogleCallResponse",
    "GoogleCallResponseChunk",
    "GoogleDecoder",
    "GoogleDynamicConfig",
    "GoogleMessageParam",
    "GoogleProvider",
    "GoogleResponseChunk",
    "GoogleStream",
    "GoogleTool",
    "call",
    "call_async",
    "google_call",
]

_publish(globals())
