"""A body that is one JSON array: elements out as they arrive, whatever the cuts."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope.core.wire import STRAY, Event, JSONArrayFramer, WireError

TEXT = st.text(st.sampled_from('ab\\"[]{},:é😀\n \t'), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
LAYOUTS = st.sampled_from(
    [
        {"indent": None, "separators": (",", ":")},
        {"indent": None, "separators": (", ", ": ")},
        {"indent": 2},
    ]
)


def events_of(*pieces: bytes, **options: int) -> list[Event]:
    framer = JSONArrayFramer(**options)
    return [event for piece in pieces for event in framer.feed(piece)] + framer.end()


def every_byte(body: bytes) -> list[bytes]:
    return [body[i : i + 1] for i in range(len(body))]


@given(
    st.lists(VALUES, max_size=6),
    LAYOUTS,
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([b"", b"\xef\xbb\xbf", b"\r\n "]),
    st.lists(st.integers(0, 400), max_size=6),
)
def test_the_elements_are_those_of_the_json_whatever_the_cuts(
    values: list[object],
    layout: dict[str, object],
    ascii_only: bool,
    line_end: str,
    lead: bytes,
    cuts: list[int],
) -> None:
    text = json.dumps(values, ensure_ascii=ascii_only, **layout).replace("\n", line_end)
    body = lead + text.encode() + b"\r\n"
    marks = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    pieces = [body[a:b] for a, b in pairwise(marks)]
    whole = events_of(body)

    assert [name for name, _ in whole] == [None] * len(values)
    assert [json.loads(data) for _, data in whole] == values
    assert events_of(*pieces) == whole
    assert events_of(*every_byte(body)) == whole


def test_an_object_is_handed_on_with_its_last_byte_and_not_with_the_next_comma() -> None:
    framer = JSONArrayFramer()
    assert framer.feed(b'[{"a": {"b": [1, "}"]}') == []
    assert framer.feed(b"}") == [(None, b'{"a": {"b": [1, "}"]}}')]
    assert framer.feed(b"\r\n,\r\n") == []
    assert framer.feed(b'{"c": 2}]') == [(None, b'{"c": 2}')]
    assert framer.end() == []


def test_a_backslash_at_the_end_of_a_piece_escapes_the_first_byte_of_the_next() -> None:
    assert events_of(b'[{"a": "\\', b'"]}"}', b', "\\\\', b'"]') == [
        (None, b'{"a": "\\"]}"}'),
        (None, b'"\\\\"'),
    ]


@pytest.mark.parametrize("cut", range(1, 30))
def test_an_element_that_the_end_cuts_is_handed_on_as_it_is(cut: int) -> None:
    first, second = b'{"a": 1}', b'{"b": "two", "c": 3}'
    body = b"[" + first + b", " + second + b"]"
    given = body[1:cut]
    rests = [given[: len(first)].rstrip(), given[len(first) + 2 :].rstrip()]
    assert events_of(body[:cut]) == [(None, rest) for rest in rests if rest]


def test_a_body_that_is_no_array_is_text_outside_the_framing() -> None:
    page = b"<html>\n<body>[not] {json}</body></html>"
    assert events_of(page) == [(STRAY, page)]
    assert events_of(*every_byte(page)) == [(STRAY, page)]
    assert events_of(b"  \r\n", b'{"error": ', b"{}}\n") == [(STRAY, b'{"error": {}}')]


def test_text_after_the_array_is_text_outside_the_framing() -> None:
    body = b'[{"a": 1}]\n{"error": 1}\n'
    expected = [(None, b'{"a": 1}'), (STRAY, b'{"error": 1}')]
    assert events_of(body) == expected
    assert events_of(*every_byte(body)) == expected


@pytest.mark.parametrize("body", [b"", b" \r\n", b"\xef\xbb\xbf", b"[]", b" [ \n ] \n"])
def test_nothing_is_no_event(body: bytes) -> None:
    assert events_of(body) == []
    assert events_of(*every_byte(body)) == []


def test_an_element_is_bounded_and_white_space_is_not() -> None:
    small = b'{"a": 12}'
    assert events_of(b"[", small, b",", b" " * 500, small, b"]", max_event_bytes=9) == [
        (None, small),
        (None, small),
    ]
    with pytest.raises(WireError, match="larger than 9 bytes"):
        events_of(b'[{"a": 123}]', max_event_bytes=9)
    with pytest.raises(WireError, match="larger than 9 bytes"):
        events_of(*every_byte(b'[{"a": 123}]'), max_event_bytes=9)
    with pytest.raises(WireError, match="larger than 9 bytes"):
        events_of(b"[] garbage after the end", max_event_bytes=9)


def test_the_time_grows_with_the_size_and_not_faster() -> None:
    def seconds(size: int) -> float:
        element = b'{"text": "' + b"x" * 50 + b"\\n" * size + b'", "deep": ' + b"[" * 9 + b"]" * 9
        body = b"[" + b",\n".join([element + b"}"] * 3) + b"]"
        framer = JSONArrayFramer()
        start = time.process_time()
        count = sum(len(framer.feed(body[i : i + 512])) for i in range(0, len(body), 512))
        assert count == 3
        return time.process_time() - start

    small = min(seconds(20_000) for _ in range(3))
    large = min(seconds(320_000) for _ in range(3))
    # 16 times the bytes: quadratic work would take 256 times as long.
    assert large < max(small, 0.001) * 80
