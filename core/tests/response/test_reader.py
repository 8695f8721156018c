"""The state machine: pieces of a body in, chunks and tools out; it knows no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from mirascope.core import (
    BaseCallResponseChunk,
    Decoder,
    Delta,
    EndDelta,
    ErrorDelta,
    FinishDelta,
    JSONObject,
    StreamDecodeError,
    StreamError,
    StreamProviderError,
    StreamTruncatedError,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
)
from mirascope.core._response._reader import ResponseReader
from mirascope.core._tools._toolset import Toolset
from mirascope.core.wire import Framer, LineFramer, SSEFramer


class Words(Decoder):
    """A protocol that is nobody's: `{"say": …}`, `{"call": …}`, `{"stop": …}`, `{"bye": true}`."""

    done_sentinel: ClassVar[bytes | None] = b"OVER"
    finish_reason_ends: ClassVar[bool] = True

    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
        if event == "ping":
            return None
        deltas: list[Delta] = []
        if "say" in data:
            deltas.append(TextDelta(data["say"]))
        if "call" in data:
            deltas.append(ToolCallDelta(data["call"], data["call"], "now", "{}"))
        if "called" in data:
            deltas += [ToolCallEnd(name) for name in data["called"]]
        if "stop" in data:
            deltas.append(FinishDelta(data["stop"]))
        if "bye" in data:
            deltas.append(EndDelta())
        if "bad" in data:
            deltas.append(ErrorDelta(data["bad"], type="t", code="c", status=503))
        if "boom" in data:
            raise KeyError("boom")
        return deltas

    def decode_stray(self, data: JSONObject) -> Sequence[Delta] | None:
        if "boom" in data:
            raise KeyError("boom")
        return [ErrorDelta(data["bad"])] if "bad" in data else None

    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        return self.decode(data) or ()


def now() -> str:
    """Tell the time."""
    return "noon"


def machine(framer: Framer | None = None) -> ResponseReader[Any]:
    return ResponseReader(framer or SSEFramer(), Words(), BaseCallResponseChunk, Toolset([now]))


def run(body: bytes, framer: Framer | None = None) -> tuple[ResponseReader[Any], list[Any]]:
    m = machine(framer)
    items = list(m.feed(body))
    if not m.done:
        items += m.end()
    return m, items


