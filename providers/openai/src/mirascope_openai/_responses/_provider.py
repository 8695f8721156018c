"""OpenAI's Responses API through the official SDK."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mirascope.core import (
    TOOL_CHOICES,
    Accumulator,
    BaseAsyncStream,
    BaseCallResponse,
    BaseStream,
    BaseTool,
    CallRequest,
    Decoder,
    FinishReason,
    JSONObject,
    Request,
    ResponseMode,
    ToolChoiceKind,
)
from typing_extensions import override

from .._sdk_objects import build
from .._sdk_transport import SDKTransport
from ._answer import finish_reason, message_param, response
from ._call_response import OpenAIResponsesCallResponse
from ._decode import ResponsesDecoder
from ._request import build_request, tool_message_params
from ._sdk_objects import build_event, build_lax
from ._stream import OpenAIResponsesAsyncStream, OpenAIResponsesStream


class OpenAIResponsesProvider(SDKTransport):
    """The Responses API of OpenAI, of Azure OpenAI, and of any server by way of the SDK.

    `client=` is any client of the SDK (`OpenAI`, `AzureOpenAI` and their asynchronous twins) or an
    object with the same `responses.create`.
    """

    api: ClassVar[str] = "responses"
    tool_choices: ClassVar[frozenset[ToolChoiceKind]] = TOOL_CHOICES
    # https://platform.openai.com/docs/api-reference/responses/create#responses-create-tools
    tool_name_pattern: ClassVar[str] = "[a-zA-Z0-9_-]{1,128}"
    response_modes: ClassVar[tuple[ResponseMode, ...]] = ("native", "tool", "json")
    stream_class: ClassVar[type[BaseStream[Any]]] = OpenAIResponsesStream
    async_stream_class: ClassVar[type[BaseAsyncStream[Any]]] = OpenAIResponsesAsyncStream
    response_class: ClassVar[type[BaseCallResponse[Any]]] = OpenAIResponsesCallResponse

    @override
    def load(self) -> None:
        super().load()
        # The SDK's client imports it on first use.
        importlib.import_module("openai.resources.responses.responses")

    @override
    def resource(self, client: Any) -> Any:
        return client.responses

    @override
    def prepare(self, request: CallRequest) -> Request:
        return build_request(request)

    @override
    def is_message(self, mapping: Mapping[str, Any]) -> bool:
        # Most input items are no one's message: they have a type and no role.
        return "type" in mapping or super().is_message(mapping)

    @override
    def message_param(self, answer: Accumulator) -> dict[str, Any]:
        return message_param(answer)

    @override
    def tool_message_params(self, results: Sequence[tuple[BaseTool, Any]]) -> list[dict[str, Any]]:
        return tool_message_params(results)

    @override
    def decoder(self) -> Decoder:
        return ResponsesDecoder()

    @override
    def chunk_object(self, data: JSONObject, raw: bytes | None) -> Any:
        return build_event(data)

    @override
    def response_object(self, answer: Accumulator) -> Any:
        from openai.types.responses import Response

        return build(Response, response(answer))

    @override
    def finish_reason(self, reason: str) -> FinishReason:
        return finish_reason(reason)

    @override
    def usage_object(self, usage: JSONObject) -> Any:
        from openai.types.responses import ResponseUsage

        return build_lax(ResponseUsage, usage)
