"""Every recorded Responses stream gives what the wire says, however its bytes are cut."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from mirascope.core import MirascopeError, StreamProviderError, StreamState, StreamTruncatedError
from mirascope.core._request._prepared import PreparedCall
from mirascope.core._transport._source import BytesSource
from mirascope.core.testing import replay
from mirascope_openai import OpenAIResponsesProvider
from mirascope_tests.shared import CORPUS, each

PROVIDER = OpenAIResponsesProvider()
RECORDINGS = sorted((CORPUS / "openai-responses").glob("*.sse"))
ENDINGS = (b"response.completed", b"response.incomplete", b"response.failed")


@pytest.fixture(params=each(RECORDINGS))
def recording(request: pytest.FixtureRequest) -> Any:
    return request.param


class _Pieces(BytesSource):
    """The body in the given pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__(b"")
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


def read(body: bytes, chunk_bytes: int | None = None) -> tuple[Any, MirascopeError | None, str]:
    stream = replay(PROVIDER, body, chunk_bytes=chunk_bytes)
    return _read(stream)


def _read(stream: Any) -> tuple[Any, MirascopeError | None, str]:
    texts: list[str] = []
    try:
        for chunk, _ in stream:
            texts.append(chunk.content)
    except MirascopeError as error:
        return stream, error, "".join(texts)
    return stream, None, "".join(texts)


def facts(stream: Any, error: MirascopeError | None) -> dict[str, Any]:
    usage = stream.usage
    return {
        "text": stream.content,
        "thinking_text": stream.thinking,
        "refusal": stream.refusal,
        "tool_calls": [
            (call.id, call.name, call.arguments) for call in (t.tool_call for t in stream.tools)
        ],
        "finish_reasons": stream.finish_reasons or [],
        "usage": None if usage is None else usage.model_dump(exclude_unset=True, warnings=False),
        "id": stream.id,
        "model": stream.model,
        "error": None if error is None else getattr(error, "code", None),
        "state": str(stream.state),
    }


@functools.cache
def expected(name: str) -> dict[str, Any]:
    path = CORPUS / "expected" / "openai-responses" / f"{name}.json"
    known = json.loads(path.read_text("utf-8"))
    return {
        **{key: known[key] for key in ("text", "thinking_text", "refusal", "usage", "id", "model")},
        "tool_calls": [
            (call["id"], call["name"], call["arguments_raw"]) for call in known["tool_calls"]
        ],
        "finish_reasons": known["finish_reasons"],
        "error": known["error"] and known["error"]["code"],
        "state": "failed" if known["error"] else "completed",
    }


@pytest.mark.parametrize("chunk_bytes", [None, 1, 1000])
def test_a_recording_gives_its_result(recording: Any, chunk_bytes: int | None) -> None:
    stream, error, text = read(recording.read_bytes(), chunk_bytes)
    assert facts(stream, error) == expected(recording.stem)
    assert text == stream.content


def test_it_does_at_random_cuts_with_crlf_and_comments(recording: Any) -> None:
    body = recording.read_bytes().replace(b"\r\n", b"\n")
    commented = body.replace(b"\n\n", b"\n\n: keep-alive\n\n")
    dice = random.Random(recording.name)
    for variant in (body, body.replace(b"\n", b"\r\n"), commented):
        cuts = sorted(dice.randrange(len(variant)) for _ in range(40))
        pieces = [variant[a:b] for a, b in zip([0, *cuts], [*cuts, len(variant)], strict=True)]
        stream = replay(PROVIDER, b"")
        object.__setattr__(stream._call, "response", _Pieces(pieces))
        assert isinstance(stream._call, PreparedCall)
        stream, error, _ = _read(stream)
        assert facts(stream, error) == expected(recording.stem)


def test_a_cut_recording_is_never_complete(recording: Any) -> None:
    events = recording.read_bytes().split(b"\n\n")
    end = next(i for i, event in enumerate(events) if any(name in event for name in ENDINGS))
    whole = expected(recording.stem)
    # A spread of cuts: the longest recordings have thousands of events.
    for cut in sorted({*range(0, end + 1, max(1, end // 25)), end}):
        body = b"".join(event + b"\n\n" for event in events[:cut])
        for tail in (b"", b"data: [DONE]\n\n"):
            stream, error, text = read(body + tail)
            assert stream.state is not StreamState.COMPLETED
            assert isinstance(error, (StreamTruncatedError, StreamProviderError))
            assert whole["text"].startswith(text)
            assert stream.content == text
            assert stream.message_param["role"] == "assistant"
            assert stream.construct_call_response().response.output is not None


def test_the_answer_goes_back_verbatim(recording: Any) -> None:
    stream, _, _ = read(recording.read_bytes())
    lines = recording.read_text("utf-8").splitlines()
    events = [json.loads(line[5:]) for line in lines if line.startswith("data: {")]
    done = [e for e in events if e["type"] == "response.output_item.done"]
    # OpenRouter closes an answer's message before the reasoning that it follows.
    sent = [e["item"] for e in sorted(done, key=lambda e: e["output_index"])]
    if any(e["response"].get("store") is False for e in events if "response" in e):
        # What the server did not store it can read in the item alone.
        named = ("encrypted_content", "content")
        sent = [i for i in sent if i["type"] != "reasoning" or any(map(i.get, named))]
    kept = stream.message_param["content"]
    assert kept == sent[: len(kept)]
    # What the model thought last, before its tokens were used up, has no item to stand before.
    assert all(item["type"] == "reasoning" for item in sent[len(kept) :])
    answered = {r["call_id"] for r in stream.tool_message_params([(t, "") for t in stream.tools])}
    assert answered == {
        item["call_id"] for item in kept if item["type"] in ("function_call", "custom_tool_call")
    }
