"""Calls and streams of language models, from any provider that is installed.

Providers are packages of their own: `from mirascope.core import openai` finds the one that the
distribution `mirascope-openai` installs, and nothing else is imported.
"""

from typing import TYPE_CHECKING

from ._call import AsyncCall, Call, call, call_async
from ._caution import PromptWarning, RetryWarning
from ._errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    BrokenProviderError,
    DisabledProviderError,
    IncompatibleProviderError,
    MirascopeError,
    MissingFileError,
    MissingProviderError,
    NotCopyableError,
    NotFoundError,
    PermissionDeniedError,
    PluginError,
    PromptError,
    ProviderConflictError,
    ProviderConnectionError,
    ProviderError,
    ProviderServerError,
    ProviderTimeoutError,
    RateLimitError,
    StreamCancelledError,
    StreamConsumedError,
    StreamDecodeError,
    StreamError,
    StreamInterruptedError,
    StreamLimitError,
    StreamNotExhaustedError,
    StreamProviderError,
    StreamTimeoutError,
    StreamTruncatedError,
    ToolError,
    UnknownProviderError,
    UnreadableFileError,
    UsageError,
    error_from_status,
)
from ._prices._calculate import UnknownPriceError, UnknownPriceWarning
from ._prices._cost import Cost, CostLine, decimal_of
from ._prices._counters import Counters, token_count
from ._prices._names import OTHER_HOST, UNKNOWN_HOST, host_of
from ._prices._table import PriceTable
from ._prices._usage import Usage, UsagePart, input_details
from ._provider._accumulate import Accumulator
from ._provider._answer_format import AnswerFormat
from ._provider._arguments import JSONProgress, same_arguments
from ._provider._block import Block
from ._provider._decoder import Decoder
from ._provider._deltas import (
    BlockDelta,
    ChoiceDelta,
    Delta,
    EndDelta,
    ErrorDelta,
    ExtraDelta,
    FinishDelta,
    MetaDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallEnd,
    UsageDelta,
    WholeTextDelta,
)
from ._provider._failures import failure_in, is_keep_alive
from ._provider._media import MediaSource
from ._provider._messages import BaseMessageParam, MessageParam, Messages
from ._provider._parts import (
    AudioPart,
    AudioURLPart,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    TextPart,
    refuse_parts,
)
from ._provider._provider import CallRequest, Provider, Request
from ._public import publish as _publish
from ._recording._format import RecordedEnd, RecordedRead, Recording
from ._recording._recorder import RecordPath, RecordTypes
from ._replay import stream_from, stream_from_async
from ._request._decorated import Decorated
from ._request._decorators import (
    APICall,
    AsyncAPICall,
    AsyncDecorator,
    SyncOrAsyncDecorator,
)
from ._request._prompt import PromptTemplate
from ._request._prompt_function import BaseDynamicConfig, prompt_template
from ._request._stream_config import StreamConfig
from ._request._timeouts import Timeouts
from ._response._async_stream import BaseAsyncStream
from ._response._async_structured_stream import AsyncStructuredStream
from ._response._call_response import BaseCallResponse
from ._response._call_response_chunk import BaseCallResponseChunk
from ._response._call_result import CallResult
from ._response._picture import StreamPicture
from ._response._stream import BaseStream
from ._response._structured_stream import StructuredStream
from ._state import FINISH_REASONS, FinishReason, StreamState
from ._structured._answer import ResponseMode
from ._structured._dialect import SchemaDialect
from ._structured._errors import (
    ResponseMissingError,
    ResponseModelError,
    ResponseRefusedError,
    ResponseTruncatedError,
    ResponseValidationError,
)
from ._structured._from_call_args import FromCallArgs
from ._tools._base_tool import BaseTool, InvalidTool, ToolCall
from ._tools._tool_choice import TOOL_CHOICES, ToolChoice, ToolChoiceKind
from ._tools._toolkit import BaseToolKit, toolkit_tool
from ._transport._blocked_loop import BlockedLoopWarning
from ._transport._bounds import bound_body, bound_error
from ._transport._clients import ClientCache
from ._transport._connection import Connection, origin_of
from ._transport._default_http import http_client_options, without_redirects
from ._transport._generated_sdk import GeneratedSDK
from ._transport._opening import watch_request, watch_request_async
from ._transport._source import (
    AsyncHTTPSource,
    AsyncObjectSource,
    AsyncSource,
    BytesSource,
    HTTPSource,
    ObjectSource,
    SDKObject,
    Source,
    json_object,
)
from ._types import JSONObject
from .plugins import ProviderSpec

