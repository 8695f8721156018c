"""A transport over httpx: pool, address, key, clients, and whatever the body of an error is."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from pydantic_core import from_json
from typing_extensions import override

from .._errors import (
    APIError,
    AuthenticationError,
    StreamDecodeError,
    UsageError,
    error_from_status,
)
from .._provider._failures import failure_in
from .._provider._provider import Provider, Request
from .._transport._bounds import bound_body, bound_error
from .._transport._clients import ClientCache
from .._transport._connection import Connection
from .._transport._default_http import http_client_options
from .._transport._opening import watch_request, watch_request_async
from .._transport._source import AsyncHTTPSource, AsyncSource, HTTPSource, Source
from .._types import JSONObject
from ..json import as_list, as_object

if TYPE_CHECKING:
    import httpx

_CLIENTS: ClientCache[httpx.Client, httpx.AsyncClient] = ClientCache(
    close=lambda client: client.close(),
    aclose=lambda client: client.aclose(),
    names=("an httpx.Client", "an httpx.AsyncClient"),
)
_SHOWN: Final = 300


class HTTPProvider(Provider):
    """A provider whose requests are JSON that is posted to one address.

    A plugin sets the class attributes and implements the protocol: `prepare`, `decoder`,
    `message_param` and the rest of `Provider`. Calls take `base_url=`, `api_key=` and `headers=`;
    `client=` is an `httpx.Client`, or an `httpx.AsyncClient` for asynchronous calls.

    Address and key are read when a call is made, and are the call's own: `base_url=`, else the
    variable `base_url_env`, else `base_url`. The key of the environment goes to the provider's own
    addresses and nowhere else.
    """

    settings: ClassVar[frozenset[str]] = frozenset({"base_url", "api_key", "headers"})

    base_url: ClassVar[str | None] = None
    """The server's address; None where every call, or the environment, names one."""
    base_url_env: ClassVar[str | None] = None
    """The environment variable that names another address, such as `"ACME_BASE_URL"`."""
    api_key_env: ClassVar[str | tuple[str, ...] | None] = None
    """The environment variable that holds the key, or several of which the first that is set
    counts."""
    path: ClassVar[str] = ""
    """What comes behind the address: `"/v1/answers"`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Another server has other variables: what a base class reads belongs to its own server,
        # and a key of that one must never be sent to this.
        if "base_url" in cls.__dict__:
            for name in ("base_url_env", "api_key_env"):
                if name not in cls.__dict__:
                    setattr(cls, name, None)

    # What a provider may override

    def key_headers(self, key: str) -> Mapping[str, str]:
        """Return the headers that carry the key; a bearer token without an override."""
        return {"Authorization": f"Bearer {key}"}

    def error_message(self, body: Any) -> tuple[str | None, str | None]:
        """Return message and code of an error's body; `failure_in` knows the usual shapes.

        Args:
            body: the body as JSON, whatever it is; None where it is not JSON.
        """
        failure = failure_in(as_object(next(iter(as_list(body)), body)))
        return (None, None) if failure is None else (failure.message, failure.code)

    def error(self, status: int, body: bytes, headers: Mapping[str, str]) -> APIError:
        """Return the error for an HTTP status and its body, which may be anything."""
        message = " ".join(body[: _SHOWN * 4].decode("utf-8", "replace").split())[:_SHOWN]
        try:
            data: Any = from_json(body)
        except ValueError:
            data = None
        said, code = self.error_message(data)
        return error_from_status(
            status, said or message or "no message", headers=headers, code=code
        )

    @property
    def key_variables(self) -> tuple[str, ...]:
        """The environment variables that can hold the key, the first one first."""
        given = self.api_key_env or ()
        return (given,) if isinstance(given, str) else tuple(given)

    def environment_key(self) -> str | None:
        """Return the key that the environment holds for the provider's own address, if any."""
        return next((key for name in self.key_variables if (key := os.environ.get(name))), None)

    def own_address(self) -> str:
        """Return the provider's own address, as the environment and the class have it, or `""`."""
        named = os.environ.get(self.base_url_env) if self.base_url_env else None
        return named or self.base_url or ""

    # The transport

    @override
    def load(self) -> None:
        importlib.import_module("httpx")

    @override
    def open(self, request: Request, connection: Connection) -> Source:
        response = self._send(request, connection)
        if response.status_code >= 300:
            raise self.error(response.status_code, _read(response, connection), response.headers)
        return HTTPSource(response)

    @override
    async def open_async(self, request: Request, connection: Connection) -> AsyncSource:
        response = await self._send_async(request, connection)
        if response.status_code >= 300:
            body = await _read_async(response, connection)
            raise self.error(response.status_code, body, response.headers)
        return AsyncHTTPSource(response)

    @override
    def fetch(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        response = self._send(request, connection)
        return self._whole(response, _read(response, connection))

    @override
    async def fetch_async(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        response = await self._send_async(request, connection)
        return self._whole(response, await _read_async(response, connection))

    def _send(self, request: Request, connection: Connection) -> httpx.Response:
        import httpx

        # Address and key are the request's own: one client serves all calls of the process.
        client = _CLIENTS.sync(
            connection, lambda: httpx.Client(**_client_options(asynchronous=False)), key="all"
        )
        http_request = self._build(client, request, connection)
        watch_request(http_request)
        return client.send(http_request, stream=True)

    async def _send_async(self, request: Request, connection: Connection) -> httpx.Response:
        import httpx

        client = await _CLIENTS.asynchronous(
            connection, lambda: httpx.AsyncClient(**_client_options(asynchronous=True)), key="all"
        )
        http_request = self._build(client, request, connection)
        await watch_request_async(http_request)
        return await client.send(http_request, stream=True)

    def _build(
        self, client: httpx.Client | httpx.AsyncClient, request: Request, connection: Connection
    ) -> httpx.Request:
        settings = connection.settings
        own = self.own_address()
        given_url = settings.get("base_url") or str(client.base_url)
        url = given_url or own
        if not isinstance(url, str):
            raise UsageError(f"base_url must be an address, not {url.__class__.__name__!r}")
        if not url:
            variable = f" or set {self.base_url_env}" if self.base_url_env else ""
            raise UsageError(f"{self.name}: no server is given: pass base_url={variable}")
        given: object = settings.get("headers") or {}
        if not isinstance(given, Mapping):
            kind = type(given).__name__
            raise UsageError(f"headers must be a mapping of names to values, not {kind!r}")
        headers = dict(cast("Mapping[str, str]", given))
        given_key = settings.get("api_key")
        key = given_key
        if not key and self._is_own(given_url, connection):
            key = self.environment_key()
        # What the user wrote counts: `headers=` over all, and a client's own over the environment.
        taken = {*map(str.lower, headers)}
        if not given_key:
            taken.update(map(str.lower, client.headers))
        if key:
            added = self.key_headers(key)
            headers.update({name: added[name] for name in added if name.lower() not in taken})
        else:
            self._check_key(connection)
        return client.build_request(
            "POST", f"{url.rstrip('/')}{self.path}", json=request.kwargs, headers=headers
        )

    def _is_own(self, given_url: str, connection: Connection) -> bool:
        """Whether a request goes to an address that the environment's key belongs to."""
        return not given_url or bool(
            connection.settings.get("base_url")
            and connection.takes_environment_key(self.base_url, self.own_address())
        )

    def _check_key(self, connection: Connection) -> None:
        """Raise where a key is certainly missing; elsewhere the server says best what is."""
        says_more = connection.client is not None or (
            {"base_url", "headers"} & connection.settings.keys()
        )
        if self.key_variables and self.base_url and not says_more:
            raise AuthenticationError(
                f"no key is known: set {self.key_variables[0]} or give api_key=",
                provider=self.name,
            )

    def _whole(self, response: httpx.Response, content: bytes) -> tuple[Any, JSONObject]:
        if response.status_code >= 300:
            raise self.error(response.status_code, content, response.headers)
        try:
            data: Any = from_json(content)
        except ValueError as error:
            raise StreamDecodeError(f"the response is not valid JSON: {error}") from error
        if not isinstance(data, dict):
            raise StreamDecodeError("the response is not a JSON object")
        body = cast("JSONObject", data)
        return body, body


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
    }
