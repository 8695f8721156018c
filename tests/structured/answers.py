"""Answers that are values, in every wire protocol: as text, or as the arguments of a tool call."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from mirascope.core.testing import ReceivedRequest, Reply, streamed, whole
from mirascope_tests.chat import completion
from mirascope_tests.turns import calling

from ..protocols import PROTOCOLS, Protocol, body


def protocol_of(path: str) -> Protocol:
    names = {"/chat/completions": "chat", "/responses": "responses", "/messages": "messages"}
    return PROTOCOLS[next((names[part] for part in names if part in path), "generate")]


def answering(*texts: str) -> Callable[[ReceivedRequest], Reply]:
    """A reply with these pieces of text, in the protocol of the request."""

    def reply(request: ReceivedRequest) -> Reply:
        protocol = protocol_of(request.path)
        if request.json.get("stream") or ":stream" in request.path:
            said = [event for text in texts for event in protocol.text(text)]
            return streamed(body(*protocol.begin, *said, *protocol.end, done=protocol.done))
        return whole(_whole(protocol, "".join(texts)))

    return reply


def called(name: str, *pieces: str) -> Callable[[ReceivedRequest], Reply]:
    """A reply that calls a tool with these pieces of its arguments."""

    def reply(request: ReceivedRequest) -> Reply:
        protocol = protocol_of(request.path)
        if request.json.get("stream") or ":stream" in request.path:
            call = protocol.call(0, "call_0", name, pieces)
            return streamed(body(*protocol.begin, *call, *protocol.end, done=protocol.done))
        return calling((name, "".join(pieces)))(request)

    return reply


def _whole(protocol: Protocol, text: str) -> Any:
    name = next(name for name, known in PROTOCOLS.items() if known is protocol)
    if name == "chat":
        return completion(text)
    if name == "responses":
        said = {"type": "output_text", "text": text, "annotations": []}
        item = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
        response = {"id": "r", "object": "response", "created_at": 1, "model": "m"}
        more = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
        return {**response, **more, "status": "completed", "output": [{**item, "content": [said]}]}
    if name == "messages":
        message = {"id": "m", "type": "message", "role": "assistant", "model": "m"}
        usage = {"input_tokens": 1, "output_tokens": 1}
        content = [{"type": "text", "text": text}]
        end = {"stop_reason": "end_turn", "stop_sequence": None, "usage": usage}
        return {**message, "content": content, **end}
    content = {"role": "model", "parts": [{"text": text}]}
    candidate = {"content": content, "index": 0, "finishReason": "STOP"}
    return {"candidates": [candidate], "modelVersion": "m", "responseId": "r"}


def schema_in(request: Any) -> dict[str, Any]:
    """The schema that a request asks for in the API's own parameter, whatever the protocol."""
    found = json.dumps(request)
    for path in (
        ("response_format", "json_schema", "schema"),
        ("text", "format", "schema"),
        ("output_config", "format", "schema"),
        ("generationConfig", "responseJsonSchema"),
        ("config", "response_json_schema"),
    ):
        value: Any = request
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            return value
    raise AssertionError(f"no schema in {found}")


def pieces(text: str, size: int = 4) -> Sequence[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]
