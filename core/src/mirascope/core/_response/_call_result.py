"""What is known of a call and of its answer, streamed or not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from .._prices._cost import Cost
from .._prices._overrides import price
from .._prices._usage import Usage
from .._provider._accumulate import Accumulator
from .._request._prepared import PreparedCall
from .._state import FINISH_REASONS, FinishReason, StreamState
from .._tools._base_tool import BaseTool
from .._tools._results import check_results
from ._guard import made_of_answer

T = TypeVar("T")

_UNREAD: Final[Any] = object()
"""Stands for what has not been computed yet, where None is an answer."""


class CallResult(ABC):
    """The properties that streams and call responses share.

    What is documented with `StreamNotExhaustedError` raises it on a stream that has not ended, and
    never on a call response. What is computed is computed by the first read after the end and kept:
    reading it again gives the same object.

    Args:
        call: the call.
        answer: what has arrived of the response.
        tools: the tool calls that are complete; more may be appended while a stream is read.
        start_time: when the request was sent, in seconds since the epoch; 0 where it was not yet.
    """

    def __init__(
        self,
        call: PreparedCall,
        answer: Accumulator,
        tools: list[BaseTool],
        *,
        start_time: float = 0.0,
    ) -> None:
        self._call = call
        self._answer = answer
        self._tools = tools
        self._start_time = start_time
        self._usage: Any = _UNREAD
        self._common_usage: Usage | None = _UNREAD
        self._cost: Cost | None = _UNREAD
        self._dollars: float | None = _UNREAD

    @abstractmethod
    def _ended(self, what: str) -> Accumulator:
        """Return the answer if nothing more will come; else raise, naming `what`."""

    @property
    @abstractmethod
    def state(self) -> StreamState:
        """How the answer stands; only a `completed` one is whole."""

    @property
    @abstractmethod
    def _end_time(self) -> float:
        """When the answer had ended, in seconds since the epoch; 0 where it has not."""

    @property
    def _completed(self) -> bool:
        return self.state is StreamState.COMPLETED

    # Known before anything is sent

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self._call.provider.name

    @property
    def model(self) -> str:
        """The model as the provider reports it; until it does, the model that was asked for."""
        return self._answer.model or self._call.model

    @property
    def messages(self) -> list[Any]:
        """The messages of the request, in the provider's form."""
        return self._call.request.messages

    @property
    def user_message_param(self) -> Any:
        """The user's message in the provider's form; None if the last message is not the user's."""
        return self._call.user_message_param

    @property
    def call_params(self) -> Mapping[str, Any]:
        """The parameters of the provider's API that were given."""
        return self._call.call_params

    @property
    def call_kwargs(self) -> dict[str, Any]:
        """The request as it is sent: the SDK's keyword arguments."""
        return self._call.request.kwargs

    @property
    def fn_args(self) -> Mapping[str, Any]:
        """The arguments of the decorated function, by name."""
        return self._call.fn_args

    @property
    def prompt_template(self) -> str | None:
        """The prompt template, or None where the function gave its messages itself."""
        return self._call.prompt_template

    @property
    def tool_types(self) -> tuple[type[BaseTool], ...]:
        """The tools that the model may call."""
        return self._call.toolset.types

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The `metadata` of the function's dynamic configuration."""
        return self._call.metadata

    @property
    def is_replay(self) -> bool:
        """Whether the answer is a recording: nothing was sent, and nothing is paid."""
        return self._call.is_replay

    # Live while a stream is read

    @property
    def answer(self) -> Accumulator:
        """All that has arrived of the response, in the terms that providers share.

        It has what no other property shows raw: the blocks in their order, and the usage and the
        finish reasons as the provider sent them. Read it and leave it as it is.
        """
        return self._answer

    @property
    def content(self) -> str:
        """The text so far."""
        return self._answer.text

    @property
    def thinking(self) -> str:
        """The reasoning text so far, `""` without any."""
        return self._answer.thinking

    @property
    def refusal(self) -> str | None:
        """The text in which the model declines, as far as it has arrived."""
        return self._answer.refusal

    @property
    def tools(self) -> list[BaseTool]:
        """The tool calls that are complete, in the order in which they were yielded."""
        return list(self._tools)

    # Known once the stream has ended, however it ended

    @property
    def id(self) -> str | None:
        """The response's id.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        return self._ended("id").id

    @property
    def usage(self) -> Any:
        """The provider's own usage object, or None where the provider gave none.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        answer = self._ended("usage")
        if self._usage is _UNREAD:
            sent = answer.usage
            self._usage = (
                None
                if sent is None
                else self._made("usage", lambda: self._call.provider.usage_object(sent))
            )
        return self._usage

    @property
    def common_usage(self) -> Usage | None:
        """The usage by the one rule for all providers, or None where none is known.

        It is not known where the provider gave none, or one in which no counter can be read.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        answer = self._ended("common_usage")
        usage = self._made("common_usage", lambda: self._usage_of(answer))
        return usage if usage is not None and usage.is_known else None

    @property
    def input_tokens(self) -> int | None:
        """Tokens of the prompt, cache reads and writes included.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        self._ended("input_tokens")
        usage = self.common_usage
        return None if usage is None else usage.input_tokens

    @property
    def cached_tokens(self) -> int | None:
        """Tokens of the prompt that a cache served.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        self._ended("cached_tokens")
        usage = self.common_usage
        return None if usage is None else usage.cache_read_tokens

    @property
    def output_tokens(self) -> int | None:
        """Tokens generated, reasoning included.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        self._ended("output_tokens")
        usage = self.common_usage
        return None if usage is None else usage.output_tokens

    @property
    def cost(self) -> float | None:
        """The cost in US dollars; None where usage or the model's price is not known.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
            UnknownPriceError: the price is not known and `prices.strict()` is on.
            UsageError: a price file of your own can't be used.
        """
        if self._dollars is _UNREAD:
            details = self._cost_as("cost")
            self._dollars = None if details is None else float(details)
        return self._dollars

    @property
    def cost_details(self) -> Cost | None:
        """The cost in exact decimals, line by line.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        return self._cost_as("cost_details")

    @property
    def message_param(self) -> Any:
        """The answer as a message of the next request, in the provider's form.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        answer = self._ended("message_param")
        return self._made("message_param", lambda: self._call.provider.message_param(answer))

    @property
    def finish_reasons(self) -> list[str] | None:
        """The finish reason of each choice, in the provider's words; None without any.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        return [r for r in self._ended("finish_reasons").finish_reasons if r] or None

    @property
    def finish_reason(self) -> FinishReason | None:
        """The unified finish reason, or None.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        answer = self._ended("finish_reason")
        reason = answer.finish_reason
        if reason is None:
            return None
        name = self._made("finish_reason", lambda: self._call.provider.finish_reason(reason))
        if name not in FINISH_REASONS:
            return "other"
        if name == "stop" and answer.tool_calls:
            # Many servers use one word for every answer that is whole: what is in it tells.
            return "tool_calls"
        return "refusal" if name == "stop" and answer.refusal else name

    @property
    def start_time(self) -> datetime:
        """When the request was sent (UTC).

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        self._ended("start_time")
        return datetime.fromtimestamp(self._start_time, UTC)

    @property
    def priced_at(self) -> datetime:
        """The time whose prices count (UTC): when the request was sent, or when it was recorded.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        self._ended("priced_at")
        return datetime.fromtimestamp(self._call.sent_at or self._start_time, UTC)

    @property
    def end_time(self) -> datetime:
        """When the stream ended (UTC).

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        self._ended("end_time")
        return datetime.fromtimestamp(self._end_time, UTC)

    def tool_message_params(self, results: Sequence[tuple[BaseTool, Any]]) -> list[Any]:
        """Return the messages that give tool results back to the model.

        Args:
            results: pairs of a tool that the stream yielded and its output (a string, or anything
                that JSON can express). The output of a call that could not be run is its error. A
                call without a name does not go back, and neither does its result.

        Raises:
            UsageError: the result of an asynchronous tool was not awaited.
        """
        given = check_results(results)
        named = [(tool, output) for tool, output in given if tool.tool_call.name]
        return list(self._call.provider.tool_message_params(named))

    def _made(self, what: str, make: Callable[[], T]) -> T:
        return made_of_answer(what, self._call.provider, make)

    def _cost_as(self, what: str) -> Cost | None:
        self._ended(what)
        if self._cost is _UNREAD:
            self._cost = self._made(what, self._priced)
        return self._cost

    def _usage_of(self, answer: Accumulator) -> Usage | None:
        """Return the usage, also one that can't be read: the provider may report the cost."""
        if self._common_usage is _UNREAD:
            provider = self._call.provider
            facts = {**self._call.facts, **answer.facts}
            self._common_usage = (
                None if answer.usage is None else provider.normalize(answer.usage, facts)
            )
        return self._common_usage

    def _priced(self) -> Cost | None:
        usage = self._usage_of(self._ended("cost"))
        if usage is None:
            return None
        provider = self._call.provider
        return price(
            provider.name,
            usage,
            bundled=lambda: provider.prices,
            model=self.model,
            requested_model=self._call.model,
            final=self._completed,
            # A replayed response cost what it did when it was recorded.
            at=self._call.sent_at or self._start_time or None,
            prices=self._call.prices,
        )
