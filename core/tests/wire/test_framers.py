"""Framing: bytes in, events out, however the transport cut the bytes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope.core.wire import STRAY, Event, Framer, LineFramer, SSEFramer, WireError

LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
VALUES = st.one_of(
    st.binary(max_size=12).map(lambda b: b.translate(None, b"\r\n")),
    st.sampled_from([b'{"a": 1}', b" two  spaces", b"[DONE]", b"", "é→😀".encode()]),
)
SSE_LINES = st.one_of(
    st.builds(lambda colon, value: b"data" + colon + value, st.sampled_from([b":", b": "]), VALUES),
    st.builds(lambda value: b"event: " + value, VALUES),
    st.builds(lambda value: b":" + value, VALUES),
    st.sampled_from([b"data", b"event", b"id: 7", b"retry: 10", b"id", b": ping", b""]),
    st.just(b""),
)
SSE_BODIES = st.builds(
    lambda bom, lines, tail: bom + b"".join(line + end for line, end in lines) + tail,
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(st.tuples(SSE_LINES, LINE_ENDS), max_size=14),
    st.one_of(st.just(b""), SSE_LINES),
)


def whatwg(body: bytes) -> list[Event]:
    """The rules of the standard, word by word, on a whole body.

    The one addition is ours: an event that the end of the body leaves open counts.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events: list[Event] = []
    name, data = b"", b""
    for line in [*text.split(b"\n"), b""]:
        if not line:
            if data:
                events.append((name.decode("utf-8", "replace") or None, data.removesuffix(b"\n")))
            name, data = b"", b""
            continue
        field, colon, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if colon and not field:
            continue
        if field == b"event":
            name = value
        elif field == b"data":
            data += value + b"\n"
    return events


def pieces_of(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    marks = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(marks)]


def framed(framer: Framer, pieces: Iterable[bytes]) -> list[Event]:
    events: list[Event] = []
    for piece in pieces:
        events += framer.feed(piece)
    return [(name or None, data) for name, data in [*events, *framer.end()]]


@given(body=SSE_BODIES, cuts=st.lists(st.integers(0, 400), max_size=8))
def test_sse_follows_the_standard_at_any_cut(body: bytes, cuts: list[int]) -> None:
    assert framed(SSEFramer(), pieces_of(body, cuts)) == whatwg(body)


@given(body=SSE_BODIES)
def test_sse_byte_by_byte_is_sse_at_once(body: bytes) -> None:
    one_by_one = framed(SSEFramer(), [body[i : i + 1] for i in range(len(body))])
    assert one_by_one == framed(SSEFramer(), [body]) == whatwg(body)


@given(
    body=st.binary(max_size=80).map(lambda b: b.replace(b"a", b"data: ").replace(b"b", b"\n")),
    cuts=st.lists(st.integers(0, 400), max_size=6),
)
def test_sse_frames_any_bytes_the_same_at_any_cut(body: bytes, cuts: list[int]) -> None:
    whole = framed(SSEFramer(), [body])
    assert framed(SSEFramer(), pieces_of(body, cuts)) == whole
    assert [event for event in whole if event[0] != STRAY] == whatwg(body)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_sse_hands_text_outside_the_framing_on(end: bytes) -> None:
    body = end.join([b"<html>", b"<p>busy</p>", b"", b"data: 1", b'{"error": 1}', b"data: 2", b""])
    assert framed(SSEFramer(), pieces_of(body, range(len(body)))) == [
        (STRAY, b"<html>\n<p>busy</p>"),
        (STRAY, b'{"error": 1}'),
        (None, b"1\n2"),
    ]


def test_sse_hands_the_value_of_an_error_field_on() -> None:
    body = b'error: {"message": "no"}\n\n'
    for pieces in ([body], pieces_of(body, range(len(body)))):
        told = framed(SSEFramer(error_field="error"), pieces)
        assert told == [(STRAY, b'{"message": "no"}')]
        assert framed(SSEFramer(error_field="failure"), pieces) == [(STRAY, body.strip())]
        assert framed(SSEFramer(), pieces) == [(STRAY, body.strip())]


@pytest.mark.parametrize("head", [b"\xef", b"\xef\xbb", b"\xef\xbb\xbf", b"\xef\xbbx"])
def test_sse_keeps_a_body_that_only_begins_like_a_byte_order_mark(head: bytes) -> None:
    events = framed(SSEFramer(), [head[:1], head[1:]])
    assert events == ([] if head == b"\xef\xbb\xbf" else [(STRAY, head)])


