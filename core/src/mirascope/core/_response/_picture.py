"""What has arrived of an answer, as data that may leave the process."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from .._prices._cost import Cost
from .._prices._usage import Usage
from .._provider._accumulate import Accumulator
from .._state import FinishReason, StreamState
from .._tools._base_tool import ToolCall

if TYPE_CHECKING:
    from .._request._prepared import PreparedCall
    from ._call_result import CallResult


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPicture:
    """What had arrived of an answer at one moment; nothing that happens later changes it.

    Its fields have the names of the properties of streams and of responses, so that
    `error.stream.content` means the same in the process that read the stream and in the one that
    was sent the error. It holds no connection, no credentials, no prompt and none of the call's
    parameters.

    Attributes:
        provider: the provider's name.
        model: the model as the provider reports it, or the one that was asked for.
        state: how the answer stood.
        content: the text.
        thinking: the reasoning text.
        refusal: the text in which the model declines, or None.
        tool_calls: the tool calls that were complete, as the model made them.
        id: the response's id, or None.
        finish_reason: the unified finish reason, or None.
        finish_reasons: the finish reasons in the provider's words, or None.
        usage: the provider's own usage object, or its JSON where that can't be pickled, or None.
        common_usage: the usage by the one rule for all providers, or None.
        cost_details: what it cost, or None where that is not known.
        message_param: the answer as a message of the next request, or None where it makes none.
        event_count: how many events with data had arrived; 0 without a stream.
    """

    provider: str
    model: str
    state: StreamState
    content: str = ""
    thinking: str = ""
    refusal: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    id: str | None = None
    finish_reason: FinishReason | None = None
    finish_reasons: list[str] | None = None
    usage: Any = None
    common_usage: Usage | None = None
    cost_details: Cost | None = None
    message_param: Any = None
    event_count: int = 0

    @property
    def cost(self) -> float | None:
        """The cost in US dollars, or None where it is not known."""
        return None if self.cost_details is None else float(self.cost_details)

    @classmethod
    def of(cls, result: CallResult) -> Self:
        """Return the picture of a stream or of a response. Never raises."""
        answer = result.answer
        usage = _known(lambda: result.usage)
        return cls(
            provider=result.provider,
            model=result.model,
            state=result.state,
            content=answer.text,
            thinking=answer.thinking,
            refusal=answer.refusal,
            tool_calls=tuple(tool.tool_call for tool in result.tools),
            id=answer.id,
            finish_reason=_known(lambda: result.finish_reason),
            finish_reasons=_known(lambda: result.finish_reasons),
            usage=usage if usage is not None else _known(lambda: answer.usage),
            common_usage=_known(lambda: result.common_usage),
            cost_details=_known(lambda: result.cost_details),
            message_param=_known(lambda: result.message_param),
            event_count=getattr(result, "event_count", 0),
        )

    @classmethod
    def of_call(cls, call: PreparedCall, answer: Accumulator | None = None) -> Self:
        """Return the picture of a call that was not streamed and failed."""
        answer = answer or Accumulator()
        return cls(
            provider=call.provider.name,
            model=answer.model or call.model,
            state=StreamState.FAILED,
            content=answer.text,
            thinking=answer.thinking,
            refusal=answer.refusal,
            id=answer.id,
        )

    def picture(self) -> Self:
        """Return this picture: it is one already."""
        return self


def _known(read: Callable[[], Any]) -> Any:
    """Return what a property gives where it gives something that can be pickled; else None.

    A stream that has not ended knows no usage, and an odd answer may make no message.
    """
    with contextlib.suppress(Exception):
        value = read()
        pickle.dumps(value)
        return value
    return None
