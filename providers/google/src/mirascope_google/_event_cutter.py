"""Whole events of a body, while it is read as bytes."""

from __future__ import annotations

from typing import Final

_BLANK_LINES: Final = (b"\n\n", b"\n\r\n", b"\r\r")
_ENDS: Final = (b"\r\n\r\n", b"\n\n")
_BOM: Final = b"\xef\xbb\xbf"
_MAX_HELD: Final = 64 * 1024 * 1024


class EventCutter:
    """Hands server-sent events on as the bytes that they came in, each one whole.

    Who must know of an event before its reader does can look at what is handed on: neither an
    event nor a word in it is ever cut. It is not a framer, and changes nothing: all that it hands
    on, joined, is the body.

    A body that begins as a JSON array passes as it comes, because it has no blank lines to cut at.
    So does an event of more than `max_held` bytes, which is for the framer to refuse.

    Args:
        max_held: how many bytes of an event that is not whole are kept, and 64 MiB at most.
    """

    __slots__ = ("_begun", "_held", "_max_held", "_passes", "_size", "_tail")

    def __init__(self, max_held: int = _MAX_HELD) -> None:
        self._max_held = min(max_held, _MAX_HELD)
        self._held: list[bytes] = []
        self._size = 0
        # The last bytes of what is held: a blank line may begin there.
        self._tail = b""
        self._begun = False
        self._passes = False

    def feed(self, piece: bytes, /) -> bytes:
        """Take the next bytes and return the events that are whole now, or nothing."""
        if self._begun and not self._held and piece.endswith(_ENDS):
            # One event in one read, as most servers send them.
            return piece
        if self._passes:
            return piece
        if not self._begun:
            first = piece.lstrip(_BOM).lstrip()[:1]
            self._begun = bool(first)
            self._passes = first == b"["
            if self._passes:
                return self.end() + piece
        seen = self._tail + piece
        ends = [at + len(blank) for blank in _BLANK_LINES if (at := seen.rfind(blank)) >= 0]
        whole = b""
        if ends:
            cut = max(ends) - len(self._tail)
            whole = self.end() + piece[:cut]
            piece = piece[cut:]
        return whole + self._hold(piece)

    def end(self) -> bytes:
        """Return what no blank line has closed."""
        held = b"".join(self._held)
        self._held.clear()
        self._size = 0
        self._tail = b""
        return held

    def _hold(self, piece: bytes) -> bytes:
        """Keep what is not whole yet; return it instead where it has grown too large."""
        if not piece:
            return b""
        self._held.append(piece)
        self._size += len(piece)
        self._tail = (self._tail + piece)[-2:]
        self._passes = self._size > self._max_held
        return self.end() if self._passes else b""
