"""A stream that stands on another one, whose properties it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from .._prices._cost import Cost
from .._prices._usage import Usage
from .._state import FinishReason, StreamState
from .._tools._base_tool import BaseTool
from ._picture import StreamPicture
from ._stream_base import StreamBase

StreamT = TypeVar("StreamT", bound=StreamBase[Any], covariant=True)


class OnStream(Generic[StreamT]):
    """What is known of a call whose stream is read through another one.

    Each property is as it is on `stream`: there, while it is read or once it has ended.

    Attributes:
        stream: the provider's own stream.
    """

    def __init__(self, stream: StreamT) -> None:
        self.stream = stream

    @property
    def state(self) -> StreamState:
        """How the stream stands; `completed` also where the answer is not a value of the model."""
        return self.stream.state

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self.stream.provider

    @property
    def model(self) -> str:
        """The model as the provider reports it; until it does, the model that was asked for."""
        return self.stream.model

    @property
    def messages(self) -> list[Any]:
        """The messages of the request, in the provider's form."""
        return self.stream.messages

    @property
    def user_message_param(self) -> Any:
        """The user's message in the provider's form."""
        return self.stream.user_message_param

    @property
    def call_params(self) -> Mapping[str, Any]:
        """The parameters of the provider's API that were given."""
        return self.stream.call_params

    @property
    def call_kwargs(self) -> dict[str, Any]:
        """The request as it is sent."""
        return self.stream.call_kwargs

    @property
    def fn_args(self) -> Mapping[str, Any]:
        """The arguments of the decorated function, by name."""
        return self.stream.fn_args

    @property
    def prompt_template(self) -> str | None:
        """The prompt template, or None."""
        return self.stream.prompt_template

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The `metadata` of the function's dynamic configuration."""
        return self.stream.metadata

    @property
    def tool_types(self) -> tuple[type[BaseTool], ...]:
        """The tools that the model may call; the answer's own comes last where it is one."""
        return self.stream.tool_types

    @property
    def content(self) -> str:
        """The text so far."""
        return self.stream.content

    @property
    def thinking(self) -> str:
        """The reasoning text so far."""
        return self.stream.thinking

    @property
    def refusal(self) -> str | None:
        """The text in which the model declines, as far as it has arrived."""
        return self.stream.refusal

    @property
    def tools(self) -> list[BaseTool]:
        """The tool calls that are complete, the answer's own among them where it is one."""
        return self.stream.tools

    @property
    def id(self) -> str | None:
        """The response's id."""
        return self.stream.id

    @property
    def usage(self) -> Any:
        """The provider's own usage object."""
        return self.stream.usage

    @property
    def common_usage(self) -> Usage | None:
        """The usage by the one rule for all providers."""
        return self.stream.common_usage

    @property
    def input_tokens(self) -> int | None:
        """Tokens of the prompt."""
        return self.stream.input_tokens

    @property
    def cached_tokens(self) -> int | None:
        """Tokens of the prompt that a cache served."""
        return self.stream.cached_tokens

    @property
    def output_tokens(self) -> int | None:
        """Tokens generated."""
        return self.stream.output_tokens

    @property
    def cost(self) -> float | None:
        """The cost in US dollars."""
        return self.stream.cost

    @property
    def cost_details(self) -> Cost | None:
        """The cost in exact decimals, line by line."""
        return self.stream.cost_details

    @property
    def message_param(self) -> Any:
        """The answer as a message of the next request."""
        return self.stream.message_param

    @property
    def finish_reason(self) -> FinishReason | None:
        """The unified finish reason."""
        return self.stream.finish_reason

    @property
    def finish_reasons(self) -> list[str] | None:
        """The finish reasons, in the provider's words."""
        return self.stream.finish_reasons

    @property
    def start_time(self) -> datetime:
        """When the request was sent (UTC)."""
        return self.stream.start_time

    @property
    def end_time(self) -> datetime:
        """When the stream ended (UTC)."""
        return self.stream.end_time

    def construct_call_response(self) -> Any:
        """Return the response that the call would have had without `stream=True`."""
        return self.stream.construct_call_response()

    def tool_message_params(self, results: Sequence[tuple[BaseTool, Any]]) -> list[Any]:
        """Return the messages that give tool results back to the model."""
        return self.stream.tool_message_params(results)

    def picture(self) -> StreamPicture:
        """Return what has arrived so far, as data that can be pickled and copied."""
        return self.stream.picture()
