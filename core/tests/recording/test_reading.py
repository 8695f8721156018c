"""What is read of a recording: a whole one, and what is left of one (L3)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mirascope.core import (
    RecordedEnd,
    RecordedRead,
    Recording,
    StreamState,
    StreamTruncatedError,
    UsageError,
    stream_from,
)

from .lines import (
    ANSWER,
    HEADER,
    Replay,
    event,
    recorded,
    text,
)


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