def event(text: str, name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def test_chunks_have_what_their_event_says() -> None:
    m, items = run(event('{"say": "Hi"}') + event('{"x": 1}') + event("OVER"))
    assert [(chunk.content, chunk.data, tool) for chunk, tool in items] == [
        ("Hi", {"say": "Hi"}, None),
        ("", {"x": 1}, None),
    ]
    assert m.done
    assert m.complete
    assert m.ending_error() is None
    assert (m.events, m.chunks) == (2, 2)


def test_keep_alives_are_no_chunks() -> None:
    m, items = run(event("{}", name="ping") + b": ping\n\n" + event('{"say": "Hi"}'))
    assert [str(chunk) for chunk, _ in items] == ["Hi"]
    assert m.chunks == 1


@pytest.mark.parametrize("end", ["OVER", '{"bye": true}', '{"stop": "stop"}'])
def test_the_protocols_own_end(end: str) -> None:
    m, _ = run(event('{"say": "Hi"}') + event(end))
    assert m.complete
    assert m.ending_error() is None


def test_what_follows_the_end_is_not_read() -> None:
    m, items = run(event("OVER") + event('{"say": "late"}') + event("no JSON"))
    assert items == []
    assert m.ending_error() is None
    m, items = run(event('{"bye": true}') + event('{"say": "late"}'))
    assert len(items) == 1
    assert m.answer.text == ""


def test_a_finish_reason_does_not_stop_the_reading() -> None:
    m, items = run(event('{"stop": "stop"}') + event('{"say": "late"}'))
    assert len(items) == 2
    assert not m.done


def test_calls_come_with_the_event_that_completes_them() -> None:
    body = event('{"call": "a"}') + event('{"call": "b", "say": "Hm"}')
    m, items = run(body + event('{"called": ["a", "b"], "say": "!"}') + event("OVER"))
    assert [(str(chunk), tool and tool.tool_call.id) for chunk, tool in items] == [
        ("", None),
        ("Hm", None),
        ("!", "a"),
        ("", "b"),
    ]
    assert items[3][0].data is items[2][0].data
    assert [tool.tool_call.id for tool in m.tools] == ["a", "b"]
    assert m.chunks == 3


@pytest.mark.parametrize("end", ["OVER", '{"stop": "stop"}'])
def test_calls_that_no_event_closed_come_at_the_end(end: str) -> None:
    _, items = run(event('{"call": "a", "say": "Hi"}') + event(end))
    assert "".join(str(chunk) for chunk, _ in items) == "Hi"
    assert [tool.tool_call.id for _, tool in items if tool] == ["a"]


def test_calls_of_an_answer_that_was_cut_do_not_come() -> None:
    m, items = run(event('{"call": "a"}'))
    assert [tool for _, tool in items] == [None]
    assert isinstance(m.ending_error(), StreamTruncatedError)


FAILURES: dict[str, tuple[bytes, type[StreamError], str]] = {
    "no JSON": (event("{oops"), StreamDecodeError, "oops"),
    "no object": (event("[1]"), StreamDecodeError, "an event is not a JSON object"),
    "null": (event("null"), StreamDecodeError, "an event is not a JSON object"),
    "a decoder that breaks": (event('{"boom": 1}'), StreamDecodeError, "KeyError"),
    "a stray object that breaks it": (b'{"boom": 1}\n\n', StreamDecodeError, "KeyError"),
    "a stray error": (b'{"bad": "no"}\n\n', StreamProviderError, "no"),
    "the provider's error": (event('{"bad": "no"}'), StreamProviderError, "no"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_failures_come_after_what_was_good(failure: str) -> None:
    body, error_class, message = FAILURES[failure]
    m, items = run(event('{"say": "Hi"}') + body + event('{"say": "late"}') + event("OVER"))
    assert [str(chunk) for chunk, _ in items] == ["Hi"]
    assert m.done
    assert not m.complete
    assert type(m.ending_error()) is error_class
    assert message in str(m.ending_error())
    assert m.answer.text == "Hi"


def test_the_providers_error_says_what_it_said() -> None:
    m, _ = run(event('{"bad": "no"}'))
    error = m.ending_error()
    assert isinstance(error, StreamProviderError)
    assert (error.message, error.type, error.code, error.status) == ("no", "t", "c", 503)


def test_json_that_the_standard_library_accepts() -> None:
    m, items = run(event('{"say": "\\ud83d", "n": NaN}') + event("OVER"))
    # The half waits for its other half, which never comes.
    assert [chunk.content for chunk, _ in items] == ["", "\ufffd"]
    assert m.answer.text == "\ufffd"
    assert m.ending_error() is None


def test_an_event_that_the_end_closes_is_read_as_any_other() -> None:
    m, items = run(event('{"say": "Hi"}') + b'data: {"say": "\\ud83d", "stop": "done"}')
    assert [chunk.content for chunk, _ in items] == ["Hi", "\ufffd"]
    assert m.ending_error() is None


def test_an_event_that_the_end_of_the_body_cut() -> None:
    m, items = run(event('{"say": "Hi"}') + b'data: {"say": "th')
    assert [str(chunk) for chunk, _ in items] == ["Hi"]
    assert type(m.ending_error()) is StreamTruncatedError


@pytest.mark.parametrize(
    ("body", "error_class", "message"),
    [
        (b"", StreamTruncatedError, "empty"),
        (b": ping\n\n", StreamTruncatedError, "empty"),
        (b"<html>busy</html>", StreamDecodeError, "is not an event stream: '<html>busy"),
        (b'{"hello": 1}', StreamDecodeError, "is not an event stream"),
        (b"x" * 999, StreamDecodeError, "…"),
    ],
)
def test_a_body_that_is_no_stream(
    body: bytes, error_class: type[StreamError], message: str
) -> None:
    m, items = run(body)
    assert items == []
    assert type(m.ending_error()) is error_class
    assert message in str(m.ending_error())


def test_an_event_that_is_too_large() -> None:
    m, _ = run(event('{"say": "Hi"}') + b"data: " + b"x" * 200, SSEFramer(100))
    assert isinstance(m.failure, StreamDecodeError)
    assert "larger than 100 bytes" in str(m.failure)
    assert m.failure.__cause__ is not None


def test_objects_of_an_sdk() -> None:
    m = machine()
    obj = object()
    items = list(m.feed((obj, {"say": "Hi", "stop": "stop"})))
    items += m.end()
    assert [(chunk.content, chunk.chunk) for chunk, _ in items] == [("Hi", obj)]
    assert m.complete


def test_a_line_protocol() -> None:
    m, items = run(b'{"say": "Hi"}\n\n{"stop": "x"}\nOVER', LineFramer())
    assert [str(chunk) for chunk, _ in items] == ["Hi", ""]
    assert m.answer.ended
