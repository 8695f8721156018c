"""A rich answer, and what a replay of its recording must say again."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mirascope.core import (
    stream_from,
    stream_from_async,
)
from mirascope.core.testing import Server, sse
from mirascope_tests.api import API, KEY, Reading
from mirascope_tests.chat import DONE, chunk

Serve = Callable[..., Server]

USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 4,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 2},
}


def title(name: str = "") -> str:
    """Give the title."""
    return name


CALLS = [
    {"index": 0, "id": "call_1", "function": {"name": "title", "arguments": '{"name": "Dü'}},
    {"index": 1, "id": "call_2", "function": {"name": "other", "arguments": "{"}},
]
RICH = [
    chunk("", role="assistant"),
    chunk(reasoning_content="Hm \u2028."),
    chunk("Grüße,"),
    b": a comment\n\n",
    sse({"choices": [], "later": {"x": 1}}),
    chunk(" \ud83d"),
    chunk("\ude00 Welt\n"),
    chunk(tool_calls=CALLS),
    chunk(tool_calls=[{"index": 0, "function": {"arguments": 'ne"}'}}]),
    chunk(finish="tool_calls"),
    chunk(choices=[], usage=USAGE),
    DONE,
]


async def replay(api: API, recording: Any, **options: Any) -> Reading:
    make = stream_from_async if api.is_async else stream_from
    return await api.drain(make(recording, **options))


def said(reading: Reading) -> dict[str, Any]:
    """Everything that a stream and its chunks say of an answer."""
    stream = reading.stream
    return {
        "class": type(stream).__qualname__,
        "state": stream.state,
        "error": (type(reading.error), str(reading.error)),
        "chunks": [(c.content, c.thinking, c.data, c.chunk) for c, _ in reading.items],
        "tools": [
            tool and (type(tool).__name__, tool.tool_call, tool.args, str(tool.error))
            for _, tool in reading.items
        ],
        "content": stream.content,
        "usage": stream.usage,
        "common_usage": stream.common_usage,
        "cost": stream.cost,
        "cost_details": stream.cost_details,
        "message_param": stream.message_param,
        "user_message_param": stream.user_message_param,
        "messages": stream.messages,
        "call_kwargs": stream.call_kwargs,
        "finish_reasons": stream.finish_reasons,
        "id": stream.id,
        "model": stream.model,
        "events": stream.event_count,
    }


def only(directory: Path) -> Path:
    (path,) = directory.iterdir()
    return path


def without_key(path: Path) -> bytes:
    """The file's bytes, in which no credential may be, however it is written."""
    data = path.read_bytes()
    for secret in (KEY.encode(), b"Bearer", base64.b64encode(KEY.encode()).rstrip(b"=")[:-1]):
        assert secret.lower() not in data.lower()
    for line in data.splitlines():
        entry = json.loads(line)
        assert KEY not in str(entry)
        if "base64" in entry:
            assert KEY.encode() not in base64.b64decode(entry["base64"])
    assert b"127.0.0.1" not in data
    return data
