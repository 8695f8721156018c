"""Any server that speaks chat completions, without a vendor's SDK.

Also the home of the protocol for other plugins: `ChatProvider` without a transport,
`CompatibleProvider` over httpx, `ChatDecoder`, `ChatChunk`, `answer_parameters`.
"""

from mirascope.core.plugins import publish as _publish

from ._call import (
    AsyncCompatibleDynamicConfig,
    CompatibleDynamicConfig,
    CompatibleMessageParam,
    CompatibleTool,
    call,
    call_async,
    compatible_call,
)
from ._call_response import CompatibleCallResponse
from ._call_response_chunk import ChatChunk, CompatibleCallResponseChunk
from ._chat_provider import ChatProvider
from ._decode import ChatDecoder
from ._errors import status_error
from ._host import Host
from ._provider import CompatibleProvider
from ._request import answer_parameters
from ._stream import CompatibleAsyncStream, CompatibleStream
from ._usage import normalize as normalize_usage

CompatibleResponseChunk = CompatibleCallResponseChunk
"""The chunk of a stream, by a shorter name."""

__all__ = [
    "AsyncCompatibleDynamicConfig",
    "ChatChunk",
    "ChatDecoder",
    "ChatProvider",
    "CompatibleAsyncStream",
    "CompatibleCallResponse",
    "CompatibleCallResponseChunk",
    "CompatibleDynamicConfig",
    "CompatibleMessageParam",
    "CompatibleProvider",
    "CompatibleResponseChunk",
    "CompatibleStream",
    "CompatibleTool",
    "Host",
    "answer_parameters",
    "call",
    "call_async",
    "compatible_call",
    "normalize_usage",
    "status_error",
]

_publish(globals())
