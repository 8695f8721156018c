"""OpenAI's chat completions through the official SDK."""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

from mirascope.core import (
    Accumulator,
    BaseAsyncStream,
    BaseCallResponse,
    BaseStream,
    JSONObject,
)
from mirascope_compatible import ChatProvider
from typing_extensions import override

from ._call_response import OpenAICallResponse
from ._sdk_objects import build
from ._sdk_transport import SDKTransport
from ._stream import OpenAIAsyncStream, OpenAIStream


class OpenAIProvider(SDKTransport, ChatProvider):
    """Chat completions of OpenAI, of Azure OpenAI, and of any server by way of the SDK.

    `client=` is any client of the SDK (`OpenAI`, `AzureOpenAI` and their asynchronous twins) or an
    object with the same `chat.completions.create`.
    """

    stream_class: ClassVar[type[BaseStream[Any]]] = OpenAIStream
    async_stream_class: ClassVar[type[BaseAsyncStream[Any]]] = OpenAIAsyncStream
    response_class: ClassVar[type[BaseCallResponse[Any]]] = OpenAICallResponse
    # https://platform.openai.com/docs/api-reference/chat/create#chat-create-tools
    tool_name_pattern: ClassVar[str] = "[a-zA-Z0-9_-]{1,64}"

    @override
    def load(self) -> None:
        super().load()
        # The SDK's client imports it on first use.
        importlib.import_module("openai.resources.chat.completions.completions")

    @override
    def resource(self, client: Any) -> Any:
        return client.chat.completions

    @override
    def chunk_object(self, data: JSONObject, raw: bytes | None) -> Any:
        from openai.types.chat import ChatCompletionChunk

        return build(ChatCompletionChunk, data, raw)

    @override
    def usage_object(self, usage: JSONObject) -> Any:
        from openai.types import CompletionUsage

        return build(CompletionUsage, usage)

    @override
    def response_object(self, answer: Accumulator) -> Any:
        from openai.types.chat import ChatCompletion

        return build(ChatCompletion, super().response_object(answer))
