"""Events that are framed the quick way are those of the way that takes every line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from mirascope.core.wire import Event, SSEFramer

NAMES = st.sampled_from([b"", b"event: a\n", b"event: b\xff\n", b"event:c\n", b"event: d\r\n"])
DATA = st.sampled_from([b"data: 1", b"data:2", b"data: : 3", b"data: a\rb", b"data: 4\ndata: 5"])
OTHERS = st.sampled_from([b": ping", b"id: 1", b'{"error": 1}', b"data", b"event: alone", b""])
ENDS = st.sampled_from([b"\n\n", b"\r\n\r\n", b"\n\r\n", b"\r\r"])
READS = st.builds(lambda name, block, end: name + block + end, NAMES, DATA | OTHERS, ENDS)


def line_by_line(reads: list[bytes]) -> list[Event]:
    framer = SSEFramer()
    body = b"".join(reads)
    # No read ends where an event does, so that none is whole when it comes.
    events = [event for at in range(len(body)) for event in framer.feed(body[at : at + 1])]
    return [*events, *framer.end()]


@given(st.lists(READS, max_size=8))
def test_event_by_event_and_all_at_once(reads: list[bytes]) -> None:
    expected = line_by_line(reads)
    one_by_one, at_once = SSEFramer(), SSEFramer()
    assert [e for read in reads for e in one_by_one.feed(read)] + one_by_one.end() == expected
    assert at_once.feed(b"".join(reads)) + at_once.end() == expected
