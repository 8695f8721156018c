"""How a stream can stand and end."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal, TypeAlias, get_args


class StreamState(StrEnum):
    """The state of a stream. Every ending but `COMPLETED` leaves what had arrived readable."""

    CREATED = "created"
    """Nothing has been sent."""
    STREAMING = "streaming"
    """The request was sent and the end has not been reached."""
    COMPLETED = "completed"
    """The protocol's own end was seen."""
    TRUNCATED = "truncated"
    """The body ended cleanly without the protocol's end: `StreamTruncatedError`."""
    STOPPED = "stopped"
    """The consumer left: `break`, `close()`, the end of a `with`."""
    CANCELLED = "cancelled"
    """`cancel()`, or the task that iterated was cancelled."""
    TIMED_OUT = "timed_out"
    """A deadline passed: `StreamTimeoutError`."""
    FAILED = "failed"
    """The provider's error event, a dropped connection, bad data, or an HTTP error."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will arrive."""
        return self is not StreamState.CREATED and self is not StreamState.STREAMING


FinishReason: TypeAlias = Literal[
    "stop", "length", "tool_calls", "content_filter", "refusal", "error", "other"
]
"""Why the model stopped, by the names for all providers (`BaseStream.finish_reason`)."""

FINISH_REASONS: Final[frozenset[FinishReason]] = frozenset(get_args(FinishReason))
"""The members of `FinishReason`."""
