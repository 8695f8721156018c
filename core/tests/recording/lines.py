"""The lines of recordings that the tests beside read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

from mirascope.core import (
    BaseStream,
    MirascopeError,
)

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


def ended(state: str, error: dict[str, Any] | None = None) -> dict[str, Any]:
    end: dict[str, Any] = {"state": state}
    return {"t": 0.5, "end": end if error is None else {**end, "error": error}}


Replay = Callable[..., Any]
