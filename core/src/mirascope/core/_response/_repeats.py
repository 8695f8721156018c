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
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from pydantic_core import from_json

from .._interruptions import interruption
from .._provider._accumulate import Accumulator
from .._provider._block import Block
from .._provider._decoder import Decoder
from .._provider._deltas import Delta, TextDelta, ThinkingDelta, ToolCallDelta

_LARGEST: Final = 16 * 1024
"""The bytes of the largest event that is learned from: a whole answer in one has no like."""
_PATIENCE: Final = 8
"""How many events in a row are learned from in vain before a stream is read without."""

_DIGITS: Final = b"0123456789"
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SPACES: Final = b" "
_LONGEST_NUMBER: Final = 18

# The brackets that end an event: Anthropic pads in front of the last one.
_BRACKETS: Final = re.compile(rb'"[]} ]*?( *)[]}]')

_Gap: TypeAlias = tuple[bytes, bytes, int]
"""A value that is passed over: the characters that such values are made of, what stands between it
and the text or the next gap, and how long that is."""


class Repeats:
    """Recognises repetitions of the last event of text, reasoning or arguments, in one stream.

    Attributes:
        deltas: what the event meant whose repetitions are recognised: one delta.
        block: what its text is added to.
        told: what the decoder wants to be told of the texts, or None.
        framed: what a server-sent event has before and behind its data, as most servers send it.
    """

    __slots__ = (
        *("_decoder", "_end", "_end_size", "_gaps_after", "_gaps_before", "_ignored", "_misses"),
        *("_name", "_start", "_start_size", "_texts"),
        *("block", "deltas", "framed", "told"),
    )

    block: Block

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._texts = [
            (b'"%b"' % name.encode(), re.compile(rb'"%b" *: *"((?:[^"\\]|\\.)*)"' % name.encode()))
            for name in decoder.text_fields
        ]
        names = b"|".join(re.escape(name.encode()) for name in decoder.ignored_fields)
        value = rb'"(?:%b)" *: *(?:"([0-9A-Za-z]*)"|([0-9]+)(?=[ ,}]))' % names
        self._ignored = re.compile(value) if names else None
        self._misses = 0
        self._name: str | None = None
        # An event is its start, its text and its end, and there may be gaps in between.
        self._start = self._end = b""
        self._start_size = self._end_size = 0
        self._gaps_before: tuple[_Gap, ...] = ()
        self._gaps_after: tuple[_Gap, ...] = ()
        self.framed = (b"", b"")
        self.deltas: Sequence[Delta] = ()
        self.told: Callable[[str], object] | None = None

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
        for characters, literal, size in self._gaps_before:
            rest = text.lstrip(characters)
            if not rest.startswith(literal):
                return None
            if characters is _DIGITS and not _is_number(text[: len(text) - len(rest)]):
                return None
            text = rest[size:]
        for characters, literal, size in self._gaps_after:
            rest = text.rstrip(characters)
            if not rest.endswith(literal):
                return None
            if characters is _DIGITS and not _is_number(text[len(rest) :]):
                return None
            text = rest[:-size]
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

    def learn(
        self, name: str | None, data: bytes, deltas: Sequence[Delta], answer: Accumulator
    ) -> Repeats | None:
        """Take an event that made a chunk; return `self` where its repetitions are known now."""
        if len(deltas) != 1 or self._misses > _PATIENCE or len(data) > _LARGEST:
            return None
        # Data of several lines is framed otherwise.
        if 10 in data or 13 in data:
            return None
        delta = deltas[0]
        text = _text_of(delta)
        found = self._text_in(data, text) if text else None
        block = answer.block_of(delta)
        if found is None or block is None:
            return None
        self._misses += 1
        self._name, self.deltas, self.block = name, deltas, block
        self.told = self._decoder.on_repeat(delta)
        field = b"" if name is None else b"event: %b\n" % name.encode()
        self.framed = field + b"data: ", b"\n\n"
        start, *parts = self._cut(data[: found[0]])
        self._gaps_before = tuple(
            (characters, literal, len(literal)) for characters, literal in _pairs(parts)
        )
        *parts, end = self._cut(data[found[1] :])
        self._gaps_after = tuple(
            (characters, literal, len(literal)) for characters, literal in _pairs(parts[::-1])
        )
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

    def _cut(self, part: bytes) -> list[bytes]:
        """Cut a part at its gaps: a literal, the characters of a value, a literal, and so on."""
        cut: list[bytes] = []
        at = 0
        if self._ignored is not None:
            for value in self._ignored.finditer(part):
                begin, end = value.span(1 if value[1] is not None else 2)
                cut += part[at:begin], _DIGITS if value[1] is None else _LETTERS + _DIGITS
                at = end
        if not cut and (brackets := _BRACKETS.fullmatch(part)):
            begin, at = brackets.span(1)
            cut += part[:begin], _SPACES
        return [*cut, part[at:]]


def _pairs(parts: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(parts[::2], parts[1::2], strict=True)


def _text_of(delta: Delta) -> str | None:
    """Return the text of a delta that adds to a block and does nothing else."""
    if isinstance(delta, (TextDelta, ThinkingDelta)):
        return delta.text
    if isinstance(delta, ToolCallDelta) and delta.id is None and delta.name is None:
        return delta.arguments
    return None


def _is_number(digits: bytes) -> bool:
    """Whether digits are a whole number in JSON: nothing and `012` are not."""
    is_short = 0 < len(digits) <= _LONGEST_NUMBER
    return is_short and (digits[0] != 48 or len(digits) == 1)