if TYPE_CHECKING:
    from . import anthropic as anthropic
    from . import compatible as compatible
    from . import google as google
    from . import local as local
    from . import openai as openai
    from .plugins import provider as provider
else:
    from ._shims import module_getattr as _module_getattr

    def __getattr__(name: str) -> object:
        # Hidden from type checkers, which would otherwise accept any name.
        if name == "provider":
            from .plugins import provider

            return provider
        return _module_getattr(name)


__all__ = [
    "FINISH_REASONS",
    "OTHER_HOST",
    "TOOL_CHOICES",
    "UNKNOWN_HOST",
    "APICall",
    "APIError",
    "Accumulator",
    "AnswerFormat",
    "AsyncAPICall",
    "AsyncCall",
    "AsyncDecorator",
    "AsyncHTTPSource",
    "AsyncObjectSource",
    "AsyncSource",
    "AsyncStructuredStream",
    "AudioPart",
    "AudioURLPart",
    "AuthenticationError",
    "BadRequestError",
    "BaseAsyncStream",
    "BaseCallResponse",
    "BaseCallResponseChunk",
    "BaseDynamicConfig",
    "BaseMessageParam",
    "BaseStream",
    "BaseTool",
    "BaseToolKit",
    "Block",
    "BlockDelta",
    "BlockedLoopWarning",
    "BrokenProviderError",
    "BytesSource",
    "Call",
    "CallRequest",
    "CallResult",
    "ChoiceDelta",
    "ClientCache",
    "Connection",
    "Cost",
    "CostLine",
    "Counters",
    "Decoder",
    "Decorated",
    "Delta",
    "DisabledProviderError",
    "DocumentPart",
    "DocumentURLPart",
    "EndDelta",
    "ErrorDelta",
    "ExtraDelta",
    "FinishDelta",
    "FinishReason",
    "FromCallArgs",
    "GeneratedSDK",
    "HTTPSource",
    "ImagePart",
    "ImageURLPart",
    "IncompatibleProviderError",
    "InvalidTool",
    "JSONObject",
    "JSONProgress",
    "MediaSource",
    "MessageParam",
    "Messages",
    "MetaDelta",
    "MirascopeError",
    "MissingFileError",
    "MissingProviderError",
    "NotCopyableError",
    "NotFoundError",
    "ObjectSource",
    "PermissionDeniedError",
    "PluginError",
    "PriceTable",
    "PromptError",
    "PromptTemplate",
    "PromptWarning",
    "Provider",
    "ProviderConflictError",
    "ProviderConnectionError",
    "ProviderError",
    "ProviderServerError",
    "ProviderSpec",
    "ProviderTimeoutError",
    "RateLimitError",
    "RecordPath",
    "RecordTypes",
    "RecordedEnd",
    "RecordedRead",
    "Recording",
    "RefusalDelta",
    "Request",
    "ResponseMissingError",
    "ResponseMode",
    "ResponseModelError",
    "ResponseRefusedError",
    "ResponseTruncatedError",
    "ResponseValidationError",
    "RetryWarning",
    "SDKObject",
    "SchemaDialect",
    "Source",
    "StreamCancelledError",
    "StreamConfig",
    "StreamConsumedError",
    "StreamDecodeError",
    "StreamError",
    "StreamInterruptedError",
    "StreamLimitError",
    "StreamNotExhaustedError",
    "StreamPicture",
    "StreamProviderError",
    "StreamState",
    "StreamTimeoutError",
    "StreamTruncatedError",
    "StructuredStream",
    "SyncOrAsyncDecorator",
    "TextDelta",
    "TextPart",
    "ThinkingDelta",
    "Timeouts",
    "ToolCall",
    "ToolCallDelta",
    "ToolCallEnd",
    "ToolChoice",
    "ToolChoiceKind",
    "ToolError",
    "UnknownPriceError",
    "UnknownPriceWarning",
    "UnknownProviderError",
    "UnreadableFileError",
    "Usage",
    "UsageDelta",
    "UsageError",
    "UsagePart",
    "WholeTextDelta",
    "bound_body",
    "bound_error",
    "call",
    "call_async",
    "decimal_of",
    "error_from_status",
    "failure_in",
    "host_of",
    "http_client_options",
    "input_details",
    "is_keep_alive",
    "json_object",
    "origin_of",
    "prompt_template",
    "refuse_parts",
    "same_arguments",
    "stream_from",
    "stream_from_async",
    "token_count",
    "toolkit_tool",
    "watch_request",
    "watch_request_async",
    "without_redirects",
]

_publish(globals())
