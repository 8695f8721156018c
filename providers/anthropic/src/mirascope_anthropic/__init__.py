"""The Anthropic API through the official SDK, which is imported by the first call."""

from ._call import AnthropicCallParams, AnthropicDynamicConfig, call, call_async
from ._call_response import AnthropicCallResponse
from ._call_response_chunk import AnthropicCallResponseChunk
from ._decode import AnthropicDecoder
from ._provider import AnthropicProvider
from ._stream import AnthropicAsyncStream, AnthropicStream

__all__ = [
    "AnthropicAsyncStream",
    "AnthropicCallParams",
    "AnthropicCallResponse",
    "AnthropicCallResponseChunk",
    "AnthropicDecoder",
    "AnthropicDynamicConfig",
    "AnthropicProvider",
    "AnthropicStream",
    "call",
    "call_async",
]
