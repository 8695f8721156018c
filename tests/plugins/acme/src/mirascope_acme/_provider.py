"""Acme's API over httpx."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from mirascope.core import (
    Accumulator,
    APIError,
    AsyncHTTPSource,
    AsyncSource,
    AuthenticationError,
    BaseAsyncStream,
    BaseCallResponse,
    BaseStream,
    BaseTool,
    CallRequest,
    ClientCache,
    Connection,
    Decoder,
    FinishReason,
    HTTPSource,
    JSONObject,
    Provider,
    Request,
    Source,
    Usage,
    error_from_status,
)
from mirascope.core.wire import Framer
from typing_extensions import override

from . import _request
from ._decode import AcmeDecoder, AcmeFramer
from ._stream import AcmeAsyncStream, AcmeStream
from ._usage import normalize

if TYPE_CHECKING:
    import httpx

_FINISH_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "calls": "tool_calls",
}

_CLIENTS: ClientCache[Any, Any] = ClientCache(
    close=lambda client: client.close(), aclose=lambda client: client.aclose()
)


class AcmeProvider(Provider):
    """Acme. Calls take `base_url=` and `api_key=`; `client=` is one of httpx."""

    name: ClassVar[str] = "acme"
    api: ClassVar[str] = "lines"
    stream_class: ClassVar[type[BaseStream[Any]]] = AcmeStream
    async_stream_class: ClassVar[type[BaseAsyncStream[Any]]] = AcmeAsyncStream
    response_class: ClassVar[type[BaseCallResponse[Any]]] = BaseCallResponse
    settings: ClassVar[frozenset[str]] = frozenset({"base_url", "api_key"})
    prices_package: ClassVar[str | None] = "mirascope_acme"

    # 1. request

    @override
    def prepare(self, request: CallRequest) -> Request:
        return _request.prepare(request)

    @override
    def message_param(self, answer: Accumulator) -> dict[str, Any]:
        return _request.message_param(answer)

    @override
    def tool_message_params(self, results: Sequence[tuple[BaseTool, Any]]) -> list[dict[str, Any]]:
        return _request.tool_message_params(results)

    # 2. open

    @override
    def open(self, request: Request, connection: Connection) -> Source:
        client = _CLIENTS.sync(connection, _client, key="all")
        response = client.send(_http_request(client, request, connection), stream=True)
        if not response.is_success:
            response.read()
            raise _error(response)
        return HTTPSource(response)

    @override
    async def open_async(self, request: Request, connection: Connection) -> AsyncSource:
        client = await _CLIENTS.asynchronous(connection, _async_client, key="all")
        response = await client.send(_http_request(client, request, connection), stream=True)
        if not response.is_success:
            await response.aread()
            raise _error(response)
        return AsyncHTTPSource(response)

    @override
    def fetch(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        client = _CLIENTS.sync(connection, _client, key="all")
        return _whole(client.send(_http_request(client, request, connection)))

    @override
    async def fetch_async(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        client = await _CLIENTS.asynchronous(connection, _async_client, key="all")
        return _whole(await client.send(_http_request(client, request, connection)))

    # 3. decode

    @override
    def framer(self) -> Framer:
        return AcmeFramer()

    @override
    def decoder(self) -> Decoder:
        return AcmeDecoder()

    @override
    def response_object(self, answer: Accumulator) -> JSONObject:
        return _request.response_object(answer)

    @override
    def finish_reason(self, reason: str) -> FinishReason:
        return _FINISH_REASONS.get(reason, "other")

    # 4. usage

    @override
    def normalize(self, usage: JSONObject, facts: Mapping[str, str]) -> Usage:
        return normalize(usage)


def _client() -> httpx.Client:
    import httpx

    return httpx.Client(timeout=600)


def _async_client() -> httpx.AsyncClient:
    import httpx

    return httpx.AsyncClient(timeout=600)


def _http_request(client: Any, request: Request, connection: Connection) -> httpx.Request:
    settings = connection.settings
    own = os.environ.get("ACME_BASE_URL", "https://api.acme.example")
    url, key = settings.get("base_url") or own, settings.get("api_key")
    if not key and connection.takes_environment_key(own):
        key = os.environ.get("ACME_API_KEY")
    if not key:
        raise AuthenticationError("no credentials: set ACME_API_KEY, or give api_key=")
    http_request: httpx.Request = client.build_request(
        "POST", f"{url}/v1/answers", json=request.kwargs, headers={"X-Acme-Key": key}
    )
    return http_request


def _whole(response: httpx.Response) -> tuple[JSONObject, JSONObject]:
    if not response.is_success:
        raise _error(response)
    data: JSONObject = response.json()
    return data, data


def _error(response: httpx.Response) -> APIError:
    """Return the error for an answer that is one `E` record, or whatever a proxy puts there."""
    _, _, text = response.text.partition("E ")
    code, _, message = text.partition(" ")
    return error_from_status(
        response.status_code,
        message.strip() or response.reason_phrase,
        headers=response.headers,
        code=code or None,
    )
