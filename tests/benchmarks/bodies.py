"""Response bodies with many small deltas, as each protocol sends them: compact, with its padding.

The kinds are `"text"`, `"tools"` (one call of `save(text: str)`) and `"thinking"`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any


def words(chunks: int) -> list[str]:
    """The deltas."""
    return [f" word{i % 100}" for i in range(chunks)]


def chat(chunks: int, kind: str = "text") -> Iterator[bytes]:
    """A streamed chat completion of OpenAI's API; reasoning as DeepSeek's has it."""
    base = {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion.chunk",
        "created": 1741569952,
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "system_fingerprint": "fp_65564d8ba5",
    }
    padding = _paddings()

    def event(delta: dict[str, object], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**base, "choices": [choice], "usage": None, "obfuscation": next(padding)})

    def call(**function: str) -> dict[str, object]:
        named = {"id": "call_abc", "type": "function"} if "name" in function else {}
        return {"tool_calls": [{"index": 0, **named, "function": function}]}

    yield event({"role": "assistant", "content": "", "refusal": None})
    if kind == "tools":
        yield event(call(name="save", arguments=""))
        for piece in _arguments(chunks):
            yield event(call(arguments=piece))
    else:
        for word in words(chunks):
            yield event({"content" if kind == "text" else "reasoning_content": word})
    if kind == "thinking":
        yield event({"content": "ok"})
    yield event({}, "tool_calls" if kind == "tools" else "stop")
    usage = {"prompt_tokens": 12, "completion_tokens": chunks, "total_tokens": chunks + 12}
    yield _data({**base, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def responses(chunks: int, kind: str = "text") -> Iterator[bytes]:
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
    number, padding = itertools.count(), _paddings()
    output: list[dict[str, Any]] = []

    def event(kind: str, **fields: Any) -> bytes:
        return _named(kind, {"type": kind, "sequence_number": next(number), **fields})

    def delta(kind: str, text: str, **place: Any) -> bytes:
        return event(kind, **place, delta=text, obfuscation=next(padding))

    def item(begun: dict[str, Any], between: Iterator[bytes], **done: Any) -> Iterator[bytes]:
        yield event("response.output_item.added", output_index=len(output), item=begun)
        yield from between
        yield event("response.output_item.done", output_index=len(output), item={**begun, **done})
        output.append({**begun, **done})

    def reasoning(pieces: list[str]) -> Iterator[bytes]:
        place = {"item_id": "rs_67c9fdcf", "output_index": len(output), "summary_index": 0}
        part = {"type": "summary_text", "text": ""}
        yield event("response.reasoning_summary_part.added", **place, part=part)
        for piece in pieces:
            yield delta("response.reasoning_summary_text.delta", piece, **place)
        yield event("response.reasoning_summary_text.done", **place, text="".join(pieces))

    def message(pieces: list[str]) -> Iterator[bytes]:
        place = {"item_id": "msg_67c9fdcf37fc", "output_index": len(output), "content_index": 0}
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        yield event("response.content_part.added", **place, part=part)
        for piece in pieces:
            yield delta("response.output_text.delta", piece, **place, logprobs=[])
        yield event("response.output_text.done", **place, text="".join(pieces), logprobs=[])

    def call(pieces: list[str]) -> Iterator[bytes]:
        place = {"item_id": "fc_67c9fdcf", "output_index": len(output)}
        for piece in pieces:
            yield delta("response.function_call_arguments.delta", piece, **place)
        whole = "".join(pieces)
        yield event("response.function_call_arguments.done", **place, arguments=whole)

    yield event("response.created", response=response)
    if kind == "tools":
        arguments = _arguments(chunks)
        begun = {"id": "fc_67c9fdcf", "type": "function_call", "call_id": "call_abc"}
        begun |= {"status": "in_progress", "name": "save", "arguments": ""}
        yield from item(begun, call(arguments), status="completed", arguments="".join(arguments))
    else:
        said = words(chunks)
        if kind == "thinking":
            begun = {"id": "rs_67c9fdcf", "type": "reasoning", "summary": []}
            summary = [{"type": "summary_text", "text": "".join(said)}]
            yield from item(begun, reasoning(said), summary=summary)
            said = ["ok"]
        begun = {"id": "msg_67c9fdcf37fc", "type": "message", "role": "assistant"}
        begun |= {"status": "in_progress", "content": []}
        part = {"type": "output_text", "text": "".join(said), "annotations": [], "logprobs": []}
        yield from item(begun, message(said), status="completed", content=[part])
    usage = {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": chunks,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": chunks + 12,
    }
    ended = {**response, "status": "completed", "output": output, "usage": usage}
    yield event("response.completed", response=ended)


def messages(chunks: int, kind: str = "text") -> Iterator[bytes]:
    """A streamed message of Anthropic's API, which pads between the last brackets."""
    paddings = itertools.cycle(range(12))

    def event(kind: str, **fields: Any) -> bytes:
        whole = _named(kind, {"type": kind, **fields})
        return whole[:-3] + b" " * next(paddings) + whole[-3:]

    def block(number: int, begun: dict[str, Any], deltas: Iterator[dict[str, Any]]) -> Any:
        yield event("content_block_start", index=number, content_block=begun)
        for delta in deltas:
            yield event("content_block_delta", index=number, delta=delta)
        yield event("content_block_stop", index=number)

    def text(pieces: list[str], number: int) -> Iterator[bytes]:
        deltas = ({"type": "text_delta", "text": piece} for piece in pieces)
        yield from block(number, {"type": "text", "text": ""}, deltas)

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
    if kind == "tools":
        begun: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "save", "input": {}}
        pieces = _arguments(chunks)
        deltas = ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)
        yield from block(0, begun, deltas)
    elif kind == "thinking":
        thoughts = [{"type": "thinking_delta", "thinking": word} for word in words(chunks)]
        signature = {"type": "signature_delta", "signature": "c2ln"}
        begun = {"type": "thinking", "thinking": "", "signature": ""}
        yield from block(0, begun, iter([*thoughts, signature]))
        yield from text(["ok"], 1)
    else:
        yield from text(words(chunks), 0)
    reason = "tool_use" if kind == "tools" else "end_turn"
    yield event(
        "message_delta",
        delta={"stop_reason": reason, "stop_sequence": None},
        usage={"output_tokens": chunks},
    )
    yield event("message_stop")


