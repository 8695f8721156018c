"""Response bodies with many small text deltas, as each protocol sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def words(chunks: int) -> list[str]:
    """The deltas."""
    return [f" word{i % 100}" for i in range(chunks)]


def chat(chunks: int) -> Iterator[bytes]:
    """A streamed chat completion of OpenAI's API."""
    base = {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion.chunk",
        "created": 1741569952,
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "system_fingerprint": "fp_65564d8ba5",
    }

    def event(delta: dict[str, object], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**base, "choices": [choice]})

    yield event({"role": "assistant", "content": ""})
    for word in words(chunks):
        yield event({"content": word})
    yield event({}, "stop")
    usage = {"prompt_tokens": 12, "completion_tokens": chunks, "total_tokens": chunks + 12}
    yield _data({**base, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def responses(chunks: int) -> Iterator[bytes]:
    """A streamed response of OpenAI's Responses API."""
    response: dict[str, Any] = {
        "id": "resp_67c9fdcecf488190bdd9a0409de3a1ec07b8b0ad4e5eb654",
        "object": "response",
        "created_at": 1741487325,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": "gpt-4o-2024-08-06",
        "output": [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None,
        "metadata": {},
    }
    item: dict[str, Any] = {
        "id": "msg_67c9fdcf37fc8190ba82116e33fb28c507b8b0ad4e5eb654",
        "type": "message",
        "status": "in_progress",
        "role": "assistant",
        "content": [],
    }
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    whole = {**part, "text": "".join(words(chunks))}
    done = {**item, "status": "completed", "content": [whole]}
    number = iter(range(chunks + 10))

    def event(kind: str, **fields: Any) -> bytes:
        return _named(kind, {"type": kind, "sequence_number": next(number), **fields})

    yield event("response.created", response=response)
    yield event("response.output_item.added", output_index=0, item=item)
    yield event("response.content_part.added", **place, part=part)
    for word in words(chunks):
        yield event("response.output_text.delta", **place, delta=word, logprobs=[])
    yield event("response.output_text.done", **place, text=whole["text"], logprobs=[])
    yield event("response.output_item.done", output_index=0, item=done)
    usage = {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": chunks,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": chunks + 12,
    }
    ended = {**response, "status": "completed", "output": [done], "usage": usage}
    yield event("response.completed", response=ended)


def messages(chunks: int) -> Iterator[bytes]:
    """A streamed message of Anthropic's API."""

    def event(kind: str, **fields: Any) -> bytes:
        return _named(kind, {"type": kind, **fields})

    usage = {"input_tokens": 12, "output_tokens": 1}
    yield event(
        "message_start",
        message={
            "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5-20250929",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        },
    )
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for word in words(chunks):
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    yield event("content_block_stop", index=0)
    yield event(
        "message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": None},
        usage={"output_tokens": chunks},
    )
    yield event("message_stop")


def generate(chunks: int) -> Iterator[bytes]:
    """A streamed answer of Gemini's API."""
    for number, word in enumerate(words(chunks), 1):
        candidate: dict[str, Any] = {
            "content": {"parts": [{"text": word}], "role": "model"},
            "index": 0,
        }
        if number == chunks:
            candidate["finishReason"] = "STOP"
        yield _data(
            {
                "candidates": [candidate],
                "usageMetadata": {
                    "promptTokenCount": 12,
                    "candidatesTokenCount": number,
                    "totalTokenCount": number + 12,
                },
                "modelVersion": "gemini-2.5-flash",
                "responseId": "mAitaLmkHPPlz7IPvtfUqQ4",
            }
        ).replace(b"\n", b"\r\n")


def _data(data: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % json.dumps(data).encode()


def _named(name: str, data: dict[str, Any]) -> bytes:
    return b"event: %s\n%s" % (name.encode(), _data(data))
