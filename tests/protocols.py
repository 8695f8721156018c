"""Small streams of every wire protocol, event by event, for rules that hold in all of them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mirascope.core import BaseStream, MirascopeError, Recording, stream_from

Event = dict[str, Any]


@dataclass(frozen=True)
class Protocol:
    """A wire protocol.

    Attributes:
        provider: the provider whose decoder reads it.
        api: the provider's name for the protocol, where it has several.
        begin: the events before the answer.
        text: a piece of text.
        thinking: a piece of reasoning.
        call: the events of a call: its number, id, name, and pieces of the arguments.
        end: the events of a good end; the last one is the protocol's own end marker.
        done: what ends the body and is not JSON.
    """

    provider: str
    api: str | None
    begin: Sequence[Event]
    text: Callable[[str], Sequence[Event]]
    thinking: Callable[[str], Sequence[Event]]
    call: Callable[[int, str, str, Sequence[str]], Sequence[Event]]
    end: Sequence[Event]
    done: bytes = b""


def body(*events: Event, done: bytes = b"") -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + done


def read(protocol: Protocol, sent: bytes) -> BaseStream[Any]:
    """Read a body to its end, whatever the end is."""
    stream = stream_from(Recording.of_body(sent), provider=protocol.provider, api=protocol.api)
    said = []
    with contextlib.suppress(MirascopeError):
        for chunk, _ in stream:
            said.append(chunk)
    vars(stream)["chunks_seen"] = said
    return stream


# Chat completions


def _chat(finish: str | None = None, **delta: Any) -> Event:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice],
    }


def _chat_call(number: int, call_id: str, name: str, pieces: Sequence[str]) -> list[Event]:
    function: dict[str, Any] = {"name": name, "arguments": pieces[0]}
    first = {"index": number, "id": call_id, "type": "function", "function": function}
    rest = [{"index": number, "function": {"arguments": piece}} for piece in pieces[1:]]
    return [_chat(tool_calls=[fragment]) for fragment in (first, *rest)]


def _of_chat(provider: str, api: str | None) -> Protocol:
    return Protocol(
        provider,
        api,
        begin=[_chat(role="assistant", content="")],
        text=lambda text: [_chat(content=text)],
        thinking=lambda text: [_chat(reasoning_content=text)],
        call=_chat_call,
        end=[_chat("stop")],
        done=b"data: [DONE]\n\n",
    )


# The Responses API

_RESPONSE: Event = {"id": "r", "object": "response", "created_at": 1, "model": "m", "output": []}


def _response(kind: str, **fields: Any) -> Event:
    return {"type": f"response.{kind}", **fields}


def _responses_call(number: int, call_id: str, name: str, pieces: Sequence[str]) -> list[Event]:
    item = {"id": f"fc_{call_id}", "type": "function_call", "call_id": call_id, "name": name}
    place = {"output_index": number + 2, "item_id": item["id"]}
    return [
        _response("output_item.added", output_index=number + 2, item={**item, "arguments": ""}),
        *(_response("function_call_arguments.delta", **place, delta=piece) for piece in pieces),
        _response("function_call_arguments.done", **place, arguments="".join(pieces)),
        _response(
            "output_item.done",
            output_index=number + 2,
            item={**item, "arguments": "".join(pieces), "status": "completed"},
        ),
    ]


RESPONSES = Protocol(
    "openai",
    "responses",
    begin=[_response("created", response=_RESPONSE)],
    text=lambda text: [
        _response("output_text.delta", item_id="msg", output_index=0, content_index=0, delta=text)
    ],
    thinking=lambda text: [
        _response("reasoning_summary_text.delta", item_id="rs", output_index=1, delta=text)
    ],
    call=_responses_call,
    end=[_response("completed", response={**_RESPONSE, "status": "completed"})],
)

# Messages


def _delta(index: int, kind: str, **fields: Any) -> Event:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def _messages_call(number: int, call_id: str, name: str, pieces: Sequence[str]) -> list[Event]:
    index = number + 2
    block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    return [
        {"type": "content_block_start", "index": index, "content_block": block},
        *(_delta(index, "input_json_delta", partial_json=piece) for piece in pieces),
        {"type": "content_block_stop", "index": index},
    ]


MESSAGES = Protocol(
    "anthropic",
    None,
    begin=[
        {
            "type": "message_start",
            "message": {
                "id": "m",
                "type": "message",
                "role": "assistant",
                "model": "m",
                "content": [],
                "stop_reason": None,
                "usage": {"input_tokens": 1, "output_tokens": 1},
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
    ],
    text=lambda text: [_delta(0, "text_delta", text=text)],
    thinking=lambda text: [_delta(1, "thinking_delta", thinking=text)],
    call=_messages_call,
    end=[
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 5},
        },
        {"type": "message_stop"},
    ],
)

# Gemini


def _candidate(*parts: Event, **fields: Any) -> Event:
    content = {"role": "model", "parts": list(parts)}
    return {
        "candidates": [{"content": content, "index": 0, **fields}],
        "modelVersion": "m",
        "responseId": "r",
    }


def _generate_call(number: int, call_id: str, name: str, pieces: Sequence[str]) -> list[Event]:
    arguments = json.loads("".join(pieces))
    return [_candidate({"functionCall": {"id": call_id, "name": name, "args": arguments}})]


GENERATE = Protocol(
    "google",
    None,
    begin=[_candidate({"text": ""})],
    text=lambda text: [_candidate({"text": text})],
    thinking=lambda text: [_candidate({"text": text, "thought": True})],
    call=_generate_call,
    end=[_candidate(finishReason="STOP")],
)

PROTOCOLS: dict[str, Protocol] = {
    "compatible": _of_chat("compatible", None),
    "chat": _of_chat("openai", "chat"),
    "responses": RESPONSES,
    "messages": MESSAGES,
    "generate": GENERATE,
    "local": _of_chat("local", None),
}
