"""Deadlines of a stream: pure arithmetic on times that the drivers hand in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment and what it ends.

    Attributes:
        when: the moment, on the driver's clock.
        name: `"first_chunk"`, `"idle"` or `"total"`.
        seconds: the timeout that set it.
    """

    when: float
    name: str
    seconds: float


class Deadlines:
    """The deadlines of one stream.

    Args:
        now: the moment at which the request is sent, on any monotonic clock.
        first_chunk: seconds from sending the request to the first chunk.
        idle: seconds of waiting for a chunk after another one.
        total: seconds from sending the request to the end.
    """

    __slots__ = ("_idle", "_pending", "_total")

    def __init__(
        self,
        now: float,
        *,
        first_chunk: float | None = None,
        idle: float | None = None,
        total: float | None = None,
    ) -> None:
        self._idle = idle
        self._total = None if total is None else Deadline(now + total, "total", total)
        self._pending = (
            None if first_chunk is None else Deadline(now + first_chunk, "first_chunk", first_chunk)
        )

    def next(self, now: float) -> Deadline | None:
        """Return the deadline of a wait that begins, or goes on, at `now`."""
        if self._pending is None and self._idle is not None:
            self._pending = Deadline(now + self._idle, "idle", self._idle)
        waits = [deadline for deadline in (self._pending, self._total) if deadline is not None]
        return min(waits, key=lambda deadline: deadline.when, default=None)

    def progress(self) -> None:
        """A chunk arrived: the next wait gets its own idle deadline."""
        self._pending = None
