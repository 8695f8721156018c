"""Deadlines of a stream: pure arithmetic on times that the drivers hand in."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypedDict, cast

from ._errors import UsageError


class Timeouts(TypedDict, total=False):
    """How long a stream may take, in seconds; any subset may be given.

    Keep-alives, pings and comments do not count as progress; time that your own code spends
    between two chunks counts against `total` alone.
    """

    first_chunk: float
    """From sending the request to the first chunk."""
    idle: float
    """Waiting for a chunk after another one."""
    total: float
    """From sending the request to the end."""


TimeoutTypes: TypeAlias = Timeouts | float | None
"""What `timeout=` takes: a number is the total."""


def parse_timeouts(timeout: object) -> Timeouts:
    """Return the timeouts that `timeout=` means.

    Raises:
        UsageError: unknown keys, or values that are no positive number of seconds.
    """
    if timeout is None:
        return {}
    given: Mapping[str, object] = (
        cast("Mapping[str, object]", timeout)
        if isinstance(timeout, Mapping)
        else {"total": timeout}
    )
    for name, seconds in given.items():
        if name not in Timeouts.__annotations__:
            known = ", ".join(Timeouts.__annotations__)
            raise UsageError(f"timeout has no {name!r}; it takes seconds for: {known}")
        if (
            isinstance(seconds, bool)
            or not isinstance(seconds, (int, float))
            or not 0 < seconds <= threading.TIMEOUT_MAX
        ):
            raise UsageError(
                f"timeout {name!r} must be a positive number of seconds, not {seconds!r}"
            )
    return cast("Timeouts", dict(given))


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
        timeouts: the seconds.
        now: the moment at which the request is sent, on any monotonic clock.
    """

    __slots__ = ("_idle", "_pending", "_total")

    def __init__(self, timeouts: Timeouts, now: float) -> None:
        first, total = timeouts.get("first_chunk"), timeouts.get("total")
        self._idle = timeouts.get("idle")
        self._total = None if total is None else Deadline(now + total, "total", total)
        self._pending = None if first is None else Deadline(now + first, "first_chunk", first)

    def next(self, now: float) -> Deadline | None:
        """Return the deadline of a wait that begins, or goes on, at `now`."""
        if self._pending is None and self._idle is not None:
            self._pending = Deadline(now + self._idle, "idle", self._idle)
        waits = [deadline for deadline in (self._pending, self._total) if deadline is not None]
        return min(waits, key=lambda deadline: deadline.when, default=None)

    def progress(self) -> None:
        """A chunk arrived: the next wait gets its own idle deadline."""
        self._pending = None
