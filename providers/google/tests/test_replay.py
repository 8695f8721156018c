"""Every recorded body says what the wire says, whole and in pieces, and no less when it is cut."""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from google.genai import types
from mirascope.core import (
    Call,
    Connection,
    Request,
    Source,
    StreamProviderError,
    StreamTruncatedError,
)
from mirascope.core.testing import replay
from mirascope_google import GoogleCallResponseChunk, GoogleProvider

from .recordings import RECORDINGS, Recording, check, recordings
from .responses import event, response

PROVIDER = GoogleProvider()
SSE = [r for r in RECORDINGS if not r.is_array]


def read(body: bytes, chunk_bytes: int | None = None) -> Any:
    stream = replay(PROVIDER, body, chunk_bytes=chunk_bytes)
    with contextlib.suppress(StreamProviderError, StreamTruncatedError):
        for _ in stream:
            pass
    return stream


class Pieces:
    """A body in given pieces."""

    request_id = None

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def abort(self) -> None: ...

    def close(self) -> None: ...


class Played(GoogleProvider):
    """The provider with a response that is there already."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def open(self, request: Request, connection: Connection) -> Source:
        return Pieces(self._pieces)


def read_pieces(pieces: list[bytes]) -> Any:
    @Call[Any, Any, Any](Played(pieces))("asked", stream=True)
    def say_hi() -> None:
        """Say hi."""

    stream = say_hi()
    with contextlib.suppress(StreamProviderError, StreamTruncatedError):
        for _ in stream:
            pass
    return stream


@recordings()
def test_a_recording_says_what_the_wire_says(recording: Recording) -> None:
    check(read(recording.body), recording)


@recordings()
def test_byte_by_byte(recording: Recording) -> None:
    check(read(recording.body, 1), recording)


@recordings()
def test_at_random_cuts(recording: Recording) -> None:
    chance = random.Random(recording.name)
    for _ in range(3):
        size = len(recording.body)
        cuts = sorted({0, size, *(chance.randrange(size) for _ in range(chance.randrange(40)))})
        pieces = [recording.body[a:b] for a, b in pairwise(cuts)]
        check(read_pieces(pieces), recording)


@recordings()
@pytest.mark.parametrize("chunk_bytes", [None, 7])
def test_with_other_line_ends(recording: Recording, chunk_bytes: int | None) -> None:
    plain = re.sub(rb"\r\n?", b"\n", recording.body)
    check(read(plain, chunk_bytes), recording)
    check(read(plain.replace(b"\n", b"\r\n"), chunk_bytes), recording)


@recordings(*SSE)
def test_with_comments_between_events(recording: Recording) -> None:
    body = re.sub(rb"\r\n?", b"\n", recording.body)
    check(read(b": hi\n\n" + body.replace(b"\n\n", b"\n\n: keep-alive\n\n")), recording)


@recordings()
def test_cut_after_any_event_nothing_is_complete_before_it_says_so(recording: Recording) -> None:
    objects = recording.objects
    for count in range(len(objects) + 1):
        if recording.is_array:
            body = b"[" + b"\n,\n".join(json.dumps(o).encode() for o in objects[:count])
        else:
            body = b"".join(map(event, objects[:count]))
        stream = read(body)
        assert (stream.state == "completed") == _ends(objects[:count])
        assert recording.expected["text"].startswith(stream.content)
        assert stream._reader.events == count


def _ends(objects: list[dict[str, Any]]) -> bool:
    blocked = any((o.get("promptFeedback") or {}).get("blockReason") for o in objects)
    candidates = [c for o in objects for c in o.get("candidates", ())]
    return blocked or any(c.get("finishReason") for c in candidates)


@recordings()
def test_cut_inside_an_event_what_came_before_it_stays(recording: Recording) -> None:
    cut = recording.body.rfind(b'"candidates"') + 20
    stream = read(recording.body[:cut])
    assert recording.expected["text"].startswith(stream.content)
    if len(recording.objects) == 1:
        assert stream.state != "completed"


@pytest.mark.filterwarnings("ignore:.*is not a valid:UserWarning")
@recordings()
def test_each_chunk_has_an_object_of_the_sdk(recording: Recording) -> None:
    stream = replay(PROVIDER, recording.body)
    chunks: list[GoogleCallResponseChunk] = []
    with contextlib.suppress(StreamProviderError, StreamTruncatedError):
        chunks.extend(chunk for chunk, _ in stream)
    for chunk, data in zip(chunks, recording.objects, strict=False):
        assert type(chunk.chunk) is types.GenerateContentResponse
        made = [p.text for c in chunk.chunk.candidates or () for p in _sdk_parts(c) if p.text]
        sent = [
            p["text"]
            for c in data.get("candidates", ())
            for p in (c.get("content") or {}).get("parts", ())
            if p.get("text")
        ]
        assert made == sent
        assert chunk.chunk is chunk.chunk


def _sdk_parts(candidate: types.Candidate) -> list[types.Part]:
    return (candidate.content.parts if candidate.content else None) or []


@recordings()
def test_a_streamed_answer_becomes_a_response_and_a_message_that_the_sdk_takes(
    recording: Recording,
) -> None:
    stream = read(recording.body)
    message = stream.message_param
    content = types.Content.model_validate(json.loads(json.dumps(message)))
    texts = [p.text or "" for p in content.parts or () if not p.thought and p.text is not None]
    assert "".join(texts) == recording.expected["text"]
    calls = [p.function_call for p in content.parts or () if p.function_call]
    assert [(c.id, c.name, c.args) for c in calls] == recording.calls
    signatures = [
        p["thoughtSignature"]
        for o in recording.objects
        for c in o.get("candidates", ())
        for p in (c.get("content") or {}).get("parts", ())
        if "thoughtSignature" in p
    ]
    assert [p["thoughtSignature"] for p in message["parts"] if "thoughtSignature" in p] == (
        signatures
    )


def test_a_whole_response_in_place_of_a_stream_is_read() -> None:
    stream = read(json.dumps(response("Hi", finish="STOP"), indent=2).encode())
    assert (stream.state, stream.content) == ("completed", "Hi")


@pytest.mark.parametrize("layout", ["{}", "[{}]", "\ufeff[{}\n]", "data: {}\n\n"])
def test_an_error_object_is_the_providers_error_in_any_framing(layout: str) -> None:
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    stream = replay(PROVIDER, layout.replace("{}", json.dumps(error)).encode())
    with pytest.raises(StreamProviderError, match="overloaded") as caught:
        list(stream)
    assert caught.value.status == 503
    assert caught.value.code == caught.value.type == "UNAVAILABLE"
    assert stream.state == "failed"
