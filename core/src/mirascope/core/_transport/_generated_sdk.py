"""The SDKs that Stainless generated: one way to make their clients, and to send through them."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._types import JSONObject
from ._bounds import bound_body
from ._connection import Connection
from ._default_http import without_redirects
from ._source import (
    AsyncHTTPSource,
    AsyncObjectSource,
    AsyncSource,
    HTTPSource,
    ObjectSource,
    Source,
    json_object,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedSDK:
    """An SDK that Stainless generated, as those of OpenAI and Anthropic are.

    Attributes:
        package: its import name; it is imported when a call needs it.
        client_classes: the names of its clients, synchronous and asynchronous.
        address: the provider's own address.
        environment: what the names of its environment variables begin with, such as `"OPENAI"`.
        headers: the headers that its clients send out of the environment, besides those in
            `…_CUSTOM_HEADERS`.
        only_plain: whether clients that are derived from these may use another framing than
            server-sent events, as Bedrock's do.
    """

    package: str
    client_classes: tuple[str, str]
    address: str
    environment: str
    headers: tuple[str, ...] = ()
    only_plain: bool = False

    def client_options(self, connection: Connection) -> dict[str, Any]:
        """Return the arguments of a default client.

        The SDK sends what its environment holds to whatever address it is given; ours goes by
        `Connection.takes_environment_key`.
        """
        options = dict(connection.settings)
        named = os.environ.get(f"{self.environment}_BASE_URL")
        if connection.takes_environment_key(self.address, named):
            return options
        omit: Any = importlib.import_module(self.package).Omit
        custom = os.environ.get(f"{self.environment}_CUSTOM_HEADERS", "")
        names = [line.partition(":")[0].strip() for line in custom.split("\n") if ":" in line]
        # The SDK wants a key and sends it; a server that needs none takes any.
        options["api_key"] = options.get("api_key") or "none"
        options["default_headers"] = {name: omit() for name in (*names, *self.headers)}
        return options

    def open(
        self, client: Any, resource: Any, arguments: Mapping[str, Any], connection: Connection
    ) -> Source:
        """Send a request and return the response as soon as its headers are there.

        Args:
            client: the client.
            resource: the part of it whose `create` sends the request.
            arguments: those of `create`.
            connection: how the provider is reached.
        """
        resource = without_redirects(resource)
        if not self._gives_bytes(client, connection):
            return ObjectSource(resource.create(**arguments), json_object)
        response = resource.with_streaming_response.create(**arguments).__enter__()
        return HTTPSource(response.http_response, response.close)

    async def open_async(
        self, client: Any, resource: Any, arguments: Mapping[str, Any], connection: Connection
    ) -> AsyncSource:
        """The same, asynchronously."""
        resource = without_redirects(resource)
        if not self._gives_bytes(client, connection):
            return AsyncObjectSource(await resource.create(**arguments), json_object)
        response = await resource.with_streaming_response.create(**arguments).__aenter__()
        return AsyncHTTPSource(response.http_response, response.close)

    def fetch(
        self, client: Any, resource: Any, arguments: Mapping[str, Any], connection: Connection
    ) -> tuple[Any, JSONObject]:
        """Send a request that is not streamed; return the SDK's object and its JSON.

        Args:
            client: the client.
            resource: the part of it whose `create` sends the request.
            arguments: those of `create`.
            connection: how the provider is reached.
        """
        resource = without_redirects(resource)
        if self._gives_bytes(client, connection) and self._is_own(resource):
            with resource.with_streaming_response.create(**arguments) as response:
                bound_body(response.http_response, connection.max_bytes)
                answer = response.parse()
        else:
            answer = resource.create(**arguments)
        return answer, json_object(answer)

    async def fetch_async(
        self, client: Any, resource: Any, arguments: Mapping[str, Any], connection: Connection
    ) -> tuple[Any, JSONObject]:
        """The same, asynchronously."""
        resource = without_redirects(resource)
        if self._gives_bytes(client, connection) and self._is_own(resource):
            async with resource.with_streaming_response.create(**arguments) as response:
                bound_body(response.http_response, connection.max_bytes)
                answer = await response.parse()
        else:
            answer = await resource.create(**arguments)
        return answer, json_object(answer)

    def _gives_bytes(self, client: Any, connection: Connection) -> bool:
        """Whether the response is taken as bytes, which only the SDK's clients are sure to give.

        A client that validates responses strictly raises its own errors while it iterates, which
        its user has asked for.
        """
        if connection.sdk_iteration:
            return False
        sdk: Any = importlib.import_module(self.package)
        classes = tuple(getattr(sdk, name) for name in self.client_classes)
        plain = type(client) in classes if self.only_plain else isinstance(client, classes)
        # Private, and the only trace of the option; the same in openai 2.40 to 3.57 and
        # anthropic 1.17 to 2.14.
        return plain and not getattr(client, "_strict_response_validation", False)

    def _is_own(self, resource: Any) -> bool:
        """Whether `create` is the SDK's; a user's own, as in tests, gives an answer straight."""
        module = str(getattr(resource.create, "__module__", ""))
        return module.startswith(f"{self.package}.")
