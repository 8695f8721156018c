"""A JSON string that arrives in pieces."""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = re.compile(r'[^"\\]*').match
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_ESCAPES["/"] = "/"
_HEX: Final = re.compile(r"[0-9a-fA-F]{4}").fullmatch
_ALONE: Final = "\ufffd"
"""Stands for half of a surrogate pair whose other half does not come."""


class OpenString:
    """The string that is open, decoded.

    An escape sequence that has begun and the first half of a surrogate pair are held back until it
    is known what they are.

    Attributes:
        length: how many characters have been decoded.
        closed: whether the closing quote has come.
    """

    __slots__ = ("_escape", "_high", "_parts", "closed", "length")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._escape = ""
        self._high = ""
        self.length = 0
        self.closed = False

    def begin(self) -> None:
        """Begin the next string."""
        self._parts.clear()
        self._escape = self._high = ""
        self.length = 0
        self.closed = False

    def so_far(self) -> str:
        """Return what has been decoded."""
        parts = self._parts
        if len(parts) > 1:
            parts[:] = ["".join(parts)]
        return parts[0] if parts else ""

    def take(self, text: str, at: int) -> int:
        """Read on; return where the string ends or the text does."""
        end = len(text)
        while at < end:
            if self._escape:
                at = self._escaped(text, at)
                continue
            found = _PLAIN(text, at)
            assert found is not None  # noqa: S101 - it matches the empty text as well
            stop = found.end()
            if stop > at:
                self._add(text[at:stop])
            if stop == end:
                return end
            at = stop + 1
            if text[stop] == '"':
                if self._high:
                    self._add("")
                self.closed = True
                return at
            self._escape = "\\"
        return at

    def _add(self, decoded: str) -> None:
        if self._high:
            self._high = ""
            decoded = _ALONE + decoded
        self._parts.append(decoded)
        self.length += len(decoded)

    def _escaped(self, text: str, at: int) -> int:
        """Take what follows of an escape sequence, whole or not."""
        escape = self._escape
        if len(escape) == 1 and text[at] != "u":
            self._escape = ""
            # What JSON does not allow stays as it is written; validation refuses it.
            self._add(_ESCAPES.get(text[at]) or "\\" + text[at])
            return at + 1
        more = text[at : at + 6 - len(escape)]
        self._escape = escape = escape + more
        if len(escape) == 6:
            self._escape = ""
            self._unit(escape)
        return at + len(more)

    def _unit(self, escape: str) -> None:
        r"""Take a whole `\uXXXX`: a character, or half of one."""
        if _HEX(escape[2:]) is None:
            self._add(escape)
            return
        code = int(escape[2:], 16)
        high, is_low = self._high, 0xDC00 <= code < 0xE000
        if high and is_low:
            self._high = ""
            code = 0x10000 + ((int(high, 16) - 0xD800) << 10) + (code - 0xDC00)
            self._add(chr(code))
        elif 0xD800 <= code < 0xDC00:
            if high:
                self._add("")
            self._high = escape[2:]
        else:
            self._add(_ALONE if is_low else chr(code))
