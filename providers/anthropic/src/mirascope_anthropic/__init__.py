"""The Anthropic API through the official SDK, which is imported by the first call."""

from mirascope.core.plugins import publish as _publish

from ._call import (
    AnthropicCallParams,
    AnthropicDynamicConfig,
    AnthropicMessageParam,
    AnthropicTool,
    AsyncAnthropicDynamicConfig,
    anthropic_call,
    call,
    call_async,
)
from ._call_response import AnthropicCallResponse
from ._call_response_chunk import AnthropicCallResponseChunk
from ._decode import AnthropicDecoder
from ._provider import AnthropicProvider
from ._stream import AnthropicAsyncStream, AnthropicStream

AnthropicResponseChunk = AnthropicCallResponseChunk
"""The chunk of a stream, by a shorter name."""

__all__ = [
    "AnthropicAsyncStream",
    "AnthropicCallParams",
    "AnthropicCallResponse",
    "AnthropicCallResponseChunk",
    "AnthropicDecoder",
    "AnthropicDynamicConfig",
    "AnthropicMessageParam",
    "AnthropicProvider",
    "AnthropicResponseChunk",
    "AnthropicStream",
    "AnthropicTool",
    "AsyncAnthropicDynamicConfig",
    "anthropic_call",
    "call",
    "call_async",
]

_publish(globals())
