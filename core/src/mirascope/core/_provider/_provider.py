"""What a provider plugin implements: one wire API of one provider."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from .._errors import (
    APIError,
    BadRequestError,
    MirascopeError,
    ProviderConnectionError,
    ProviderTimeoutError,
    StreamDecodeError,
    StreamInterruptedError,
    StreamTimeoutError,
    describe,
    is_bad_data,
    is_timeout,
)
from .._prices._table import PriceTable
from .._prices._usage import Usage
from .._state import FINISH_REASONS, FinishReason
from .._structured._answer import ResponseMode
from .._tools._base_tool import BaseTool
from .._tools._tool_choice import ToolChoice, ToolChoiceKind
from .._transport._connection import Connection
from .._transport._source import AsyncSource, Source
from .._types import JSONObject
from ..wire import Framer, SSEFramer
from ._accumulate import Accumulator
from ._answer_format import AnswerFormat
from ._decoder import Decoder
from ._faults import is_mistake, raised
from ._messages import MessageParam, has_role

if TYPE_CHECKING:
    from .._response._async_stream import BaseAsyncStream
    from .._response._call_response import BaseCallResponse
    from .._response._stream import BaseStream


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """A call in core's terms, before a provider has seen it.

    Attributes:
        model: the model's name at the provider.
        messages: neutral messages, and messages in the provider's own form.
        tools: the tools that the model may call.
        call_params: parameters of the provider's API.
        stream: whether the response is to be streamed.
        tool_choice: which of the tools the model may call, or has to; None where the call does not
            say it, or says it in the API's own form, as one of `call_params`.
        answer: the form that the answer is to have, or None.
    """

    model: str
    messages: Sequence[MessageParam] = field(repr=False)
    tools: Sequence[type[BaseTool]] = ()
    call_params: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    stream: bool
    tool_choice: ToolChoice | None = None
    answer: AnswerFormat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A call in the provider's terms.

    Attributes:
        messages: the messages in the provider's form, system messages included.
        kwargs: the keyword arguments of the SDK's function, or the JSON body of the request.
    """

    messages: list[Any] = field(repr=False)
    kwargs: dict[str, Any] = field(repr=False)


