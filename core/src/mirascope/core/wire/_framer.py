"""What every framing has in common."""

from __future__ import annotations

from typing import Final, Protocol, TypeAlias

MAX_EVENT_BYTES: Final = 64 * 1024 * 1024
"""The default bound on one event: generated images arrive as base64 text inside one."""

STRAY: Final = "\0stray"
"""The name of an event made of text outside the framing.

Servers put error objects, HTML pages or a whole JSON answer where an event stream should be;
the text is handed on under this name instead of being dropped.
"""

Event: TypeAlias = tuple[str | None, bytes]
"""The name of an event (None where the wire gave none) and its data."""


class WireError(ValueError):
    """The bytes can't be framed, such as one event that is larger than the bound."""


class Framer(Protocol):
    """Cuts a response body into events, however the transport cut it into pieces.

    A framer that only finds out which framing a body has may have an attribute `successor`: None,
    and from some piece on the framer that takes all the others, and the end.
    """

    def feed(self, piece: bytes, /) -> list[Event]:
        """Take the next bytes and return the events that they complete.

        Raises:
            WireError: an event grew larger than the framer's bound.
        """
        ...

    def end(self) -> list[Event]:
        """Return what the body's end leaves: an event that was never closed, or nothing."""
        ...


class PendingBytes:
    """Bytes of an event that is not complete yet, counted against a bound.

    Attributes:
        limit: the bound.
    """

    __slots__ = ("_parts", "_size", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, part: bytes) -> None:
        """Keep `part`; joining waits until the whole is wanted, so the cost stays linear."""
        self.count(part)
        self._parts.append(part)

    def count(self, part: bytes) -> None:
        """Count `part` against the bound without keeping it."""
        self._size += len(part)
        if self._size > self.limit:
            raise WireError(f"one event is larger than {self.limit:,} bytes")

    def take(self) -> bytes:
        """Return what was kept and forget it."""
        whole = b"".join(self._parts)
        self._parts.clear()
        self._size -= len(whole)
        return whole

    def reset(self) -> None:
        """Begin counting for the next event."""
        self._size = 0
