"""A text that is kept as the pieces that it came in."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A place in the text: a piece, and a character of it."""

    piece: int
    at: int


class Pieces:
    """Keeps a text without joining it, so that a part of it costs no more than it is long."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, text: str) -> None:
        """Take the next piece."""
        self._pieces.append(text)

    def here(self, at: int) -> Place:
        """Return the place of a character of the last piece."""
        return Place(len(self._pieces) - 1, at)

    def end(self) -> Place:
        """Return the place behind what has arrived, where the next piece will begin."""
        return Place(len(self._pieces), 0)

    def between(self, begin: Place | None, end: Place | None = None) -> str:
        """Return the text from one place to another; None is its beginning or its end."""
        begin = begin or Place(0, 0)
        if end is None:
            parts = self._pieces[begin.piece :]
        else:
            parts = self._pieces[begin.piece : end.piece + 1]
            if parts:
                parts[-1] = parts[-1][: end.at]
        if parts:
            parts[0] = parts[0][begin.at :]
        return "".join(parts)
