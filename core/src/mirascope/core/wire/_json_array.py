"""One event an element of a JSON array that is the whole body."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

from ._framer import MAX_EVENT_BYTES, STRAY, Event, PendingBytes

_BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = b" \t\r\n"
_STRUCTURAL: Final = re.compile(rb'["\[\]{},]')
# Possessive, so that a text of megabytes is crossed in one step and nothing is kept to go back to.
_INSIDE_STRING: Final = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)


class _Place(Enum):
    BEFORE = auto()
    INSIDE = auto()
    OUTSIDE = auto()


class JSONArrayFramer:
    """Cut a body that is one JSON array into its elements, while it arrives.

    An object or array is handed on with its closing bracket, not with the comma that the server
    may send only before the next one. Text outside the array, or a body that is not an array, is
    handed on as one `STRAY` event at the end. Elements are found by their brackets and strings
    alone: what is between them is for the reader of the event to judge.

    Args:
        max_event_bytes: the largest element that is accepted.
    """

    __slots__ = ("_depth", "_escaped", "_in_string", "_pending", "_place")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._pending = PendingBytes(max_event_bytes)
        self._place = _Place.BEFORE
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def feed(self, piece: bytes, /) -> list[Event]:
        """Take the next bytes and return the elements that they complete.

        Raises:
            WireError: an element, or the text outside the array, is larger than the bound.
        """
        events: list[Event] = []
        position = 0
        if self._place is _Place.BEFORE:
            piece = self._pending.take() + piece
            position = self._begin(piece)
        if self._place is _Place.INSIDE:
            position = self._elements(piece, position, events)
        self._keep(piece[position:])
        return events

    def end(self) -> list[Event]:
        """Return the element that the body's end cut, or the text outside the array."""
        rest = self._pending.take().strip(_SPACE)
        if not rest:
            return []
        return [(None if self._place is _Place.INSIDE else STRAY, rest)]

    def _begin(self, piece: bytes) -> int:
        """Find the array's beginning and return the position after it."""
        text = piece.removeprefix(_BOM).lstrip(_SPACE)
        if not text:
            return len(piece)
        if len(piece) < len(_BOM) and _BOM.startswith(piece):
            return 0
        start = len(piece) - len(text)
        if piece[start] != 0x5B:
            self._place = _Place.OUTSIDE
            return start
        self._place = _Place.INSIDE
        self._depth = 1
        return start + 1

    def _elements(self, piece: bytes, position: int, events: list[Event]) -> int:
        """Take the elements out of a piece and return the position after the last of them."""
        start = position
        while True:
            if self._in_string:
                position = self._cross_string(piece, position)
                if self._in_string:
                    return start
            found = _STRUCTURAL.search(piece, position)
            if found is None:
                return start
            position = found.end()
            match found[0]:
                case b'"':
                    self._in_string = True
                case b"[" | b"{":
                    self._depth += 1
                case b",":
                    if self._depth == 1:
                        self._take(piece[start : found.start()], events)
                        start = position
                case _:
                    self._depth -= 1
                    if self._depth == 1:
                        self._take(piece[start:position], events)
                        start = position
                    elif self._depth == 0:
                        self._take(piece[start : found.start()], events)
                        self._place = _Place.OUTSIDE
                        return position

    def _cross_string(self, piece: bytes, position: int) -> int:
        """Go on to the end of a string, or to the end of the piece."""
        if self._escaped and position < len(piece):
            self._escaped = False
            position += 1
        found = _INSIDE_STRING.match(piece, position)
        position = found.end() if found is not None else position
        if position == len(piece):
            return position
        if piece[position] == 0x22:
            self._in_string = False
        else:
            # A backslash that ends the piece: what it escapes is in the next one.
            self._escaped = True
        return position + 1

    def _take(self, part: bytes, events: list[Event]) -> None:
        self._keep(part)
        if element := self._pending.take().rstrip(_SPACE):
            events.append((None, element))
        self._pending.reset()

    def _keep(self, part: bytes) -> None:
        """Keep a part of what is not complete, but no white space before it."""
        if not self._pending:
            part = part.lstrip(_SPACE)
        if part:
            self._pending.add(part)
