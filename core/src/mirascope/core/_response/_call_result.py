"""What is known of a call and of its answer, streamed or not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .._prices._cost import Cost
from .._prices._overrides import price
from .._prices._usage import Usage
from .._provider._accumulate import Accumulator
from .._provider._messages import MessageParam
from .._request._prepared import PreparedCall
from .._tools._base_tool import BaseTool


class CallResult:
    """The properties that streams and call responses share.

    What is documented with `StreamNotExhaustedError` raises it on a stream that has not ended, and
    never on a call response.
    """

    _call: PreparedCall
    _answer: Accumulator
    _tools: list[BaseTool]
    _start_time: float
    _end_time: float
    _cost: Cost | None
    _cost_known: bool

    @abstractmethod
    def _ended(self, what: str) -> Accumulator:
        """Return the answer if nothing more will come; else raise, naming `what`."""

    @property
    @abstractmethod
    def _completed(self) -> bool:
        """Whether the answer is whole."""

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
        """What the function's dynamic configuration says of the call."""
        return self._call.metadata

    # Live while a stream is read

    @property
    def answer(self) -> Accumulator:
        """All that the response has said so far, in the terms that providers share.

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
        """The reasoning text so far, `""` when there is none."""
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
        usage = self._ended("usage").usage
        return None if usage is None else self._call.provider.usage_object(usage)

    @property
    def common_usage(self) -> Usage | None:
        """The usage by the one rule for all providers, or None where the provider gave none.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        answer = self._ended("common_usage")
        if answer.usage is None:
            return None
        provider = self._call.provider
        facts = {**provider.request_facts(self._call.connection), **answer.facts}
        return provider.normalize(answer.usage, facts)

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
        self._ended("cost")
        details = self._priced()
        return None if details is None else float(details)

    @property
    def cost_details(self) -> Cost | None:
        """The cost in exact decimals, line by line.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        self._ended("cost_details")
        return self._priced()

    @property
    def message_param(self) -> Any:
        """The answer as a message of the next request, in the provider's form.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        return self._call.provider.message_param(self._ended("message_param"))

    @property
    def finish_reasons(self) -> list[str] | None:
        """The finish reason of each choice, in the provider's words; None without any.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        return [r for r in self._ended("finish_reasons").finish_reasons if r] or None

    @property
    def finish_reason(self) -> str | None:
        """The unified finish reason (see `FINISH_REASONS`), or None.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        reason = self._ended("finish_reason").finish_reason
        return None if reason is None else self._call.provider.finish_reason(reason)

    @property
    def start_time(self) -> datetime:
        """When the request was sent (UTC).

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        self._ended("start_time")
        return datetime.fromtimestamp(self._start_time, UTC)

    @property
    def end_time(self) -> datetime:
        """When the stream ended (UTC).

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        self._ended("end_time")
        return datetime.fromtimestamp(self._end_time, UTC)

    def tool_message_params(self, results: Sequence[tuple[BaseTool, Any]]) -> list[MessageParam]:
        """Return the messages that give tool results back to the model.

        Args:
            results: pairs of a tool that the stream yielded and its output (a string, or anything
                that JSON can express). The output of a call that could not be run is its error.
        """
        return list(self._call.provider.tool_message_params(results))

    def _priced(self) -> Cost | None:
        usage = self.common_usage
        if not self._cost_known:
            self._cost_known = True
            if usage is not None:
                self._cost = price(
                    self._call.provider.name,
                    usage,
                    bundled=lambda: self._call.provider.prices,
                    model=self.model,
                    requested_model=self._call.model,
                    final=self._completed,
                    at=self._start_time or None,
                    prices=self._call.prices,
                )
        return self._cost
