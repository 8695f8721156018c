"""The two framings of a Gemini stream."""

from __future__ import annotations

from typing import Final

from mirascope.core.wire import Event, Framer, JSONArrayFramer, SSEFramer

_BOM: Final = b"\xef\xbb\xbf"


class GenerateFramer:
    """Server-sent events, or the JSON array that the API sends without `alt=sse`.

    The first byte that is no white space says which.

    Attributes:
        successor: the framer that takes what follows, once it is known.
    """

    __slots__ = ("_lead", "successor")

    def __init__(self) -> None:
        self.successor: Framer | None = None
        self._lead: list[bytes] = []

    def feed(self, piece: bytes, /) -> list[Event]:
        """Take the next bytes and return the events that they complete."""
        framer = self.successor
        if framer is None:
            self._lead.append(piece)
            first = piece.lstrip(_BOM).lstrip()[:1]
            if not first:
                return []
            framer = self.successor = JSONArrayFramer() if first == b"[" else SSEFramer()
            piece = b"".join(self._lead)
            self._lead.clear()
        return framer.feed(piece)

    def end(self) -> list[Event]:
        """Return what the body's end leaves."""
        return [] if self.successor is None else self.successor.end()
