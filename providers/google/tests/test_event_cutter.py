"""Whole events of a body, however it is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope.core.wire import SSEFramer
from mirascope_google._event_cutter import EventCutter

LINES = st.lists(
    st.sampled_from([b"data: {}", b"data: x", b": ping", b"event: y", b"", b"{", b"\xef\xbb\xbf"]),
    max_size=12,
)
BODIES = st.builds(
    lambda lines, end: end.join([*lines, b""]), LINES, st.sampled_from([b"\n", b"\r\n", b"\r"])
)


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return [body[a:b] for a, b in pairwise(ends)]


@given(BODIES, st.lists(st.integers(0, 200)))
def test_nothing_is_lost_and_no_event_is_cut(body: bytes, cuts: list[int]) -> None:
    cutter = EventCutter()
    handed = [whole for piece in pieces(body, cuts) if (whole := cutter.feed(piece))]
    rest = cutter.end()
    assert b"".join([*handed, rest]) == body
    for whole in handed:
        # The next event's first line can't be a part of what was handed on.
        assert whole.endswith((b"\n\n", b"\r\r", b"\n\r\n", b"\n\r"))
    framer = SSEFramer()
    told = [event for whole in handed for event in framer.feed(whole)]
    alone = SSEFramer()
    assert told == alone.feed(b"".join(handed))


@given(st.lists(st.integers(0, 200)))
def test_each_event_is_handed_on_with_its_last_byte(cuts: list[int]) -> None:
    events = [b"data: %d\r\n\r\n" % number for number in range(9)]
    cutter, handed = EventCutter(), b""
    body = b"".join(events)
    for piece in pieces(body, cuts):
        handed += cutter.feed(piece)
        read = len(handed) + sum(map(len, cutter._held))  # pyright: ignore[reportPrivateUsage]
        whole = [end for n in range(10) if (end := len(b"".join(events[:n]))) <= read]
        assert len(handed) == whole[-1]


def test_a_read_of_one_event_is_not_copied() -> None:
    cutter = EventCutter()
    cutter.feed(b"data: 1\r\n\r\n")
    piece = b"data: 2\r\n\r\n"
    assert cutter.feed(piece) is piece


@pytest.mark.parametrize("lead", [b"", b" \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n "])
def test_an_array_passes_as_it_comes(lead: bytes) -> None:
    cutter = EventCutter()
    body = lead + b'[{"a": 1},\n{"a": 2}]'
    handed = [cutter.feed(body[at : at + 1]) for at in range(len(body))]
    assert b"".join(handed) == body
    assert handed[-1] == b"]"


def test_an_event_that_is_too_large_is_for_the_framer_to_refuse() -> None:
    cutter = EventCutter(max_held=20)
    handed = [cutter.feed(b"data: 123") for _ in range(4)]
    assert handed == [b"", b"", b"data: 123" * 3, b"data: 123"]
    assert cutter.end() == b""
