"""Every recorded stream says what its expectation says, however its bytes are cut."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import StreamState
from mirascope.core.testing import replay
from mirascope_anthropic import AnthropicProvider
from mirascope_tests.shared import CORPUS, each, needs_shared

PROVIDER = AnthropicProvider()
RECORDINGS = sorted((CORPUS / "anthropic-messages").glob("*.sse"))

pytestmark = needs_shared
each_recording = pytest.mark.parametrize("path", each(RECORDINGS))


def said(body: bytes, pieces: list[bytes] | None = None) -> dict[str, Any]:
    """What a body says, in the words of an expectation; read as `pieces` where they are given."""
    stream = replay(PROVIDER, body)
    if pieces is not None:
        # The recording is a value like any source: only what each read gives is replaced.
        object.__setattr__(stream._call, "response", _Pieces(pieces))
    tools = [tool for _, tool in stream if tool is not None]
    blocks = [block for block in stream._answer.blocks if block.kind != "refusal"]
    kinds = [block.fields["type"] for block in blocks]
    server_tools = [
        (block.fields["id"], block.fields["name"], block.fields["input"])
        for block, kind in zip(blocks, kinds, strict=True)
        if kind.endswith("_tool_use")
    ]
    return {
        "state": stream.state,
        "text": stream.content,
        "thinking_text": stream.thinking,
        "refusal": stream.refusal,
        "tool_calls": [_call(tool.tool_call) for tool in tools],
        "server_tool_calls": server_tools,
        "finish_reasons": stream.finish_reasons,
        "usage": stream._answer.usage,
        "model": stream.model,
        "id": stream.id,
        "n_events": stream._reader.events,
        "block_types": kinds,
        "n_citations": sum(len(block.fields.get("citations") or ()) for block in blocks),
        "redacted_thinking_blocks": kinds.count("redacted_thinking"),
        "signatures": sum(bool(block.fields.get("signature")) for block in blocks),
    }


SAME = (
    "text",
    "thinking_text",
    "refusal",
    "finish_reasons",
    "usage",
    "model",
    "id",
    "n_events",
    "block_types",
    "n_citations",
    "redacted_thinking_blocks",
    "signatures",
)


def expected(path: Path) -> dict[str, Any]:
    given = json.loads((CORPUS / "expected/anthropic-messages" / f"{path.stem}.json").read_text())
    assert given["error"] is None
    return {
        "state": StreamState.COMPLETED,
        **{name: given[name] for name in SAME},
        "tool_calls": [
            (c["id"], c["name"], c["arguments_raw"] if c["arguments"] is None else c["arguments"])
            for c in given["tool_calls"]
        ],
        "server_tool_calls": [
            (c["id"], c["name"], c["arguments"]) for c in given["server_tool_calls"]
        ],
    }


def _call(call: Any) -> tuple[str, str, Any]:
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError:
        arguments = call.arguments
    return call.id, call.name, arguments


class _Pieces(list[bytes]):
    request_id = None

    def abort(self) -> None: ...

    def close(self) -> None: ...


@each_recording
def test_whole(path: Path) -> None:
    assert said(path.read_bytes()) == expected(path)


@each_recording
def test_one_byte_at_a_time(path: Path) -> None:
    body = path.read_bytes()
    pieces = [body[i : i + 1] for i in range(len(body))]
    assert said(body, pieces) == expected(path)


@each_recording
def test_random_cuts(path: Path) -> None:
    body = path.read_bytes()
    source = random.Random(path.stem)
    for _ in range(5):
        cuts = sorted(source.randrange(len(body)) for _ in range(source.randrange(1, 60)))
        bounds = zip([0, *cuts], [*cuts, len(body)], strict=True)
        assert said(body, [body[a:b] for a, b in bounds]) == expected(path)


@each_recording
@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_other_line_ends(path: Path, end: bytes) -> None:
    body = re.sub(rb"\r?\n", b"\n", path.read_bytes()).replace(b"\n", end)
    assert said(body) == expected(path)


@each_recording
def test_comments_and_no_names(path: Path) -> None:
    body = re.sub(rb"(?m)^event:[^\n]*\n", b": keep-alive\n\n: \n", path.read_bytes())
    assert said(b"\xef\xbb\xbf" + body) == expected(path)


@each_recording
def test_a_cut_is_never_complete(path: Path) -> None:
    whole = expected(path)
    events = re.split(rb"(?<=\n\n)", re.sub(rb"\r\n", b"\n", path.read_bytes()))
    stopped = next(i for i, event in enumerate(events) if b'"message_stop"' in event)
    for count in range(stopped):
        stream = replay(PROVIDER, b"".join(events[:count]))
        with pytest.raises(Exception, match=r"ended before|is empty"):
            stream.collect()
        assert stream.state is StreamState.TRUNCATED
        assert whole["text"].startswith(stream.content)
        assert whole["thinking_text"].startswith(stream.thinking)
        calls = [_call(tool.tool_call) for tool in stream.tools]
        assert calls == whole["tool_calls"][: len(calls)]
        # Whatever has arrived can be sent on.
        assert stream.message_param["role"] == "assistant"


@each_recording
def test_an_event_cut_in_the_middle_is_never_complete(path: Path) -> None:
    body = path.read_bytes()
    source = random.Random(path.stem)
    end = body.index(b'"message_stop"')
    for cut in [source.randrange(end) for _ in range(20)]:
        stream = replay(PROVIDER, body[:cut])
        with pytest.raises(Exception, match=r"ended before|is empty|not an event stream"):
            stream.collect()
        assert stream.state is not StreamState.COMPLETED
