"""The OpenAI API through the official SDK, which is imported by the first call."""

from mirascope.core.plugins import publish as _publish

from ._call import (
    AsyncOpenAIDynamicConfig,
    OpenAICallParams,
    OpenAIDynamicConfig,
    OpenAIMessageParam,
    OpenAITool,
    call,
    call_async,
    openai_call,
)
from ._call_response import OpenAICallResponse
from ._call_response_chunk import OpenAICallResponseChunk
from ._provider import OpenAIProvider
from ._responses._answer import OpenAIResponsesMessageParam
from ._responses._call_response import OpenAIResponsesCallResponse
from ._responses._call_response_chunk import OpenAIResponsesCallResponseChunk
from ._responses._decode import ResponsesDecoder
from ._responses._provider import OpenAIResponsesProvider
from ._responses._stream import OpenAIResponsesAsyncStream, OpenAIResponsesStream
from ._stream import OpenAIAsyncStream, OpenAIStream

OpenAIResponseChunk = OpenAICallResponseChunk
"""The chunk of a stream, by a shorter name."""

__all__ = [
    "AsyncOpenAIDynamicConfig",
    "OpenAIAsyncStream",
    "OpenAICallParams",
    "OpenAICallResponse",
    "OpenAICallResponseChunk",
    "OpenAIDynamicConfig",
    "OpenAIMessageParam",
    "OpenAIProvider",
    "OpenAIResponseChunk",
    "OpenAIResponsesAsyncStream",
    "OpenAIResponsesCallResponse",
    "OpenAIResponsesCallResponseChunk",
    "OpenAIResponsesMessageParam",
    "OpenAIResponsesProvider",
    "OpenAIResponsesStream",
    "OpenAIStream",
    "OpenAITool",
    "ResponsesDecoder",
    "call",
    "call_async",
    "openai_call",
]

_publish(globals())
