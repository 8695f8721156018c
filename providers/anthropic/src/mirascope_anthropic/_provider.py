"""Anthropic's messages through the official SDK."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

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
    GeneratedSDK,
    JSONObject,
    Provider,
    Request,
    ResponseMode,
    Source,
    ToolChoiceKind,
    Usage,
    http_client_options,
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

_SDK: Final = GeneratedSDK(
    package="anthropic",
    client_classes=("Anthropic", "AsyncAnthropic"),
    address="https://api.anthropic.com",
    environment="ANTHROPIC",
    only_plain=True,
)


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
    response_modes: ClassVar[tuple[ResponseMode, ...]] = ("native", "tool", "json")

    @override
    def prepare(self, request: CallRequest) -> Request:
        return _request.build_request(request)

    @override
    def unsayable(self, schema: JSONObject) -> Sequence[str]:
        return _request.NATIVE.unsayable(schema)

    @override
    def check_response_mode(
        self, mode: ResponseMode, unsayable: Sequence[str], call_params: Mapping[str, Any]
    ) -> None:
        _request.check_thinking(mode, unsayable, call_params)

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
        return _SDK.open(client, client.messages, _arguments(client, request), connection)

    @override
    async def open_async(self, request: Request, connection: Connection) -> AsyncSource:
        client = await self._async_client(connection)
        arguments = _arguments(client, request)
        return await _SDK.open_async(client, client.messages, arguments, connection)

    @override
    def fetch(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        client = self._client(connection)
        return _SDK.fetch(client, client.messages, _arguments(client, request), connection)

    @override
    async def fetch_async(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        client = await self._async_client(connection)
        arguments = _arguments(client, request)
        return await _SDK.fetch_async(client, client.messages, arguments, connection)

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

            options = _SDK.client_options(connection)
            http_client = anthropic.DefaultHttpxClient(**http_client_options(asynchronous=False))
            client = anthropic.Anthropic(**options, http_client=http_client)
            return _with_own_token(client, options)

        return _CLIENTS.sync(connection, make)

    async def _async_client(self, connection: Connection) -> AsyncAnthropic:
        def make() -> AsyncAnthropic:
            import anthropic

            options = _SDK.client_options(connection)
            http_client = anthropic.DefaultAsyncHttpxClient(
                **http_client_options(asynchronous=True)
            )
            client = anthropic.AsyncAnthropic(**options, http_client=http_client)
            return _with_own_token(client, options)

        return await _CLIENTS.asynchronous(connection, make)


def _with_own_token(client: ClientT, options: Mapping[str, Any]) -> ClientT:
    """Return a default client; one with a key of its own has no token from the environment.

    Before 2.0 the SDK reads `ANTHROPIC_AUTH_TOKEN` besides a key that it was given.
    """
    if options.get("api_key"):
        client.auth_token = None
    return client


def _arguments(client: Any, request: Request) -> dict[str, Any]:
    """Return the request as arguments of this SDK's `create`.

    Parameters that the installed SDK does not name go into the body as they are: it has dropped
    `temperature` and its like, which many models still take, and lacks those of a later API.
    """
    try:
        known = inspect.signature(client.messages.create).parameters
    except (TypeError, ValueError):
        return request.kwargs
    if "extra_body" not in known:
        return request.kwargs
    arguments = {name: value for name, value in request.kwargs.items() if name in known}
    rest = {name: value for name, value in request.kwargs.items() if name not in known}
    if rest:
        arguments["extra_body"] = {**rest, **(arguments.get("extra_body") or {})}
    return arguments
