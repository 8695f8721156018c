"""Recordings as files: what is read, from a whole one and from what is left of one (L3)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import (
    APIError,
    BaseStream,
    MirascopeError,
    MissingProviderError,
    RateLimitError,
    RecordedEnd,
    RecordedRead,
    Recording,
    StreamDecodeError,
    StreamInterruptedError,
    StreamProviderError,
    StreamState,
    StreamTimeoutError,
    StreamTruncatedError,
    UnknownProviderError,
    UsageError,
    stream_from,
    stream_from_async,
)
from mirascope.core.plugins import load_provider

HEADER = {
    "mirascope_recording": 1,
    "date": "2026-03-01T12:00:00.250+00:00",
    "provider": "compatible",
    "api": "chat",
    "model": "gpt-4o",
    "versions": {"core": "mirascope-core 0.1.0", "sdk": "httpx 0.28.1"},
    "request": {"messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5},
    "messages": "messages",
}
DONE = "data: [DONE]\n\n"
COMPLETED = {"t": 0.5, "end": {"state": "completed"}}


def event(content: str | None = None, finish: str | None = None, **delta: Any) -> str:
    if content is not None:
        delta["content"] = content
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "chatcmpl-1", "model": "gpt-4o-x", "choices": [choice]}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"


def text(t: float, content: str) -> dict[str, Any]:
    return {"t": t, "text": content}


ANSWER = [
    {"t": 0.1, "response": {"request_id": "req_1"}},
    text(0.2, event("Grüße, ")),
    text(0.3, event("Welt")),
    text(0.4, event(finish="stop")),
    text(0.45, DONE),
]


def recorded(*lines: Any, header: Any = HEADER, end: Any = COMPLETED) -> bytes:
    entries = [header, *lines, *([] if end is None else [end])]
    return b"".join(json.dumps(entry, ensure_ascii=False).encode() + b"\n" for entry in entries)


def read(stream: BaseStream[Any]) -> BaseStream[Any]:
    with contextlib.suppress(MirascopeError):
        for _ in stream:
            pass
    return stream


async def read_async(stream: Any) -> Any:
    with contextlib.suppress(MirascopeError):
        async for _ in stream:
            pass
    return stream


Replay = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def replayed(request: pytest.FixtureRequest) -> Replay:
    """Read a recording to its end, whatever that is, and return the stream."""
    if request.param == "sync":
        return lambda *args, **kwargs: read(stream_from(*args, **kwargs))
    return lambda *args, **kwargs: asyncio.run(read_async(stream_from_async(*args, **kwargs)))


# What a recording says


def test_everything_that_a_recording_says() -> None:
    recording = Recording.parse(recorded(*ANSWER), name="answer.jsonl")
    assert recording == Recording(
        name="answer.jsonl",
        provider="compatible",
        api="chat",
        model="gpt-4o",
        date=datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC),
        versions={"core": "mirascope-core 0.1.0", "sdk": "httpx 0.28.1"},
        request={"messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5},
        messages=[{"role": "user", "content": "Hi"}],
        request_id="req_1",
        reads=tuple(RecordedRead(line["t"], line["text"].encode()) for line in ANSWER[1:]),
        end=RecordedEnd(0.5, "completed"),
        cut=None,
    )
    assert recording.body == "".join(line["text"] for line in ANSWER[1:]).encode()


def test_a_stream_from_a_recording(replayed: Replay) -> None:
    stream = replayed(recorded(*ANSWER))
    assert stream.state is StreamState.COMPLETED
    assert stream.content == "Grüße, Welt"
    assert (stream.provider, stream.model, stream.id) == ("compatible", "gpt-4o-x", "chatcmpl-1")
    assert stream.user_message_param == {"role": "user", "content": "Hi"}
    assert stream.messages == [{"role": "user", "content": "Hi"}]
    assert stream.call_kwargs["temperature"] == 0.5
    assert stream.message_param == {"role": "assistant", "content": "Grüße, Welt"}
    assert stream.event_count == 3
    assert [block.text for block in stream.answer.blocks] == ["Grüße, Welt"]


def test_a_path_its_bytes_and_a_recording_are_the_same(tmp_path: Path, replayed: Replay) -> None:
    path = tmp_path / "answer.jsonl"
    path.write_bytes(recorded(*ANSWER))
    recording = Recording.read(path)
    assert recording.name == str(path)
    contents = [
        replayed(given).content for given in (path, str(path), path.read_bytes(), recording)
    ]
    assert contents == ["Grüße, Welt"] * 4
    with pytest.raises(FileNotFoundError):
        stream_from(tmp_path / "missing.jsonl")


def test_a_recording_is_replayed_as_often_as_you_like(replayed: Replay) -> None:
    chunk = {"id": "1", "choices": [{"index": 0, "delta": {"content": "a"}}]}
    recording = Recording.parse(recorded({"t": 0, "object": chunk}, text(0.1, event("b")), *ANSWER))
    for _ in range(2):
        stream = replayed(recording)
        assert stream.content == "abGrüße, Welt"
        stream.call_kwargs["messages"].clear()
    (piece, _) = next(iter(stream_from(recording)))
    piece.data["choices"].clear()
    assert replayed(recording).content == "abGrüße, Welt"


def test_a_sequence_that_reads_cut_in_the_middle(replayed: Replay) -> None:
    body = "".join(line["text"] for line in ANSWER[1:]).encode()
    middle = body.index("ü".encode()) + 1
    pieces = [
        {"t": t, "base64": base64.b64encode(piece).decode()}
        for t, piece in enumerate([body[:middle], body[middle:]])
    ]
    assert replayed(recorded(*pieces)).content == "Grüße, Welt"


def test_lines_of_other_systems_and_of_later_versions(replayed: Replay) -> None:
    lines = [{**HEADER, "later": [1]}, {"later": True}, *({**line, "x": 1} for line in ANSWER)]
    whole = recorded(*lines[1:], header=lines[0])
    for data in (
        whole.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + whole,
        whole.replace(b"\n", b"\n\n"),
        whole.removesuffix(b"\n"),
        json.dumps(HEADER, indent=None, separators=(" ,  ", " : ")).encode()
        + whole[whole.index(b"\n") :],
    ):
        assert replayed(data).content == "Grüße, Welt"
        assert Recording.parse(data).cut is None


def test_messages_that_no_argument_holds(replayed: Replay) -> None:
    header = {**HEADER, "messages": [{"role": "user", "content": "there"}]}
    stream = replayed(recorded(*ANSWER, header=header))
    assert stream.user_message_param == {"role": "user", "content": "there"}


# What is left of a recording


def test_a_recording_that_is_cut_at_any_byte(replayed: Replay) -> None:
    whole = recorded(*ANSWER)
    header = len(whole.split(b"\n")[0])
    ends = [at for at in range(len(whole)) if whole[at : at + 1] == b"\n"]
    contents = ["", "", "Grüße, ", "Grüße, Welt", "Grüße, Welt", "Grüße, Welt", "Grüße, Welt"]
    completed = 0
    for cut in range(len(whole) + 1):
        left = whole[:cut]
        if cut < header:
            with pytest.raises(UsageError, match=r"is not a recording|was cut in its first line"):
                stream_from(left)
            continue
        recording, stream = Recording.parse(left), replayed(left)
        # A line whose end alone is missing is whole.
        lines = sum(cut >= end for end in ends)
        assert stream.content == contents[lines - 1], cut
        assert (recording.cut is None) is (recording.end is not None) is (lines == len(ends))
        if lines >= 5:
            # The finish reason is there, which a dropped connection can't take back.
            assert stream.state is StreamState.COMPLETED
            completed += 1
        else:
            assert stream.state is StreamState.TRUNCATED
            assert isinstance(stream.error, StreamTruncatedError)
            assert "the recording ends here: " in str(stream.error)
            assert stream.error.stream is stream
    assert completed > 50


def test_nothing_behind_a_damaged_line_counts(replayed: Replay) -> None:
    for line in (
        b'{"t":0.25,"text":"da',
        b"\x00\x00\x00\x00",
        b"[]",
        b'"text"',
        b'{"t":0.25,"text":7}',
        b'{"t":0.25,"base64":"%"}',
        b'{"t":0.25,"object":[]}',
        b'{"t":null,"text":""}',
        b'{"text":""}',
        b'{"t":-1,"text":""}',
        b'{"t":NaN,"text":""}',
        b'{"t":' + b"9" * 400 + b',"text":""}',
        b'{"t":0.25,"text":"\\ud800"}',
        b'{"t":0.25,"end":{}}',
        b'{"t":0.25,"end":{"state":"completed","error":"no"}}',
        b'{"t":0.25,"response":1}',
        b'{"t":0.25,"text":"\xff"}',
        b"[" * 100_000,
    ):
        lines = recorded(*ANSWER).split(b"\n")
        lines.insert(3, line)
        data = b"\n".join(lines)
        assert Recording.parse(data).cut == "its line 4 was cut"
        stream = replayed(data)
        assert (stream.content, stream.state) == ("Grüße, ", "truncated"), line
        assert "the recording ends here: its line 4 was cut" in str(stream.error)


def test_what_a_killed_process_leaves(replayed: Replay) -> None:
    stream = replayed(recorded(*ANSWER[:2], end=None))
    assert (stream.content, stream.state) == ("Grüße, ", "truncated")
    assert "it has no last line, as when the process that wrote it was killed" in str(stream.error)
    nothing = replayed(recorded(end=None))
    assert (nothing.content, nothing.state) == ("", "truncated")


# What is not a recording


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (recorded(header={**HEADER, "mirascope_recording": 2}), "has format 2 and this version"),
        (recorded(header={**HEADER, "mirascope_recording": "x"}), "has format 'x'"),
        (b'{"mirascope_recording":1,"provider":"op', "was cut in its first line"),
        (b'{"mirascope_recording":1}', "the first line of .* is damaged: 'provider'"),
        (recorded(header={**HEADER, "provider": 1}), "is damaged: 1 is not of type str"),
        (recorded(header={**HEADER, "date": "today"}), "is damaged: Invalid isoformat"),
        (recorded(header={**HEADER, "messages": "contents"}), "is damaged: 'contents'"),
        (recorded(*ANSWER) * 2, "holds another recording from line 8 on"),
        (recorded(*ANSWER, end=None) * 2, "holds another recording from line 7 on"),
        (b"", "is not a recording"),
        (b"<html>", "is not a recording"),
        (b"\x89PNG\r\n\x1a\n", "is not a recording"),
        (DONE.encode(), r"name its provider \(provider=\)"),
    ],
)
def test_what_is_not_a_recording(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "answer.jsonl"
    path.write_bytes(data)
    for make in (stream_from, stream_from_async):
        with pytest.raises(UsageError, match=said) as caught:
            make(path)
        assert repr(str(path)) in str(caught.value)
        with pytest.raises(UsageError, match=said):
            make(data)


def test_a_bare_body_needs_a_provider(replayed: Replay) -> None:
    body = "".join(line["text"] for line in ANSWER[1:]).encode()
    for provider in ("openai", "compatible", load_provider("compatible")):
        stream = replayed(body, provider=provider, speed=1)
        assert (stream.content, stream.state) == ("Grüße, Welt", "completed")
    assert replayed(body, provider="openai", api="chat").content == "Grüße, Welt"
    assert replayed(b"", provider="openai").state == "truncated"


def test_another_provider_reads_the_same_bytes(replayed: Replay) -> None:
    data = recorded(*ANSWER)
    assert replayed(data, provider="openai").provider == "openai"
    assert replayed(data, provider="compatible").provider == "compatible"
    # The name of the wire API is the recorded provider's own.
    header = {**HEADER, "api": "nobody's"}
    assert replayed(recorded(*ANSWER, header=header), provider="openai").content == "Grüße, Welt"
    with pytest.raises(UnknownProviderError, match='has no API "nobody\'s"'):
        stream_from(recorded(*ANSWER, header=header))
    with pytest.raises(UnknownProviderError, match="no provider 'nobody'"):
        stream_from(recorded(*ANSWER, header={**HEADER, "provider": "nobody"}))


def test_the_error_of_a_provider_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    from mirascope.core.plugins import _discovery, isolated_registry

    monkeypatch.setattr(_discovery, "entry_points", lambda group: ())
    with isolated_registry(), pytest.raises(MissingProviderError, match="pip install"):
        stream_from(recorded(*ANSWER))


# How it ended


def ended(state: str, error: dict[str, Any] | None = None) -> dict[str, Any]:
    end: dict[str, Any] = {"state": state}
    return {"t": 0.5, "end": end if error is None else {**end, "error": error}}


@pytest.mark.parametrize(
    ("end", "state", "error", "message"),
    [
        (ended("truncated"), "truncated", StreamTruncatedError, "ended before its protocol"),
        (ended("stopped"), "truncated", StreamTruncatedError, "its stream was stopped by"),
        (ended("cancelled"), "truncated", StreamTruncatedError, "its stream was cancelled by"),
        (ended("of a later version"), "truncated", StreamTruncatedError, "recording ends here"),
        (
            ended("failed", {"class": "StreamInterruptedError", "message": "reset"}),
            "failed",
            StreamInterruptedError,
            "reset",
        ),
        (
            ended("timed_out", {"class": "StreamTimeoutError", "message": "m", "deadline": "idle"}),
            "timed_out",
            StreamTimeoutError,
            "m",
        ),
        (
            ended("failed", {"class": "StreamDecodeError", "message": "the SDK's"}),
            "failed",
            StreamDecodeError,
            "the SDK's",
        ),
        (
            ended("failed", {"class": "RateLimitError", "message": "busy", "retry_after": 3}),
            "failed",
            RateLimitError,
            "busy",
        ),
        # Classes and facts that this version does not know.
        (ended("failed", {"class": "Exception"}), "failed", StreamInterruptedError, ""),
        (ended("failed", {"class": "_Mine", "message": "m"}), "failed", StreamInterruptedError, ""),
        (
            ended("failed", {"class": "StreamDecodeError", "message": "m", "deadline": "idle"}),
            "failed",
            StreamInterruptedError,
            "m",
        ),
    ],
)
def test_a_stream_ends_as_the_recorded_one(
    replayed: Replay, end: Any, state: str, error: type[APIError], message: str
) -> None:
    stream = replayed(recorded(*ANSWER[:3], end=end))
    assert stream.content == "Grüße, Welt"
    assert stream.state == state
    assert type(stream.error) is error
    assert message in stream.error.message
    assert (stream.error.provider, stream.error.model) == ("compatible", "gpt-4o")
    assert stream.error.request_id == "req_1"


def test_what_is_known_of_a_recorded_error(replayed: Replay) -> None:
    facts = {
        "class": "StreamProviderError",
        "message": "busy",
        "type": "overloaded_error",
        "code": "529",
        "status": 529,
        "request_id": "req_2",
        "retryable": True,
    }
    error = replayed(recorded(*ANSWER[:3], end=ended("failed", facts))).error
    assert isinstance(error, StreamProviderError)
    assert (error.type, error.code, error.status) == ("overloaded_error", "529", 529)
    assert (error.request_id, error.retryable) == ("req_2", True)
    timeout = {"class": "StreamTimeoutError", "message": "m", "deadline": "first_chunk"}
    assert replayed(recorded(end=ended("timed_out", timeout))).error.deadline == "first_chunk"


def test_the_end_that_the_provider_sent_counts(replayed: Replay) -> None:
    """Whoever left a stream after its last event had all of it."""
    for state in ("stopped", "cancelled"):
        assert replayed(recorded(*ANSWER, end=ended(state))).state is StreamState.COMPLETED
    reset = {"class": "StreamInterruptedError", "message": "reset"}
    assert replayed(recorded(*ANSWER, end=ended("failed", reset))).state is StreamState.COMPLETED


def test_an_event_that_the_cut_left_open_is_none(replayed: Replay) -> None:
    lines = [*ANSWER[:3], text(0.4, event(finish="stop").strip())]
    # The body ended there, which closes its last event; a body that was cut there may go on.
    assert replayed(recorded(*lines)).state is StreamState.COMPLETED
    assert replayed(recorded(*lines, end=None)).state is StreamState.TRUNCATED


# Its pace


PACED = recorded(
    text(0.1, event("a")), text(0.3, event("b", finish="stop")), end=ended("completed")
)


@pytest.mark.parametrize(("speed", "seconds"), [(1, 0.3), (2, 0.15), (0.75, 0.4)])
def test_the_pace_of_a_replay(replayed: Replay, speed: float, seconds: float) -> None:
    start = time.monotonic()
    assert replayed(PACED, speed=speed).content == "ab"
    assert time.monotonic() - start >= seconds


def test_each_read_comes_at_its_time() -> None:
    start = time.monotonic()
    times = [(chunk.content, time.monotonic() - start) for chunk, _ in stream_from(PACED, speed=1)]
    assert [content for content, _ in times] == ["a", "b"]
    assert times[0][1] >= 0.1
    assert times[1][1] >= 0.3
    # Times, and not pauses between the reads: a reader who takes long is not waited for.
    assert [chunk.content for chunk, _ in stream_from(PACED, speed=0)] == ["a", "b"]


def test_without_a_pace_nothing_waits(replayed: Replay) -> None:
    late = recorded(text(3600, event("a", finish="stop")), end=ended("completed"))
    assert replayed(late).content == "a"
    assert replayed(late, speed=1e6).content == "a"


def test_an_error_comes_at_its_time_and_a_stopped_stream_is_not_waited_for(
    replayed: Replay,
) -> None:
    reset = {"class": "StreamInterruptedError", "message": "reset"}
    start = time.monotonic()
    assert replayed(recorded(text(0, event("a")), end=ended("failed", reset)), speed=2).error
    assert time.monotonic() - start >= 0.25
    hours = {"t": 7200, "end": {"state": "stopped"}}
    assert replayed(recorded(text(0, event("a")), end=hours), speed=1).content == "a"


@pytest.mark.parametrize("speed", [-1, -0.001, math.nan, math.inf, True])
def test_a_speed_that_is_none(speed: float) -> None:
    for make in (stream_from, stream_from_async):
        with pytest.raises(UsageError, match="speed must be 0 or a positive number"):
            make(recorded(*ANSWER), speed=speed)


def test_a_wait_ends_when_the_stream_is_cancelled() -> None:
    late = recorded(text(0, event("a")), text(3600, event("b")), end=ended("completed"))
    stream = stream_from(late, speed=1)
    timer = threading.Timer(0.1, stream.cancel)
    timer.start()
    assert "".join(chunk.content for chunk, _ in stream) == "a"
    assert stream.state is StreamState.CANCELLED
    timer.join()

    async def cancel() -> str:
        stream = stream_from_async(late, speed=1)
        asyncio.get_running_loop().call_later(0.1, stream.cancel)
        async for _ in stream:
            pass
        return str(stream.state)

    assert asyncio.run(cancel()) == "cancelled"


def test_other_tasks_get_their_turn() -> None:
    async def take_turns() -> list[str]:
        order: list[str] = []

        async def follow(name: str) -> None:
            async for chunk, _ in stream_from_async(recorded(*ANSWER)):
                order.append(name + chunk.content)

        await asyncio.gather(follow("1"), follow("2"))
        return order

    order = asyncio.run(take_turns())
    assert order[:4] == ["1Grüße, ", "2Grüße, ", "1Welt", "2Welt"]


def test_reads_of_another_size() -> None:
    recording = Recording.parse(recorded(*ANSWER))
    small = recording.rechunked(3)
    assert small.body == recording.body
    assert max(len(read.piece) for read in small.reads) == 3
    assert sorted({read.t for read in small.reads}) == [line["t"] for line in ANSWER[1:]]
    assert read(stream_from(small)).content == "Grüße, Welt"
    with pytest.raises(UsageError, match="chunk_bytes must be at least 1, not 0"):
        recording.rechunked(0)
