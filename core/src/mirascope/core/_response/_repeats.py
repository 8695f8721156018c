"""Events that repeat the last one but for their text, found without reading their JSON.

Nearly all events of a long answer are one JSON text with another piece of the answer in it. Once
one was read, the next is the same event if its bytes before and behind the text are the same, but
for a counter or padding that means nothing. So it says the same, of another text. Where each event
also counts the usage so far, as Gemini's do, that object alone is parsed.

An event is never taken for a repetition by guess: what lies between the known bytes is checked to
be one JSON string, one JSON object, one whole number, and letters, digits or spaces. Then the whole
is valid JSON, which can be read in one way only, however the pieces were found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from pydantic_core import from_json

from .._interruptions import interruption
from .._provider._accumulate import Accumulator
from .._provider._block import Block
from .._provider._decoder import Decoder
from .._provider._deltas import Delta, TextDelta, ThinkingDelta, ToolCallDelta, UsageDelta
from .._types import JSONObject

_LARGEST: Final = 16 * 1024
"""The bytes of the largest event that is learned from: a whole answer in one has no like."""
_PATIENCE: Final = 8
"""How many events in a row are learned from in vain before a stream is read without."""

_DIGITS: Final = b"0123456789"
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SPACES: Final = b" "
_OBJECT: Final = b"{}"
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
        usage: the usage in the event whose text was found last; None where such events have none.
        framed: what a server-sent event has before and behind its data, as most servers send it.
    """

    __slots__ = (
        *(
            "_counts",
            "_decoder",
            "_end",
            "_end_size",
            "_gaps_after",
            "_gaps_before",
            "_ignored",
            "_misses",
        ),
        *("_name", "_read_end", "_read_end_size", "_read_start", "_read_start_size", "_start"),
        *("_start_size", "_texts", "_usage"),
        *("block", "deltas", "framed", "told", "usage"),
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
        field = decoder.usage_field
        self._usage = re.compile(rb'"%b" *: *(?={)' % re.escape(field.encode())) if field else None
        self._misses = 0
        self._name: str | None = None
        # An event is its start, its text and its end, and there may be gaps in between; a read that
        # is one event has its framing around them.
        self._start = self._end = self._read_start = self._read_end = b""
        self._start_size = self._end_size = self._read_start_size = self._read_end_size = 0
        # What stands between the usage and the text, and whether the usage comes first.
        self._counts: tuple[bytes, bool] | None = None
        self._gaps_before: tuple[_Gap, ...] = ()
        self._gaps_after: tuple[_Gap, ...] = ()
        self.framed = (b"", b"")
        self.deltas: Sequence[Delta] = ()
        self.told: Callable[[str], object] | None = None
        self.usage: JSONObject | None = None

    @classmethod
    def of(cls, decoder: Decoder) -> Repeats | None:
        """Return what recognises repetitions, where the decoder's own class promises them.

        A class that only inherits the promise may decode otherwise, and has promised nothing.
        """
        return cls(decoder) if vars(type(decoder)).get("text_fields") else None

    def text_of(self, read: bytes) -> str | None:
        """Return the text of a read that is otherwise the known one; None for any other."""
        if read.startswith(self._read_start) and read.endswith(self._read_end):
            return self._text(read[self._read_start_size : -self._read_end_size])
        return None

    def text_of_event(self, name: str | None, data: bytes) -> str | None:
        """Return the same of an event that came with others in one read."""
        if name == self._name and data.startswith(self._start) and data.endswith(self._end):
            return self._text(data[self._start_size : -self._end_size])
        return None

    def _text(self, text: bytes) -> str | None:
        """Return the text among the gaps around it, where these are as they must be."""
        try:
            if self._counts is not None:
                text = self._without_usage(text, self._counts)
            for characters, literal, size in self._gaps_before:
                rest = text.lstrip(characters)
                if not rest.startswith(literal):
                    return None
                # A number of JSON's has a digit, and no other behind a nought.
                if characters is _DIGITS:
                    digits = len(text) - len(rest)
                    if not 0 < digits <= _LONGEST_NUMBER or (text[0] == 48 and digits != 1):
                        return None
                text = rest[size:]
            for characters, literal, size in self._gaps_after:
                rest = text.rstrip(characters)
                if not rest.endswith(literal):
                    return None
                if characters is _DIGITS:
                    at = len(rest)
                    digits = len(text) - at
                    if not 0 < digits <= _LONGEST_NUMBER or (text[at] == 48 and digits != 1):
                        return None
                text = rest[:-size]
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

    def _without_usage(self, text: bytes, gap: tuple[bytes, bool]) -> bytes:
        """Take the object of usage beside the text; without one there, nothing is the text."""
        between, is_before = gap
        if is_before:
            value, _, text = text.partition(between)
        else:
            text, _, value = text.rpartition(between)
        usage: Any = from_json(value)
        self.usage = usage
        return text if isinstance(usage, dict) and usage != {} else b""

    def learn(
        self,
        name: str | None,
        data: bytes,
        deltas: Sequence[Delta],
        answer: Accumulator,
        blank_line: bytes,
    ) -> Repeats | None:
        """Take an event that made a chunk; return `self` where its repetitions are known now.

        Args:
            name: the event's name.
            data: its data.
            deltas: what it meant.
            answer: what took them in.
            blank_line: what ends such an event.
        """
        if self._misses > _PATIENCE or len(data) > _LARGEST or not 1 <= len(deltas) <= 2:
            return None
        usage = deltas[1] if len(deltas) == 2 else None
        if usage is not None and not (type(usage) is UsageDelta and usage.whole):
            return None
        # Data of several lines is framed otherwise.
        if 10 in data or 13 in data:
            return None
        text = _text_of(deltas[0])
        if not text:
            return None
        self._misses += 1
        found = self._text_in(data, text)
        block = answer.block_of(deltas[0])
        if found is None or block is None:
            return None
        counts = None if usage is None else usage.usage
        before, after = data[: found[0]], data[found[1] :]
        start, *gaps_before = self._cut(before, counts)
        *gaps_after, end = self._cut(after, counts)
        self._counts = None
        if usage is not None:
            if bool(gaps_before) == bool(gaps_after):
                return None
            is_before = bool(gaps_before)
            self._counts = (gaps_before[1] if is_before else gaps_after[0]), is_before
            gaps_before, gaps_after = [], []
        self._name, self.deltas, self.block = name, deltas, block
        self.told = self._decoder.on_repeat(deltas[0])
        self.usage = None
        self._gaps_before = tuple((of, part, len(part)) for of, part in _pairs(gaps_before))
        self._gaps_after = tuple((of, part, len(part)) for of, part in _pairs(gaps_after[::-1]))
        field = b"" if name is None else b"event: %b\n" % name.encode()
        self.framed = field + b"data: ", blank_line
        self._start, self._end = start, end
        self._start_size, self._end_size = len(start), len(end)
        self._read_start, self._read_end = self.framed[0] + start, end + blank_line
        self._read_start_size, self._read_end_size = len(self._read_start), len(self._read_end)
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

    def _cut(self, part: bytes, usage: JSONObject | None) -> list[bytes]:
        """Cut a part at its gaps: a literal, the characters of a value, a literal, and so on."""
        gaps: list[tuple[int, int, bytes]] = []
        if usage is not None:
            # Nothing else may differ in an event that has it.
            if (span := self._usage_in(part, usage)) is not None:
                return [part[: span[0]], _OBJECT, part[span[1] :]]
            return [part]
        if self._ignored is not None:
            for value in self._ignored.finditer(part):
                begin, end = value.span(1 if value[1] is not None else 2)
                gaps.append((begin, end, _DIGITS if value[1] is None else _LETTERS + _DIGITS))
        if not gaps and (brackets := _BRACKETS.fullmatch(part)):
            gaps.append((*brackets.span(1), _SPACES))
        cut: list[bytes] = []
        at = 0
        for begin, end, characters in gaps:
            cut += part[at:begin], characters
            at = end
        return [*cut, part[at:]]

    def _usage_in(self, part: bytes, usage: JSONObject) -> tuple[int, int] | None:
        """Return where a part of an event has its usage, as long as there is only one place."""
        found = list(self._usage.finditer(part)) if self._usage is not None else []
        if len(found) != 1:
            return None
        begin = found[0].end()
        try:
            # Bytes as characters of the same number, so that places in one are those in the other.
            _, end = json.JSONDecoder().raw_decode(part.decode("latin-1"), begin)
        except ValueError:
            return None
        return (begin, end) if from_json(part[begin:end]) == usage else None


def _pairs(parts: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(parts[::2], parts[1::2], strict=True)


def _text_of(delta: Delta) -> str | None:
    """Return the text of a delta that adds to a block and does nothing else."""
    if isinstance(delta, (TextDelta, ThinkingDelta)):
        return delta.text
    if isinstance(delta, ToolCallDelta) and delta.id is None and delta.name is None:
        return delta.arguments
    return None
