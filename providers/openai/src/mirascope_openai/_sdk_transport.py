"""Requests through the official SDK's clients, for every API that they speak."""

from __future__ import annotations

import importlib
import os
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from mirascope.core import (
    APIError,
    AsyncSource,
    ClientCache,
    Connection,
    GeneratedSDK,
    JSONObject,
    Provider,
    Request,
    Source,
    Usage,
    http_client_options,
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

_SDK: Final = GeneratedSDK(
    package="openai",
    client_classes=("OpenAI", "AsyncOpenAI"),
    address="https://api.openai.com/v1",
    environment="OPENAI",
    headers=("OpenAI-Organization", "OpenAI-Project"),
)


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
        return _SDK.open(client, self.resource(client), request.kwargs, connection)

    @override
    async def open_async(self, request: Request, connection: Connection) -> AsyncSource:
        client = await self._async_client(connection)
        return await _SDK.open_async(client, self.resource(client), request.kwargs, connection)

    @override
    def fetch(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        client = self._client(connection)
        return _SDK.fetch(client, self.resource(client), request.kwargs, connection)

    @override
    async def fetch_async(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        client = await self._async_client(connection)
        return await _SDK.fetch_async(client, self.resource(client), request.kwargs, connection)

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
            return openai.OpenAI(**_SDK.client_options(connection), http_client=http_client)

        return _CLIENTS.sync(connection, make)

    async def _async_client(self, connection: Connection) -> AsyncOpenAI:
        def make() -> AsyncOpenAI:
            import openai

            http_client = openai.DefaultAsyncHttpxClient(**http_client_options(asynchronous=True))
            return openai.AsyncOpenAI(**_SDK.client_options(connection), http_client=http_client)

        return await _CLIENTS.asynchronous(connection, make)
