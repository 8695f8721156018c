"""Anthropic's messages through the official SDK."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from mirascope.core import (
    TOOL_CHOICES,
    Accumulator,
    APIError,
    AsyncHTTPSource,
    AsyncObjectSource,
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
    HTTPSource,
    JSONObject,
    ObjectSource,
    Provider,
    Request,
    Source,
    ToolChoiceKind,
    Usage,
    bound_body,
    http_client_options,
    json_object,
    without_redirects,
)
from typing_extensions import override

from . import _answer, _request
from ._call_response import AnthropicCallResponse
from ._decode import AnthropicDecoder
from ._sdk_objects import build, build_event
from ._stream import AnthropicAsyncStream, AnthropicStream
from ._usage import connection_facts, context_facts, normalize

if TYPE_CHECKING:
    from anthropic import Anthropic, AsyncAnthropic

    ClientT = TypeVar("ClientT", Anthropic, AsyncAnthropic)


def _is_async(client: Any) -> bool:
    """Whether a client is asynchronous: a stub with nothing but this method is told apart too."""
    return inspect.iscoroutinefunction(inspect.unwrap(client.messages.create))


_CLIENTS: ClientCache[Anthropic, AsyncAnthropic] = ClientCache(
    close=lambda client: client.close(),
    aclose=lambda client: client.close(),
    environment=("ANTHROPIC_",),
    is_async=_is_async,
    names=("an Anthropic client", "an AsyncAnthropic client"),
)

_ADDRESS: Final = "https://api.anthropic.com"


class AnthropicProvider(Provider):
    """Messages of Anthropic's API, and of any server that speaks it, by way of the SDK.

    `client=` is any client of the SDK (`Anthropic`, `AnthropicBedrock`, `AnthropicVertex`, … and
    their asynchronous twins) or an object with the same `messages.create`.
    """

    name: ClassVar[str] = "anthropic"
    api: ClassVar[str] = "messages"
    stream_class: ClassVar[type[BaseStream[Any]]] = AnthropicStream
    async_stream_class: ClassVar[type[BaseAsyncStream[Any]]] = AnthropicAsyncStream
    response_class: ClassVar[type[BaseCallResponse[Any]]] = AnthropicCallResponse
    settings: ClassVar[frozenset[str]] = frozenset({"base_url", "api_key"})
    tool_choices: ClassVar[frozenset[ToolChoiceKind]] = TOOL_CHOICES
    # The API's own words: "tools.0.custom.name: String should match pattern", and "Property keys
    # should match pattern". https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
    tool_name_pattern: ClassVar[str] = "[a-zA-Z0-9_-]{1,128}"
    tool_argument_pattern: ClassVar[str] = "[a-zA-Z0-9_.-]{1,64}"
    prices_package: ClassVar[str | None] = "mirascope_anthropic"

    @override
    def prepare(self, request: CallRequest) -> Request:
        return _request.build_request(request)

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
        client = self._client(connection)
        messages: Any = without_redirects(client.messages)
        arguments = _arguments(messages, request)
        if not _gives_bytes(client, connection):
            return ObjectSource(messages.create(**arguments), json_object)
        response = messages.with_streaming_response.create(**arguments).__enter__()
        return HTTPSource(response.http_response, response.close)

    @override
    async def open_async(self, request: Request, connection: Connection) -> AsyncSource:
        client = await self._async_client(connection)
        messages: Any = without_redirects(client.messages)
        arguments = _arguments(messages, request)
        if not _gives_bytes(client, connection):
            return AsyncObjectSource(await messages.create(**arguments), json_object)
        response = await messages.with_streaming_response.create(**arguments).__aenter__()
        return AsyncHTTPSource(response.http_response, response.close)

    @override
    def fetch(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        client = self._client(connection)
        messages: Any = without_redirects(client.messages)
        arguments = _arguments(messages, request)
        if not _gives_bytes(client, connection) or _is_replaced(messages):
            answer = messages.create(**arguments)
        else:
            with messages.with_streaming_response.create(**arguments) as response:
                bound_body(response.http_response, connection.max_bytes)
                answer = response.parse()
        return answer, json_object(answer)

    @override
    async def fetch_async(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        client = await self._async_client(connection)
        messages: Any = without_redirects(client.messages)
        arguments = _arguments(messages, request)
        if not _gives_bytes(client, connection) or _is_replaced(messages):
            answer = await messages.create(**arguments)
        else:
            async with messages.with_streaming_response.create(**arguments) as response:
                bound_body(response.http_response, connection.max_bytes)
                answer = await response.parse()
        return answer, json_object(answer)

    @override
    def decoder(self) -> Decoder:
        return AnthropicDecoder()

    @override
    def chunk_object(self, data: JSONObject, raw: bytes | None) -> Any:
        return build_event(data, raw)

    @override
    def response_object(self, answer: Accumulator) -> Any:
        from anthropic.types import Message

        return build(Message, _answer.message(answer))

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
        from anthropic.types import Usage

        return build(Usage, usage)

    @override
    def chunk_usage_object(self, usage: JSONObject, data: JSONObject) -> Any:
        from anthropic.types import MessageDeltaUsage

        if data.get("type") == "message_delta":
            return build(MessageDeltaUsage, usage)
        return self.usage_object(usage)

    @override
    def map_error(self, error: Exception) -> APIError | None:
        from ._errors import map_error

        return map_error(error)

    def _client(self, connection: Connection) -> Anthropic:
        def make() -> Anthropic:
            import anthropic

            options = _options(connection)
            http_client = anthropic.DefaultHttpxClient(**http_client_options(asynchronous=False))
            client = anthropic.Anthropic(**options, http_client=http_client)
            return _with_own_token(client, options)

        return _CLIENTS.sync(connection, make)

    async def _async_client(self, connection: Connection) -> AsyncAnthropic:
        def make() -> AsyncAnthropic:
            import anthropic

            options = _options(connection)
            http_client = anthropic.DefaultAsyncHttpxClient(
                **http_client_options(asynchronous=True)
            )
            client = anthropic.AsyncAnthropic(**options, http_client=http_client)
            return _with_own_token(client, options)

        return await _CLIENTS.asynchronous(connection, make)


def _options(connection: Connection) -> dict[str, Any]:
    """Return the arguments of a default client.

    The SDK sends what its environment holds to whatever address it is given; ours goes by
    `Connection.takes_environment_key`.
    """
    options = dict(connection.settings)
    if connection.takes_environment_key(_ADDRESS, os.environ.get("ANTHROPIC_BASE_URL")):
        return options
    from anthropic import Omit

    custom = os.environ.get("ANTHROPIC_CUSTOM_HEADERS", "")
    names = [line.partition(":")[0].strip() for line in custom.split("\n") if ":" in line]
    # The SDK wants a key and sends it; a server that needs none takes any.
    options["api_key"] = options.get("api_key") or "none"
    options["default_headers"] = {name: Omit() for name in names}
    return options


def _with_own_token(client: ClientT, options: Mapping[str, Any]) -> ClientT:
    """Return a default client; one with a key of its own has no token from the environment.

    Before 2.0 the SDK reads `ANTHROPIC_AUTH_TOKEN` besides a key that it was given.
    """
    if options.get("api_key"):
        client.auth_token = None
    return client


def _arguments(messages: Any, request: Request) -> dict[str, Any]:
    """Return the request as arguments of this SDK's `create`.

    Parameters that the installed SDK does not name go into the body as they are: it has dropped
    `temperature` and its like, which many models still take, and lacks those of a later API.
    """
    try:
        known = inspect.signature(messages.create).parameters
    except (TypeError, ValueError):
        return request.kwargs
    if "extra_body" not in known:
        return request.kwargs
    arguments = {name: value for name, value in request.kwargs.items() if name in known}
    rest = {name: value for name, value in request.kwargs.items() if name not in known}
    if rest:
        arguments["extra_body"] = {**rest, **(arguments.get("extra_body") or {})}
    return arguments


def _gives_bytes(client: Any, connection: Connection) -> bool:
    """Whether the response is taken as bytes, which only the SDK's plain clients are sure to give.

    Those for Bedrock and the like may use another framing. A client that validates responses
    strictly raises its own errors while it iterates, which its user has asked for.
    """
    import anthropic

    return (
        not connection.sdk_iteration
        and type(client) in (anthropic.Anthropic, anthropic.AsyncAnthropic)
        # Private, and the only trace of the option; checked with anthropic 1.17 to 2.12.
        and not getattr(client, "_strict_response_validation", False)
    )


def _is_replaced(messages: Any) -> bool:
    """Whether `create` is a user's own, as in tests: it gives an answer and no response."""
    return not str(getattr(messages.create, "__module__", "")).startswith("anthropic.")