def generate(chunks: int, kind: str = "text") -> Iterator[bytes]:
    """A streamed answer of Gemini's API; arguments as its `partialArgs`."""
    said = words(chunks)
    parts: list[dict[str, Any]] = []
    if kind == "text":
        parts = [{"text": word} for word in said]
    elif kind == "thinking":
        parts = [*({"text": word, "thought": True} for word in said), {"text": "ok"}]
    else:
        parts.append({"functionCall": {"name": "save", "id": "c1", "willContinue": True}})
        for number, word in enumerate(said, 1):
            partial = {"jsonPath": "$.text", "stringValue": word, "willContinue": number < chunks}
            parts.append({"functionCall": {"partialArgs": [partial], "willContinue": True}})
        parts.append({"functionCall": {}})
    for number, part in enumerate(parts, 1):
        candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}, "index": 0}
        if number == len(parts):
            candidate["finishReason"] = "STOP"
        usage = {
            "promptTokenCount": 12,
            "candidatesTokenCount": number,
            "totalTokenCount": number + 12,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 12}],
        }
        yield _data(
            {
                "candidates": [candidate],
                "usageMetadata": usage,
                "modelVersion": "gemini-2.5-flash",
                "responseId": "mAitaLmkHPPlz7IPvtfUqQ4",
            }
        ).replace(b"\n", b"\r\n")


def _arguments(chunks: int) -> list[str]:
    """The JSON text of a call's arguments, in pieces."""
    return ['{"text":"', *words(chunks), '"}']


def _paddings() -> Iterator[str]:
    """What OpenAI pads its events with, so that their size tells nothing."""
    return itertools.cycle("aB3dE6gHk9LmN2pQ"[: 1 + i * 7 % 16] for i in range(16))


def _data(data: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % json.dumps(data, separators=(",", ":")).encode()


def _named(name: str, data: dict[str, Any]) -> bytes:
    return b"event: %s\n%s" % (name.encode(), _data(data))
