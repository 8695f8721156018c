"""Chat completions over httpx, for any server that speaks them."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, ClassVar, cast

from mirascope.core import (
    AsyncHTTPSource,
    AsyncSource,
    BaseAsyncStream,
    BaseCallResponse,
    BaseStream,
    CallRequest,
    ClientCache,
    Connection,
    HTTPSource,
    JSONObject,
    Request,
    Source,
    StreamDecodeError,
    UsageError,
    bound_body,
    bound_error,
    http_client_options,
    watch_request,
    watch_request_async,
)
from pydantic_core import from_json
from typing_extensions import override

from ._call_response import CompatibleCallResponse
from ._chat_provider import ChatProvider
from ._errors import status_error
from ._stream import CompatibleAsyncStream, CompatibleStream

if TYPE_CHECKING:
    import httpx

_CLIENTS: ClientCache[httpx.Client, httpx.AsyncClient] = ClientCache(
    close=lambda client: client.close(),
    aclose=lambda client: client.aclose(),
    names=("an httpx.Client", "an httpx.AsyncClient"),
)


class CompatibleProvider(ChatProvider):
    """A server that speaks chat completions.

    A plugin for one such server subclasses it and sets the class attributes. Calls take
    `base_url=`, `api_key=` and `headers=`; `client=` is an `httpx.Client`, or an
    `httpx.AsyncClient` for asynchronous calls.
    """

    name: ClassVar[str] = "compatible"
    stream_class: ClassVar[type[BaseStream[Any]]] = CompatibleStream
    async_stream_class: ClassVar[type[BaseAsyncStream[Any]]] = CompatibleAsyncStream
    response_class: ClassVar[type[BaseCallResponse[Any]]] = CompatibleCallResponse
    settings: ClassVar[frozenset[str]] = frozenset({"base_url", "api_key", "headers"})

    base_url: ClassVar[str | None] = None
    """The server's address, up to what comes before `/chat/completions`."""
    base_url_env: ClassVar[str] = "OPENAI_BASE_URL"
    """The environment variable for the address, where `base_url` is None."""
    api_key_env: ClassVar[str] = "OPENAI_API_KEY"
    """The environment variable for the key, which is sent to that address only."""

    @override
    def prepare(self, request: CallRequest) -> Request:
        if "host" in request.call_params:
            raise UsageError(
                f"{self.name}: host is an argument of compatible.call(); where a provider is "
                "named, a host is named in its place, as in call('deepseek/deepseek-chat')"
            )
        return super().prepare(request)

    def environment_key(self) -> str | None:
        """Return the key that the environment holds for the provider's own address, if any."""
        return os.environ.get(self.api_key_env)

    @override
    def load(self) -> None:
        importlib.import_module("httpx")

    @override
    def open(self, request: Request, connection: Connection) -> Source:
        client, http_request = self._request(request, connection)
        response = client.send(http_request, stream=True)
        if response.status_code >= 300:
            raise self._error(response, _read(response, connection))
        return HTTPSource(response)

    @override
    async def open_async(self, request: Request, connection: Connection) -> AsyncSource:
        client, http_request = await self._request_async(request, connection)
        response = await client.send(http_request, stream=True)
        if response.status_code >= 300:
            raise self._error(response, await _read_async(response, connection))
        return AsyncHTTPSource(response)

    @override
    def fetch(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        client, http_request = self._request(request, connection)
        response = client.send(http_request, stream=True)
        return self._whole(response, _read(response, connection))

    @override
    async def fetch_async(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        client, http_request = await self._request_async(request, connection)
        response = await client.send(http_request, stream=True)
        return self._whole(response, await _read_async(response, connection))

    def _request(
        self, request: Request, connection: Connection
    ) -> tuple[httpx.Client, httpx.Request]:
        import httpx

        # Address and key are the request's own: one client serves all calls.
        client = _CLIENTS.sync(
            connection, lambda: httpx.Client(**_client_options(asynchronous=False)), key="all"
        )
        http_request = self._build(client, request, connection)
        watch_request(http_request)
        return client, http_request

    async def _request_async(
        self, request: Request, connection: Connection
    ) -> tuple[httpx.AsyncClient, httpx.Request]:
        import httpx

        client = await _CLIENTS.asynchronous(
            connection, lambda: httpx.AsyncClient(**_client_options(asynchronous=True)), key="all"
        )
        http_request = self._build(client, request, connection)
        await watch_request_async(http_request)
        return client, http_request

    def _build(
        self, client: httpx.Client | httpx.AsyncClient, request: Request, connection: Connection
    ) -> httpx.Request:
        settings = connection.settings
        own = self.base_url or os.environ.get(self.base_url_env, "")
        given_url = settings.get("base_url") or str(client.base_url)
        url = given_url or own
        if not url:
            raise UsageError(
                f"{self.name}: no server is given: pass base_url= or set {self.base_url_env}"
            )
        given: object = settings.get("headers") or {}
        if not isinstance(given, Mapping):
            kind = type(given).__name__
            raise UsageError(f"headers must be a mapping of names to values, not {kind!r}")
        headers = dict(cast("Mapping[str, str]", given))
        key = settings.get("api_key")
        is_own = not given_url or (
            settings.get("base_url") and connection.takes_environment_key(own)
        )
        if not key and is_own and "authorization" not in client.headers:
            key = self.environment_key()
        if key and "authorization" not in map(str.lower, headers):
            headers["Authorization"] = f"Bearer {key}"
        return client.build_request(
            "POST", f"{url.rstrip('/')}/chat/completions", json=request.kwargs, headers=headers
        )

    def _whole(self, response: httpx.Response, content: bytes) -> tuple[Any, JSONObject]:
        if response.status_code >= 300:
            raise self._error(response, content)
        try:
            data: Any = from_json(content)
        except ValueError as error:
            raise StreamDecodeError(f"the response is not valid JSON: {error}") from error
        if not isinstance(data, dict):
            raise StreamDecodeError("the response is not a JSON object")
        body = cast("JSONObject", data)
        return body, body

    def _error(self, response: httpx.Response, body: bytes) -> Exception:
        return status_error(response.status_code, body, response.headers)


def _read(response: httpx.Response, connection: Connection) -> bytes:
    """Return the whole body, an error's or an answer's, and release the response."""
    _bound(response, connection)
    try:
        return response.read()
    finally:
        response.close()


async def _read_async(response: httpx.Response, connection: Connection) -> bytes:
    """The same, asynchronously."""
    _bound(response, connection)
    try:
        return await response.aread()
    finally:
        await response.aclose()


def _bound(response: httpx.Response, connection: Connection) -> None:
    bound_error(response)
    bound_body(response, connection.max_bytes)


def _client_options(*, asynchronous: bool) -> dict[str, Any]:
    """Return the options of a default client, which serves every call of the process."""
    import httpx

    return {
        **http_client_options(asynchronous=asynchronous),
        # The timeouts of OpenAI's SDK; httpx's own 5 s are too short for a model to think.
        "timeout": httpx.Timeout(600.0, connect=5.0),
        # Each open stream holds a connection, and no number of them must hold up the next.
        "limits": httpx.Limits(max_connections=None, max_keepalive_connections=100),
        # A server's cookie for one key is not sent with another.
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=())),
        "headers": http_client_options(asynchronous=False)["headers"],
    }
