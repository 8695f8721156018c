"""What every provider of chat completions shares; only the transport is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mirascope.core import (
    TOOL_CHOICES,
    Accumulator,
    BaseTool,
    CallRequest,
    Decoder,
    FinishReason,
    JSONObject,
    Provider,
    Request,
    ResponseMode,
    ToolChoiceKind,
    Usage,
)
from mirascope.core.wire import Framer, SSEFramer
from typing_extensions import override

from . import _answer, _request
from ._decode import ChatDecoder
from ._usage import normalize


class ChatProvider(Provider):
    """The chat-completions protocol, without a transport."""

    api: ClassVar[str] = "chat"
    tool_choices: ClassVar[frozenset[ToolChoiceKind]] = TOOL_CHOICES
    response_modes: ClassVar[tuple[ResponseMode, ...]] = ("native", "tool", "json")

    @override
    def prepare(self, request: CallRequest) -> Request:
        return _request.build_request(request)

    @override
    def message_param(self, answer: Accumulator) -> dict[str, Any]:
        return _answer.message_param(answer)

    @override
    def tool_message_params(self, results: Sequence[tuple[BaseTool, Any]]) -> list[dict[str, Any]]:
        return _answer.tool_message_params(results)

    @override
    def framer(self) -> Framer:
        # llama-box reports a failure as a field that the standard of server-sent events lacks.
        return SSEFramer(error_field="error")

    @override
    def decoder(self) -> Decoder:
        return ChatDecoder()

    @override
    def response_object(self, answer: Accumulator) -> Any:
        return _answer.completion(answer)

    @override
    def finish_reason(self, reason: str) -> FinishReason:
        return _answer.finish_reason(reason)

    @override
    def normalize(self, usage: JSONObject, facts: Mapping[str, str]) -> Usage:
        return normalize(usage, facts)