class Provider(ABC):
    """One wire API of one provider: request, transport, decoding, usage, identity.

    A plugin subclasses it and sets the class attributes. Instances hold no state of a call: one
    instance serves every call of the process, from any thread.
    """

    name: ClassVar[str]
    """The provider's name: that of its entry point."""
    api: ClassVar[str]
    """The wire protocol's name: `"chat"`, `"responses"`, `"messages"`, `"generate"`, …"""
    stream_class: ClassVar[type[BaseStream[Any]]]
    """What a call with `stream=True` returns."""
    async_stream_class: ClassVar[type[BaseAsyncStream[Any]]]
    """What an asynchronous call with `stream=True` returns."""
    response_class: ClassVar[type[BaseCallResponse[Any]]]
    """What a call without `stream=True` returns."""
    settings: ClassVar[frozenset[str]] = frozenset()
    """The connection settings that calls take besides the API's own parameters."""
    tool_choices: ClassVar[frozenset[ToolChoiceKind]] = frozenset()
    """Which choices `CallRequest.tool_choice` may be, and `prepare` says to the API. Without any,
    `tool_choice=` is a parameter of the API like others."""
    tool_name_pattern: ClassVar[str] = "(?s:.+)"
    """The names that the API takes for tools, as a regular expression for the whole name.

    A call with a tool of another name is refused when it is decorated. Any name, without an
    override."""
    tool_argument_pattern: ClassVar[str] = "(?s:.*)"
    """The same for the names of a tool's arguments."""
    response_modes: ClassVar[tuple[ResponseMode, ...]] = ()
    """How the API can be asked for a `response_model`, what is best first.

    Whoever declares a mode heeds `CallRequest.answer` in `prepare`. Without any, core refuses a
    response model when a function is decorated.
    """
    shows_schema: ClassVar[bool] = False
    """Whether core shows the schema to the model in `"native"` mode too: for servers that enforce
    it and never tell the model."""
    prices_package: ClassVar[str | None] = None
    """The package that holds this provider's `prices.toml`, or None where no price is known."""

    # 1. request

    @abstractmethod
    def prepare(self, request: CallRequest) -> Request:
        """Return the call in the provider's terms. Pure; must not change what it is given."""

    def is_message(self, mapping: Mapping[str, Any]) -> bool:
        """Whether a mapping is a message; whatever else a function returns is configuration.

        The neutral form, and any other with a `role`, is one. A provider with further forms
        overrides this. Never raises, whatever is in the mapping.
        """
        return has_role(mapping)

    def is_user_message(self, message: Mapping[str, Any]) -> bool:
        """Whether a message of a `Request` is the user's; by its `role` without an override."""
        return message.get("role") == "user"

    @abstractmethod
    def message_param(self, answer: Accumulator) -> dict[str, Any]:
        """Return the answer as the message that the next request sends back. Pure."""

    @abstractmethod
    def tool_message_params(self, results: Sequence[tuple[BaseTool, Any]]) -> list[dict[str, Any]]:
        """Return the messages that give the results of tool calls back. Pure."""

    def unsayable(self, schema: JSONObject) -> Sequence[str]:
        """Return the places of a JSON schema that the API's `"native"` mode has no form for.

        Without an override, none: the API takes any schema.

        Args:
            schema: the schema of a response model, without titles and discriminators.
        """
        return ()

    def check_response_mode(  # noqa: B027 - most APIs take their modes with any parameter
        self, mode: ResponseMode, unsayable: Sequence[str], call_params: Mapping[str, Any]
    ) -> None:
        """Refuse a mode that goes ill with other parameters; without an override, none does.

        Args:
            mode: the mode.
            unsayable: why it is not the `"native"` one, where it is not.
            call_params: the parameters of the API.

        Raises:
            UsageError: the API refuses the two together.
        """

    # 2. open

    def load(self) -> None:  # noqa: B027 - most providers have something to import; one may not
        """Import what calls need, such as an SDK; without an override there is nothing to import.

        Asynchronous calls run it first, in a thread, because importing an SDK would hold the event
        loop up for a second or more. Importing the provider's package must not do it.
        """

    @abstractmethod
    def open(self, request: Request, connection: Connection) -> Source:
        """Send the request and return the response as soon as its headers are there."""

    @abstractmethod
    async def open_async(self, request: Request, connection: Connection) -> AsyncSource:
        """The same, asynchronously."""

    @abstractmethod
    def fetch(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        """Send a request that is not streamed; return the SDK's object and its JSON."""

    @abstractmethod
    async def fetch_async(self, request: Request, connection: Connection) -> tuple[Any, JSONObject]:
        """The same, asynchronously."""

    # 3. decode

    def framer(self) -> Framer:
        """Return a framer for one response body; server-sent events by default."""
        return SSEFramer()

    @abstractmethod
    def decoder(self) -> Decoder:
        """Return a decoder for one response."""

    def chunk_object(self, data: JSONObject, raw: bytes | None) -> Any:
        """Return the provider's own object for one event: what `chunk.chunk` is.

        It is made when it is first read, and not at all where the SDK's own loop gave one. Without
        an override it is the JSON object.

        Args:
            data: the event's object, as `Decoder.parse` returned it.
            raw: the text that it was read from, where it is at hand.
        """
        return data

    @abstractmethod
    def response_object(self, answer: Accumulator) -> Any:
        """Return the provider's own response object for an answer that was streamed."""

    def finish_reason(self, reason: str) -> FinishReason:
        """Return the name for all providers of a finish reason in the provider's word.

        Without an override, a word that is such a name already is that; any other is `"other"`.
        """
        return reason if reason in FINISH_REASONS else "other"

    # 4. usage and prices

    @abstractmethod
    def normalize(self, usage: JSONObject, facts: Mapping[str, str]) -> Usage:
        """Return the provider's usage object by the one rule for all providers. Never raises."""

    def context_facts(self, context: Mapping[str, Any]) -> dict[str, str]:
        """Return the facts for `normalize` that are in a description of a response. Never raises.

        A stream's facts come from its decoder and from `request_facts`; this is for usage that was
        stored, with whatever else of the response was stored. Without an override, the text
        in it: `{"service_tier": "flex"}`.

        Args:
            context: what is known of the response and of how it was requested.
        """
        return {name: value for name, value in context.items() if isinstance(value, str)}

    def request_facts(self, connection: Connection) -> Mapping[str, str]:
        """Return the facts for `normalize` that only the request knows, such as a region."""
        return {}

    def usage_object(self, usage: JSONObject) -> Any:
        """Return usage in the provider's own type; without an override it is the JSON object."""
        return usage

    def chunk_usage_object(self, usage: JSONObject, data: JSONObject) -> Any:
        """Return the usage in one chunk in the provider's own type; `usage_object`'s as a rule.

        Args:
            usage: the usage as the chunk has it.
            data: the whole event, for an SDK whose chunks have a usage type of their own.
        """
        return self.usage_object(usage)

    @cached_property
    def prices(self) -> PriceTable:
        """The provider's prices, read from its package on first use."""
        if self.prices_package is None:
            return PriceTable.empty(self.name)
        return PriceTable.from_package(self.prices_package)

    # 5. identity

    def map_error(self, error: Exception) -> APIError | None:
        """Return our error for one of the SDK or the transport, or None to leave it to core."""
        return None

    def opening_error(self, error: Exception, model: str) -> MirascopeError:
        """Return the error for an exception that was raised before the response began."""
        if isinstance(error, MirascopeError) and not isinstance(error, APIError):
            return error
        mapped = self._mapped(error, model)
        if mapped is not None:
            return mapped
        if is_mistake(error, self):
            return raised(self, "open", error, model)
        if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError)):
            return StreamDecodeError(
                f"the response is not valid JSON: {describe(error)}",
                provider=self.name,
                model=model,
            )
        if isinstance(error, (TypeError, ValueError)):
            # The SDK's own function refuses a parameter, or a value that JSON can't express.
            return BadRequestError(str(error), provider=self.name, model=model)
        error_class = ProviderTimeoutError if is_timeout(error) else ProviderConnectionError
        return error_class(
            _unreachable(error),
            provider=self.name,
            model=model,
            retryable=not _is_hopeless(error),
        )

    def stream_error(self, error: Exception, model: str) -> APIError:
        """Return the error for an exception that was raised while the response was read."""
        if is_timeout(error):
            return StreamTimeoutError(
                f"the client's own timeout passed: {describe(error)}",
                deadline="read",
                provider=self.name,
                model=model,
            )
        mapped = self._mapped(error, model)
        if mapped is not None:
            return mapped
        if is_mistake(error, self):
            return raised(self, "open", error, model)
        if is_bad_data(error):
            return StreamDecodeError(
                f"the response can't be read: {describe(error)}", provider=self.name, model=model
            )
        return StreamInterruptedError(
            f"the connection dropped: {describe(error)}", provider=self.name, model=model
        )

    def _mapped(self, error: Exception, model: str) -> APIError | None:
        mapped = error if isinstance(error, APIError) else self.map_error(error)
        if mapped is not None:
            mapped.provider = mapped.provider or self.name
            mapped.model = mapped.model or model
        return mapped


_HOPELESS: Final = frozenset(
    {"UnsupportedProtocol", "InvalidURL", "InvalidSchema", "MissingSchema", "LocalProtocolError"}
)
"""What HTTP libraries call an address, or a header, that no attempt makes right."""


def _is_hopeless(error: BaseException | None) -> bool:
    """Whether an exception, or what it came from, is about the program and not the network."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if any(base.__name__ in _HOPELESS for base in type(error).__mro__):
            return True
        error = error.__cause__
    return False


def _unreachable(error: Exception) -> str:
    """Return which server could not be reached, where the transport's exception knows it."""
    try:
        url: Any = cast("Any", error).request.url
        if url.scheme not in ("http", "https"):
            return "the server's address must begin with https:// or http://: see base_url="
        address = f"no answer from {url.scheme}://{url.host}{f':{url.port}' if url.port else ''}: "
    except (AttributeError, RuntimeError):
        # httpx raises RuntimeError for an exception that no request was given to.
        address = ""
    return address + describe(error.__cause__ if isinstance(error.__cause__, Exception) else error)
