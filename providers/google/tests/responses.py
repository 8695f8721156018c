"""Bodies of Gemini's API, response by response."""

from __future__ import annotations

import json
from typing import Any

from mirascope.core.testing import Step, streamed


def event(data: Any) -> bytes:
    """A server-sent event as Gemini frames it."""
    return b"data: " + json.dumps(data).encode() + b"\r\n\r\n"


USAGE = {
    "promptTokenCount": 12,
    "candidatesTokenCount": 100,
    "thoughtsTokenCount": 2,
    "totalTokenCount": 114,
}


def response(*parts: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One response object; a string is a part of text."""
    made = [{"text": part} if isinstance(part, str) else part for part in parts]
    candidate: dict[str, Any] = {"content": {"parts": made, "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    candidate.update(more.pop("candidate", {}))
    return {
        "candidates": [candidate],
        "modelVersion": "gemini-2.5-flash",
        "responseId": "resp-1",
        **more,
    }


def answer(*texts: str) -> list[Step]:
    """A whole, ordinary streamed reply."""
    *some, last = texts
    events = [event(response(text)) for text in some]
    return streamed(*events, event(response(last, finish="STOP", usageMetadata=USAGE)))