def test_sse_removes_one_byte_order_mark_only() -> None:
    body = b"\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\n"
    assert framed(SSEFramer(), [body]) == [(None, b"1"), (STRAY, b"\xef\xbb\xbfdata: 2")]


@given(
    data=st.integers(0, 80).map(lambda size: b"x" * size),
    lines=st.integers(1, 4),
    cuts=st.lists(st.integers(0, 400), max_size=6),
    name=st.sampled_from([b"", b"event: e\n"]),
)
def test_sse_bounds_the_data_of_an_event_at_any_cut(
    data: bytes, lines: int, cuts: list[int], name: bytes
) -> None:
    limit = 64
    body = name + (b"data: " + data + b"\n") * lines + b"\n"
    pieces = pieces_of(body, cuts)
    if len(data) * lines > limit:
        with pytest.raises(WireError, match="larger than 64 bytes"):
            framed(SSEFramer(limit), pieces)
    elif len(body) <= limit:
        assert framed(SSEFramer(limit), pieces) == whatwg(body)


@pytest.mark.parametrize("framer", [SSEFramer(100), LineFramer(100)], ids=["sse", "lines"])
def test_a_body_without_line_ends_is_bounded(framer: Framer) -> None:
    for _ in range(100):
        assert framer.feed(b"x") == []
    with pytest.raises(WireError, match="one event is larger than 100 bytes"):
        framer.feed(b"x")


@pytest.mark.parametrize("framer_class", [SSEFramer, LineFramer])
def test_small_events_never_reach_the_bound_together(framer_class: type[Framer]) -> None:
    framer = framer_class(40)  # type: ignore[call-arg]
    for piece in [b"data: 12345\n\n"] * 50 + [b"d", b"ata: 12345\n", b"\n"] * 50:
        assert len(framer.feed(piece)) <= 1


@pytest.mark.parametrize("framer_class", [SSEFramer, LineFramer])
@pytest.mark.parametrize("line", [b"data: " + b"x" * 2**20, b": " + b"x" * 2**20])
def test_cost_is_linear_when_fed_byte_by_byte(framer_class: type[Framer], line: bytes) -> None:
    def seconds(size: int) -> float:
        framer, body = framer_class(), line[:size] + b"\n\n"
        start = time.process_time()
        for i in range(len(body)):
            framer.feed(body[i : i + 1])
        return time.process_time() - start

    small = min(seconds(2**15) for _ in range(3))
    # 8 times the bytes take 8 times as long, and 64 times as long were the cost quadratic.
    assert seconds(2**18) < 30 * small


@given(
    lines=st.lists(st.tuples(VALUES, st.sampled_from([b"\n", b"\r\n"])), max_size=10),
    tail=VALUES,
    cuts=st.lists(st.integers(0, 400), max_size=8),
)
def test_lines_at_any_cut(lines: list[tuple[bytes, bytes]], tail: bytes, cuts: list[int]) -> None:
    body = b"".join(line + end for line, end in lines) + tail
    expected = [(None, line) for line in [*(line for line, _ in lines), tail] if line]
    assert framed(LineFramer(), pieces_of(body, cuts)) == expected


@given(line=st.integers(0, 60).map(lambda size: b"x" * size), cut=st.integers(0, 70))
def test_lines_are_bounded_at_any_cut(line: bytes, cut: int) -> None:
    pieces = pieces_of(b"{}\n" + line + b"\n{}\n", [cut])
    if len(line) > 32:
        with pytest.raises(WireError, match="larger than 32 bytes"):
            framed(LineFramer(32), pieces)
    elif len(line) < 32:
        events = framed(LineFramer(32), pieces)
        assert events == [(None, data) for data in (b"{}", line, b"{}") if data]


@pytest.mark.parametrize("rest", [b"d", b"da", b"dat", b"e", b"even", b"i", b"retr"])
@pytest.mark.parametrize("before", [b"", b"data: {}\n\n", b"data: {}\n"])
def test_a_field_s_name_that_was_cut_is_nobody_s_text(before: bytes, rest: bytes) -> None:
    framer = SSEFramer()
    events = framer.feed(before + rest) + framer.end()
    assert events == ([(None, b"{}")] if before else [])
