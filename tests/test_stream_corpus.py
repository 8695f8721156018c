"""Recorded responses of real servers: whole, in any pieces, and cut anywhere (E1, S8, T2).

The recordings lie beside the repository; without them there is nothing to do here.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import (
    BaseStream,
    MirascopeError,
    StreamDecodeError,
    StreamProviderError,
    StreamTruncatedError,
)
from mirascope.core.plugins import load_provider
from mirascope.core.testing import replay
from mirascope_tests.shared import CORPUS, each, needs_shared

RECORDINGS = sorted(
    path for kind in ("openai-chat", "openai-compatible") for path in CORPUS.glob(f"{kind}/*.sse")
)
CUTS = 25
"""How many places a long recording is cut at."""

pytestmark = needs_shared
each_recording = pytest.mark.parametrize(
    "path", each(RECORDINGS, lambda path: f"{path.parent.name}/{path.stem}")
)


def read(provider: str, body: bytes, chunk_bytes: int | None = None) -> tuple[Any, list[Any]]:
    stream: BaseStream[Any] = replay(load_provider(provider), body, chunk_bytes=chunk_bytes)
    items: list[Any] = []
    with contextlib.suppress(MirascopeError):
        # What came before an error has been taken by then; the error itself is on the stream.
        items.extend(stream)
    return stream, items


def said(stream: Any, items: list[Any]) -> dict[str, Any]:
    """Everything that a stream lets its user know of the answer."""
    usage = stream.usage
    return {
        "state": str(stream.state),
        "error": type(stream.error),
        "content": stream.content,
        "contents": "".join(str(chunk) for chunk, _ in items),
        "thinking": stream.thinking,
        "refusal": stream.refusal,
        "tool_calls": [tool.tool_call for tool in stream.tools],
        "tools": [tool.tool_call for _, tool in items if tool is not None],
        "usage": usage if usage is None or isinstance(usage, dict) else usage.model_dump(),
        "common_usage": stream.common_usage,
        "finish_reasons": stream.finish_reasons,
        "finish_reason": stream.finish_reason,
        "id": stream.id,
        "model": stream.model,
        "message_param": stream.message_param,
    }


@cache
def expectation(path: Path) -> dict[str, Any]:
    expected = CORPUS / "expected" / path.parent.name / f"{path.stem}.json"
    return json.loads(expected.read_text("utf-8"))


@each_recording
def test_the_answer_is_the_expected_one(provider: str, path: Path) -> None:
    expected = expectation(path)
    stream, items = read(provider, path.read_bytes())
    assert stream.content == expected["text"]
    assert stream.thinking == expected["thinking_text"]
    assert stream.refusal == expected["refusal"]
    assert stream._answer.finish_reason == expected["finish_reason"]
    assert stream.model == (expected["model"] or "")
    assert stream.id == expected["id"]
    assert stream._answer.usage == expected["usage"]
    calls = stream._answer.tool_calls
    assert [(c.id, c.name, c.text) for c in calls] == [
        (call["id"], call["name"], call["arguments_raw"]) for call in expected["tool_calls"]
    ]
    if expected["error"] is None:
        assert stream.state == "completed"
        # Each call was yielded once, under an id of its own.
        tools = [tool.tool_call for _, tool in items if tool is not None]
        assert len({call.id for call in tools}) == len(calls)
        assert sorted((call.name, call.arguments) for call in tools) == sorted(
            (call.name or "", call.text) for call in calls
        )
    else:
        assert isinstance(stream.error, StreamProviderError)


def _commented(body: bytes) -> bytes:
    return re.sub(rb"\n\n", b"\n\n: keep-alive\n\n:\n", body.replace(b"\r\n", b"\n"))


MODES: dict[str, Callable[[bytes, random.Random], tuple[bytes, int | None]]] = {
    "byte by byte": lambda body, _: (body, 1),
    "random": lambda body, chance: (body, chance.randint(2, 400)),
    "CRLF": lambda body, _: (body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), None),
    "CRLF cut": lambda body, _: (body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), 3),
    "CR": lambda body, _: (body.replace(b"\r\n", b"\n").replace(b"\n", b"\r"), 7),
    "comments": lambda body, chance: (_commented(body), chance.randint(1, 9)),
    "BOM": lambda body, _: (b"\xef\xbb\xbf" + body, 2),
}


@each_recording
def test_no_way_of_cutting_the_bytes_changes_the_answer(path: Path) -> None:
    body = path.read_bytes()
    provider = "openai" if path.parent.name == "openai-chat" else "compatible"
    whole = said(*read(provider, body))
    chance = random.Random(path.name)
    for name, mode in MODES.items():
        changed, chunk_bytes = mode(body, chance)
        assert said(*read(provider, changed, chunk_bytes)) == whole, name


def events_of(body: bytes) -> Iterator[bytes]:
    """The data of a body's events, told by the simplest means that fit the recordings."""
    for block in re.split(rb"\n\n", body.replace(b"\r\n", b"\n").lstrip(b"\xef\xbb\xbf")):
        lines = [line[5:] for line in block.split(b"\n") if line.startswith(b"data:")]
        if lines:
            yield b"\n".join(line.removeprefix(b" ") for line in lines)


def has_its_own_end(body: bytes) -> bool:
    """Whether every choice has a finish reason, or `[DONE]` has come (E1)."""
    finished: dict[int, bool] = {0: False}
    for data in events_of(body):
        if data.startswith(b"[DONE]"):
            return True
        try:
            parsed = json.loads(data)
        except ValueError:
            continue
        for choice in parsed.get("choices") or ():
            index = choice.get("index") or 0
            finished[index] = finished.get(index, False) or bool(choice.get("finish_reason"))
    return all(finished.values())


def sampled(places: list[int], chance: random.Random) -> list[int]:
    if len(places) <= CUTS:
        return places
    return sorted({places[0], places[-1], *chance.sample(places, CUTS - 2)})


@each_recording
def test_a_cut_answer_is_never_a_whole_one(path: Path) -> None:
    body = path.read_bytes()
    provider = "openai" if path.parent.name == "openai-chat" else "compatible"
    chance = random.Random(path.name)
    ends = [match.end() for match in re.finditer(rb"\r?\n\r?\n", body)]
    anywhere = [chance.randrange(len(body)) for _ in range(8)]
    full, _ = read(provider, body)
    calls = [(call.name, call.text) for call in full._answer.tool_calls]
    for cut in [0, *sampled(ends, chance), *anywhere]:
        part = body[:cut]
        stream, items = read(provider, part)
        if has_its_own_end(part) and not isinstance(stream.error, StreamProviderError):
            assert stream.state == "completed", cut
            assert stream.error is None
        else:
            assert stream.state in ("truncated", "failed"), cut
            assert isinstance(stream.error, (StreamTruncatedError, StreamProviderError)) or (
                isinstance(stream.error, StreamDecodeError) and not items
            ), cut
            assert stream.error.stream is stream
        # What arrived is kept, and nothing else: a prefix of the whole answer.
        assert full.content.startswith(stream.content)
        assert stream.content == "".join(str(chunk) for chunk, _ in items)
        assert full.thinking.startswith(stream.thinking)
        for (name, arguments), block in zip(calls, stream._answer.tool_calls, strict=False):
            assert block.name in (name, None)
            assert arguments.startswith(block.text)
        message = stream.message_param
        assert message["role"] == "assistant"
        assert len(message.get("tool_calls", ())) == len(stream.tools)
        assert stream.construct_call_response().content == stream.content
