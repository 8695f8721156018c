"""Chat completions over httpx, for any server that speaks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mirascope.core import (
    APIError,
    BaseAsyncStream,
    BaseCallResponse,
    BaseStream,
    CallRequest,
    Request,
    UsageError,
)
from mirascope.core.http import HTTPProvider
from typing_extensions import override

from ._call_response import CompatibleCallResponse
from ._chat_provider import ChatProvider
from ._errors import status_error
from ._stream import CompatibleAsyncStream, CompatibleStream


class CompatibleProvider(ChatProvider, HTTPProvider):
    """A server that speaks chat completions.

    A plugin for one such server subclasses it and sets the class attributes. `base_url` is the
    address up to what comes before `/chat/completions`. Calls take `base_url=`, `api_key=` and
    `headers=`; `client=` is an `httpx.Client`, or an `httpx.AsyncClient` for asynchronous calls.
    """

    name: ClassVar[str] = "compatible"
    stream_class: ClassVar[type[BaseStream[Any]]] = CompatibleStream
    async_stream_class: ClassVar[type[BaseAsyncStream[Any]]] = CompatibleAsyncStream
    response_class: ClassVar[type[BaseCallResponse[Any]]] = CompatibleCallResponse

    base_url: ClassVar[str | None] = None
    base_url_env: ClassVar[str | None] = "OPENAI_BASE_URL"
    api_key_env: ClassVar[str | tuple[str, ...] | None] = "OPENAI_API_KEY"
    path: ClassVar[str] = "/chat/completions"

    @override
    def prepare(self, request: CallRequest) -> Request:
        if "host" in request.call_params:
            raise UsageError(
                f"{self.name}: host is an argument of compatible.call(); where a provider is "
                "named, a host is named in its place, as in call('deepseek/deepseek-chat')"
            )
        return super().prepare(request)

    @override
    def error(self, status: int, body: bytes, headers: Mapping[str, str]) -> APIError:
        return status_error(status, body, headers)
