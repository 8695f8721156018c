"""Events that repeat the last one but for their text, found without reading their JSON.

Nearly all events of a long answer are one JSON text with another piece of the answer in it. Once
one was read, the next is the same event if its bytes before and behind the text are the same, but
for a counter or padding that means nothing. So it says the same, of another text.

An event is never taken for a repetition by guess: what lies between the known bytes is checked to
be one JSON string, one whole number, and letters, digits or spaces. Then the whole is valid JSON,
which can be read in one way only, however the pieces were found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from pydantic_core import from_json

from .._interruptions import interruption
from .._provider._block import BlockKind
from .._provider._decoder import Decoder
from .._provider._deltas import Delta, TextDelta, ThinkingDelta

_KINDS: Final[dict[type[Delta], BlockKind]] = {TextDelta: "text", ThinkingDelta: "thinking"}
_LARGEST: Final = 16 * 1024
"""The bytes of the largest event that is learned from: a whole answer in one has no like."""
_PATIENCE: Final = 8
"""How many events in a row are learned from in vain before a stream is read without."""

_DIGITS: Final = b"0123456789"
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LONGEST_NUMBER: Final = 18

# The brackets that end an event: Anthropic pads in front of the last one.
_BRACKETS: Final = re.compile(rb'("[]} ]*?) *([]}])')


class Repeats:
    """Recognises repetitions of the last event of text, in one stream.

    Attributes:
        deltas: what the event meant whose repetitions are recognised: one delta.
        kind: the kind of block that its text belongs to.
        block: the key of that block.
        framed: what a server-sent event has before and behind its data, as most servers send it.
        told: what the decoder wants to be told of a repetition, or None.
    """

    __slots__ = (
        *("_after", "_after_chars", "_before", "_before_chars", "_before_size", "_end"),
        *("_end_size", "_ignored", "_misses", "_name", "_start", "_start_size", "_texts"),
        *("block", "deltas", "framed", "kind", "told"),
    )

    def __init__(self, decoder: Decoder) -> None:
        self._texts = [
            (b'"%b"' % name.encode(), re.compile(rb'"%b" *: *"((?:[^"\\]|\\.)*)"' % name.encode()))
            for name in decoder.text_fields
        ]
        self._ignored = [
            re.compile(rb'"%b" *: *(?:"([0-9A-Za-z]*)"|([0-9]+)(?=[ ,}]))' % name.encode())
            for name in decoder.ignored_fields
        ]
        self._misses = 0
        self._name: str | None = None
        # A read is its start, its text and its end.
        self._start = self._end = b""
        self._start_size = self._end_size = 0
        # Where the start ends in a value to pass over: the characters of such a value, and what
        # stands between it and the text; and so for the end.
        self._after: bytes | None = None
        self._before: bytes | None = None
        self._after_chars = self._before_chars = b""
        self._before_size = 0
        self.framed = (b"", b"")
        self.deltas: Sequence[Delta] = ()
        self.kind: BlockKind = "text"
        self.block: Hashable = None
        is_told = type(decoder).repeated is not Decoder.repeated
        self.told: Callable[[Any, str], None] | None = decoder.repeated if is_told else None

    @classmethod
    def of(cls, decoder: Decoder) -> Repeats | None:
        """Return what recognises repetitions, where the decoder's own class promises them.

        A class that only inherits the promise may decode otherwise, and has promised nothing.
        """
        return cls(decoder) if vars(type(decoder)).get("text_fields") else None

    def text_of(self, read: bytes) -> str | None:
        """Return the text of a read that is otherwise the known one; None for any other."""
        if not (read.startswith(self._start) and read.endswith(self._end)):
            return None
        text = read[self._start_size : -self._end_size]
        if self._after is not None:
            rest = text.lstrip(self._after_chars)
            if not rest.startswith(self._after):
                return None
            if self._after_chars is _DIGITS and not _is_number(text[: len(text) - len(rest)]):
                return None
            text = rest[len(self._after) :]
        if self._before is not None:
            rest = text.rstrip(self._before_chars)
            if not rest.endswith(self._before):
                return None
            if self._before_chars is _DIGITS and not _is_number(text[len(rest) :]):
                return None
            text = rest[: -self._before_size]
        try:
            said = text.decode()
            if 92 in text or 34 in text or not said.isprintable():
                said = from_json(b'"%b"' % text)
        except Exception as error:
            if interruption(error) is not None:
                raise
            return None
        if not said:
            return None
        self._misses = 0
        return said

    def text_of_event(self, name: str | None, data: bytes) -> str | None:
        """Return the same of an event that came with others in one read."""
        if name != self._name:
            return None
        before, behind = self.framed
        return self.text_of(before + data + behind)

    def learn(self, name: str | None, data: bytes, deltas: Sequence[Delta]) -> Repeats | None:
        """Take an event that made a chunk; return `self` where its repetitions are known now."""
        if len(deltas) != 1 or self._misses > _PATIENCE or len(data) > _LARGEST:
            return None
        # Data of several lines is framed otherwise.
        if 10 in data or 13 in data:
            return None
        delta = deltas[0]
        if type(delta) is not TextDelta and type(delta) is not ThinkingDelta:
            return None
        found = self._text_in(data, delta.text)
        if found is None:
            return None
        self._misses += 1
        self._name, self.deltas = name, deltas
        self.kind, self.block = _KINDS[type(delta)], delta.block
        field = b"" if name is None else b"event: %b\n" % name.encode()
        self.framed = field + b"data: ", b"\n\n"
        start, end = data[: found[0]], data[found[1] :]
        self._after = self._before = None
        if value := self._ignored_in(start):
            begin, stop, self._after_chars = value
            start, self._after = start[:begin], start[stop:]
        if value := self._ignored_in(end):
            begin, stop, self._before_chars = value
            self._before, end = end[:begin], end[stop:]
        elif brackets := _BRACKETS.fullmatch(end):
            self._before, end, self._before_chars = brackets[1], brackets[2], b" "
        self._before_size = len(self._before or b"")
        self._start, self._end = self.framed[0] + start, end + self.framed[1]
        self._start_size, self._end_size = len(self._start), len(self._end)
        return self

    def _text_in(self, data: bytes, text: str) -> tuple[int, int] | None:
        """Return where the event has the text, as long as there is only one such place."""
        places = [
            found.span(1)
            for name, value in self._texts
            if (found := value.search(data))
            and from_json(b'"%b"' % found[1]) == text
            # Of two fields of one name the last one counts.
            and data.count(name) == 1
        ]
        return places[0] if len(places) == 1 else None

    def _ignored_in(self, part: bytes) -> tuple[int, int, bytes] | None:
        """Return where there is a value that means nothing, and the characters of such values."""
        for value in self._ignored:
            if found := value.search(part):
                is_text = found[1] is not None
                chars = _LETTERS + _DIGITS if is_text else _DIGITS
                return *found.span(1 if is_text else 2), chars
        return None


def _is_number(digits: bytes) -> bool:
    """Whether digits are a whole number in JSON: nothing and `012` are not."""
    is_short = 0 < len(digits) <= _LONGEST_NUMBER
    return is_short and (digits[0] != 48 or len(digits) == 1)
