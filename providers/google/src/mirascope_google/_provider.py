"""Gemini through the official SDK."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import urlsplit

from mirascope.core import (
    TOOL_CHOICES,
    Accumulator,
    APIError,
    AsyncSource,
    BaseAsyncStream,
    BaseCallResponse,
    BaseStream,
    BaseTool,
    CallRequest,
    ClientCache,
    Connection,
    Decoder,
    FinishReason,
    JSONObject,
    Provider,
    Request,
    ResponseMode,
    Source,
    ToolChoiceKind,
    Usage,
    UsageError,
    http_client_options,
)
from typing_extensions import override

from . import _answer, _request
from ._call_response import GoogleCallResponse
from ._decode import GoogleDecoder
from ._framer import GenerateFramer
from ._platform import connection_facts
from ._sdk_objects import build, build_response, wire_json
from ._source import AsyncGenerateSource, GenerateSource, bounded
from ._stream import GoogleAsyncStream, GoogleStream
from ._usage import context_facts, normalize

if TYPE_CHECKING:
    from google.genai import Client
    from google.genai.client import AsyncClient
    from mirascope.core.wire import Framer


def _is_async(client: object) -> bool | None:
    """Whether a client is asynchronous alone: a `Client` has both kinds of call."""
    from google.genai.client import AsyncClient

    return True if isinstance(client, AsyncClient) else None


# A client has two pools of connections: each event loop has a client of its own for the second.
_CLIENTS: ClientCache[Client, Client] = ClientCache(
    close=lambda client: client.close(),
    aclose=lambda client: client.aio.aclose(),
    environment=("GEMINI_", "GOOGLE_"),
    is_async=_is_async,
    names=("a genai.Client", "a genai.Client"),
)


class GoogleProvider(Provider):
    """Gemini by the Gemini Developer API and by Vertex AI.

    `client=` is a `google.genai.Client` (or, for asynchronous calls, its `.aio`), or an object with
    the same `models.generate_content_stream`. Without one, the SDK's own variables say how Gemini
    is reached: `GEMINI_API_KEY` or `GOOGLE_API_KEY`, `GOOGLE_GENAI_USE_VERTEXAI`,
    `GOOGLE_CLOUD_PROJECT`, `GOOGLE_CLOUD_LOCATION`, `GOOGLE_GEMINI_BASE_URL`.
    """

    name: ClassVar[str] = "google"
    api: ClassVar[str] = "generate"
    stream_class: ClassVar[type[BaseStream[Any]]] = GoogleStream
    async_stream_class: ClassVar[type[BaseAsyncStream[Any]]] = GoogleAsyncStream
    response_class: ClassVar[type[BaseCallResponse[Any]]] = GoogleCallResponse
    settings: ClassVar[frozenset[str]] = frozenset(
        {"api_key", "base_url", "credentials", "location", "project", "vertexai"}
    )
    tool_choices: ClassVar[frozenset[ToolChoiceKind]] = TOOL_CHOICES
    # https://ai.google.dev/api/caching#FunctionDeclaration; older servers stop at 64 characters.
    tool_name_pattern: ClassVar[str] = "[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}"
    prices_package: ClassVar[str | None] = "mirascope_google"
    response_modes: ClassVar[tuple[ResponseMode, ...]] = ("native", "tool", "json")

    @override
    def prepare(self, request: CallRequest) -> Request:
        return _request.build_request(request)

    @override
    def unsayable(self, schema: JSONObject) -> Sequence[str]:
        return _request.NATIVE.unsayable(schema)

    @override
    def is_message(self, mapping: Mapping[str, Any]) -> bool:
        # A content may leave its role out: https://ai.google.dev/api/caching#Content
        return "parts" in mapping or super().is_message(mapping)

    @override
    def message_param(self, answer: Accumulator) -> dict[str, Any]:
        return _answer.message_param(answer)

    @override
    def tool_message_params(self, results: Sequence[tuple[BaseTool, Any]]) -> list[dict[str, Any]]:
        return _answer.tool_message_params(results)

    @override
    def load(self) -> None:
        # It imports the SDK as well.
        importlib.import_module("._errors", __package__)

    @override
    def open(self, request: Request, connection: Connection) -> Source:
        models = self._client(connection).models
        return GenerateSource.open(
            models, request.kwargs, connection.max_bytes, plain=connection.sdk_iteration
        )

    @override
    async def open_async(self, request: Request, connection: Connection) -> AsyncSource:
        models = (await self._async_client(connection)).models
        return await AsyncGenerateSource.open(
            models, request.kwargs, connection.max_bytes, plain=connection.sdk_iteration
        )

    @override
    def fetch(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        models: Any = bounded(self._client(connection).models, connection.max_bytes)
        response = models.generate_content(**request.kwargs)
        return response, wire_json(response)

    @override
    async def fetch_async(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        models: Any = (await self._async_client(connection)).models
        models = bounded(models, connection.max_bytes)
        response = await models.generate_content(**request.kwargs)
        return response, wire_json(response)

    @override
    def framer(self) -> Framer:
        return GenerateFramer()

    @override
    def decoder(self) -> Decoder:
        return GoogleDecoder()

    @override
    def chunk_object(self, data: JSONObject, raw: bytes | None) -> Any:
        return build_response(data)

    @override
    def response_object(self, answer: Accumulator) -> Any:
        return build_response(_answer.response(answer))

    @override
    def finish_reason(self, reason: str) -> FinishReason:
        return _answer.finish_reason(reason)

    @override
    def normalize(self, usage: JSONObject, facts: Mapping[str, str]) -> Usage:
        return normalize(usage, facts)

    @override
    def context_facts(self, context: Mapping[str, Any]) -> dict[str, str]:
        return context_facts(context)

    @override
    def request_facts(self, connection: Connection) -> Mapping[str, str]:
        return connection_facts(connection)

    @override
    def usage_object(self, usage: JSONObject) -> Any:
        from google.genai.types import GenerateContentResponseUsageMetadata

        return build(GenerateContentResponseUsageMetadata, usage)

    @override
    def map_error(self, error: Exception) -> APIError | None:
        from ._errors import map_error

        return map_error(error)

    @override
    def stream_error(self, error: Exception, model: str) -> APIError:
        from ._errors import map_stream_error

        mapped = map_stream_error(error)
        return mapped if mapped is not None else super().stream_error(error, model)

    def _client(self, connection: Connection) -> Client:
        return _CLIENTS.sync(connection, _maker(connection))

    async def _async_client(self, connection: Connection) -> AsyncClient:
        client = await _CLIENTS.asynchronous(connection, _maker(connection))
        return cast("AsyncClient", getattr(client, "aio", client))


def _client_options(connection: Connection) -> dict[str, Any]:
    """Return the arguments of a default client.

    The SDK sends what its environment holds to whatever address it is given; ours goes by
    `Connection.takes_environment_key`.

    Raises:
        UsageError: the credentials of Google Cloud would go to another address.
    """
    options = dict(connection.settings)
    own = (os.environ.get(name) for name in ("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"))
    is_given = bool(options.get("api_key") or options.get("credentials"))
    if not (
        is_given or _is_google(options.get("base_url")) or connection.takes_environment_key(*own)
    ):
        if options.get("vertexai"):
            raise UsageError(
                "base_url= is not an address of Google's, and the machine's own credentials are "
                "sent to no other: give credentials= or api_key= as well"
            )
        # The SDK wants a key and sends it; a server that needs none takes any.
        options["api_key"] = "none"
    if (base_url := options.pop("base_url", None)) is not None:
        options["http_options"] = {"base_url": base_url}
    return options


def _is_google(url: object) -> bool:
    host = urlsplit(str(url)).hostname or ""
    return host.endswith(".googleapis.com")


def _maker(connection: Connection) -> Callable[[], Client]:
    def make() -> Client:
        from google import genai

        from ._errors import client_error

        options = _client_options(connection)
        try:
            client = genai.Client(**options)
        except ValueError as error:
            raise client_error(error) from error
        _set_http_options(client)
        return client

    return make


def _set_http_options(client: Client) -> None:
    """Set on a default client what the default clients of every provider have in common.

    The SDK's own option, `client_args`, would also turn mutual TLS for Vertex AI off. These names
    are private; they are the same in google-genai 2.10 to 3.6, and without them a request that was
    given up while it is sent ends by itself.
    """
    api_client: Any = getattr(client, "_api_client", None)
    for name, asynchronous in (("_httpx_client", False), ("_async_httpx_client", True)):
        http_client: Any = getattr(api_client, name, None)
        if hasattr(http_client, "event_hooks"):
            options = http_client_options(asynchronous=asynchronous)
            # An asynchronous one may send by clients that it makes of these, one for each loop.
            getattr(http_client, "_client_kwargs", {}).update(options)
            http_client.event_hooks = options["event_hooks"]
            http_client.follow_redirects = options["follow_redirects"]
            http_client.headers.update(options["headers"])
