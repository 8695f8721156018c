"""Requests through the official SDK's clients, for every API that they speak."""

from __future__ import annotations

import importlib
import os
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from mirascope.core import (
    APIError,
    AsyncHTTPSource,
    AsyncObjectSource,
    AsyncSource,
    ClientCache,
    Connection,
    HTTPSource,
    JSONObject,
    ObjectSource,
    Provider,
    Request,
    Source,
    Usage,
    bound_body,
    http_client_options,
    json_object,
    without_redirects,
)
from typing_extensions import override

from ._usage import host_facts, normalize, tool_facts

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

_CLIENTS: ClientCache[OpenAI, AsyncOpenAI] = ClientCache(
    close=lambda client: client.close(),
    aclose=lambda client: client.close(),
    environment=("OPENAI_",),
    names=("an OpenAI client", "an AsyncOpenAI client"),
)

_ADDRESS: Final = "https://api.openai.com/v1"


class SDKTransport(Provider):
    """The transport, and what else all of OpenAI's APIs share.

    `client=` is any client of the SDK; without one there is a default client for all calls of the
    same settings and environment.
    """

    name: ClassVar[str] = "openai"
    settings: ClassVar[frozenset[str]] = frozenset({"base_url", "api_key"})
    prices_package: ClassVar[str | None] = "mirascope_openai"

    @abstractmethod
    def resource(self, client: Any) -> Any:
        """Return the part of a client whose `create` sends the request."""

    @override
    def load(self) -> None:
        # It imports the SDK as well.
        importlib.import_module("._errors", __package__)

    @override
    def open(self, request: Request, connection: Connection) -> Source:
        client = self._client(connection)
        resource = without_redirects(self.resource(client))
        if not _gives_bytes(client, connection):
            return ObjectSource(resource.create(**request.kwargs), json_object)
        response = resource.with_streaming_response.create(**request.kwargs).__enter__()
        return HTTPSource(response.http_response, response.close)

    @override
    async def open_async(self, request: Request, connection: Connection) -> AsyncSource:
        client = await self._async_client(connection)
        resource = without_redirects(self.resource(client))
        if not _gives_bytes(client, connection):
            return AsyncObjectSource(await resource.create(**request.kwargs), json_object)
        response = await resource.with_streaming_response.create(**request.kwargs).__aenter__()
        return AsyncHTTPSource(response.http_response, response.close)

    @override
    def fetch(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        client = self._client(connection)
        resource = without_redirects(self.resource(client))
        if not _gives_bytes(client, connection) or _is_replaced(resource):
            answer = resource.create(**request.kwargs)
        else:
            with resource.with_streaming_response.create(**request.kwargs) as response:
                bound_body(response.http_response, connection.max_bytes)
                answer = response.parse()
        return answer, json_object(answer)

    @override
    async def fetch_async(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        client = await self._async_client(connection)
        resource = without_redirects(self.resource(client))
        if not _gives_bytes(client, connection) or _is_replaced(resource):
            answer = await resource.create(**request.kwargs)
        else:
            async with resource.with_streaming_response.create(**request.kwargs) as response:
                bound_body(response.http_response, connection.max_bytes)
                answer = await response.parse()
        return answer, json_object(answer)

    @override
    def normalize(self, usage: JSONObject, facts: Mapping[str, str]) -> Usage:
        return normalize(usage, facts)

    @override
    def context_facts(self, context: Mapping[str, Any]) -> dict[str, str]:
        stated = {**super().context_facts(context), **tool_facts(context)}
        if address := context.get("base_url"):
            stated |= host_facts(address)
        return stated

    @override
    def request_facts(self, connection: Connection) -> Mapping[str, str]:
        if connection.client is not None:
            return host_facts(getattr(connection.client, "base_url", None))
        url = connection.settings.get("base_url") or os.environ.get("OPENAI_BASE_URL")
        return host_facts(url) if url else {}

    @override
    def map_error(self, error: Exception) -> APIError | None:
        from ._errors import map_error

        return map_error(error)

    def _client(self, connection: Connection) -> OpenAI:
        def make() -> OpenAI:
            import openai

            http_client = openai.DefaultHttpxClient(**http_client_options(asynchronous=False))
            return openai.OpenAI(**_options(connection), http_client=http_client)

        return _CLIENTS.sync(connection, make)

    async def _async_client(self, connection: Connection) -> AsyncOpenAI:
        def make() -> AsyncOpenAI:
            import openai

            http_client = openai.DefaultAsyncHttpxClient(**http_client_options(asynchronous=True))
            return openai.AsyncOpenAI(**_options(connection), http_client=http_client)

        return await _CLIENTS.asynchronous(connection, make)


def _options(connection: Connection) -> dict[str, Any]:
    """Return the arguments of a default client.

    The SDK sends what its environment holds to whatever address it is given; ours goes by
    `Connection.takes_environment_key`.
    """
    options = dict(connection.settings)
    if connection.takes_environment_key(_ADDRESS, os.environ.get("OPENAI_BASE_URL")):
        return options
    from openai import Omit

    custom = os.environ.get("OPENAI_CUSTOM_HEADERS", "")
    names = [line.partition(":")[0].strip() for line in custom.split("\n") if ":" in line]
    names += ("OpenAI-Organization", "OpenAI-Project")
    # The SDK wants a key and sends it; a server that needs none takes any.
    options["api_key"] = options.get("api_key") or "none"
    options["default_headers"] = {name: Omit() for name in names}
    return options


def _gives_bytes(client: Any, connection: Connection) -> bool:
    """Whether the response is taken as bytes, which only the SDK's own clients are sure to give.

    A client that validates responses strictly raises its own errors while it iterates, which its
    user has asked for.
    """
    import openai

    return (
        not connection.sdk_iteration
        and isinstance(client, (openai.OpenAI, openai.AsyncOpenAI))
        # Private, and the only trace of the option; checked with openai 2.40 to 3.54.
        and not getattr(client, "_strict_response_validation", False)
    )


def _is_replaced(resource: Any) -> bool:
    """Whether `create` is a user's own, as in tests: it gives an answer and no response."""
    return not str(getattr(resource.create, "__module__", "")).startswith("openai.")
