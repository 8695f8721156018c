"""Where a value begins in a text that may have other words around it."""

from __future__ import annotations

import re
from typing import Final

_MARKS: Final = {"<think>": "</think>", "<thinking>": "</thinking>"}


class Beginning:
    """Finds the brackets that may begin the value.

    What models write before it is words as a rule, and at the very start of the text a block of
    thinking, whose braces never begin anything.

    Args:
        brackets: the characters that may begin the value: `{`, or `{[`.
    """

    __slots__ = ("_at_start", "_mark", "_search", "_until")

    def __init__(self, brackets: str) -> None:
        self._search = re.compile("[" + re.escape(brackets) + "]").search
        self._at_start = True
        self._mark = ""  # as much of a mark as has come, or of the one that ends the block
        self._until = ""  # what ends the block of thinking that is open

    def find(self, text: str, at: int) -> int:
        """Return where the next bracket is, or the length of the text."""
        if self._at_start:
            at = self._start(text, at)
        if self._until:
            at = self._skip(text, at)
        if at == len(text):
            return at
        found = self._search(text, at)
        return len(text) if found is None else found.start()

    def _start(self, text: str, at: int) -> int:
        """Skip white space and the mark of a block of thinking; return where to go on."""
        while at < len(text):
            mark = self._mark + text[at]
            if not self._mark and text[at].isspace():
                at += 1
                continue
            if not any(known.startswith(mark) for known in _MARKS):
                # The character that is not the mark's may begin the value.
                self._at_start, self._mark = False, ""
                return at
            at += 1
            self._mark = mark
            if mark in _MARKS:
                self._at_start, self._mark, self._until = False, "", _MARKS[mark]
                return at
        return at

    def _skip(self, text: str, at: int) -> int:
        until = self._until
        rest = self._mark + text[at:]
        end = rest.find(until)
        if end < 0:
            self._mark = rest[-(len(until) - 1) :]
            return len(text)
        at += end + len(until) - len(self._mark)
        self._mark = self._until = ""
        return at
