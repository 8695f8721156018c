"""One event a line: NDJSON and other line-based formats."""

from __future__ import annotations

from ._framer import MAX_EVENT_BYTES, Event, PendingBytes


class LineFramer:
    r"""Cut a body at LF or CR LF; blank lines are left out, the last line needs no end.

    Args:
        max_event_bytes: the longest line that is accepted.
    """

    __slots__ = ("_pending",)

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._pending = PendingBytes(max_event_bytes)

    def feed(self, piece: bytes, /) -> list[Event]:
        """Take the next bytes and return the lines that they complete."""
        *lines, rest = piece.split(b"\n")
        if lines:
            lines[0] = self._pending.take() + lines[0]
            for line in lines:
                self._pending.reset()
                self._pending.count(line)
            self._pending.reset()
        if rest:
            self._pending.add(rest)
        return [(None, line) for raw in lines if (line := raw.removesuffix(b"\r"))]

    def end(self) -> list[Event]:
        """Return the last line where no line end closed it."""
        line = self._pending.take().removesuffix(b"\r")
        return [(None, line)] if line else []
