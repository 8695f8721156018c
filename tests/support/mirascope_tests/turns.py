"""One turn with tools in every wire protocol: what is declared, what is called, what goes back."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mirascope.core.testing import ReceivedRequest, Reply, Server, sse, streamed, whole

from .chat import DONE, chunk, completion


@dataclass(frozen=True)
class Way:
    """A provider in one of its wire APIs, synchronous or not."""

    provider: str
    api: str | None
    is_async: bool

    def __str__(self) -> str:
        return f"{self.api or self.provider}-{'async' if self.is_async else 'sync'}"

    def decorate(self, server: Server, tools: Any, messages: Any, **call: Any) -> Any:
        """A decorated function that sends these messages to the server."""
        module = importlib.import_module(f"mirascope_{self.provider}")
        chat = self.provider in ("compatible", "openai")
        url = server.url if chat else server.url.removesuffix("/v1")
        given = {"stream": True, "base_url": url, "api_key": "key-of-nobody", **call}
        if self.api is not None:
            given["api"] = self.api
        if self.is_async:

            async def ask_async() -> Any:
                return messages

            return module.call_async("m", tools=tools, **given)(ask_async)

        def ask() -> Any:
            return messages

        return module.call("m", tools=tools, **given)(ask)

    async def read(self, ask: Any) -> Any:
        """Call, and read a stream to its end."""
        stream = await ask() if self.is_async else ask()
        if not hasattr(stream, "collect"):
            return stream
        if self.is_async:
            await stream.collect()
        else:
            stream.collect()
        return stream


WAYS = [
    Way(provider, api, is_async)
    for provider, api in (
        ("compatible", None),
        ("openai", None),
        ("openai", "responses"),
        ("anthropic", None),
        ("google", None),
    )
    for is_async in (False, True)
]

Call = tuple[str, Any]
"""A name and arguments, as JSON text or as what becomes it."""


Calls = Sequence[tuple[str, str, str]]
"""The ids, names and arguments of calls."""


def calling(*calls: Call) -> Callable[[ReceivedRequest], Reply]:
    """A reply, in the protocol of the request, in which a model calls functions.

    Without calls, it is an ordinary answer.
    """

    def reply(request: ReceivedRequest) -> Reply:
        given = [(f"call_{i}", name, _text(arguments)) for i, (name, arguments) in enumerate(calls)]
        streams, answer = next(both for part, both in _PROTOCOLS.items() if part in request.path)
        if request.json.get("stream") or ":stream" in request.path:
            return streamed(*streams(given))
        return whole(answer(given))

    return reply


def _text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _chat_calls(calls: Calls) -> list[dict[str, Any]]:
    return [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in calls
    ]


def _chat_stream(calls: Calls) -> list[bytes]:
    fragments = [{"index": i, **call} for i, call in enumerate(_chat_calls(calls))]
    events = [chunk(tool_calls=[fragment]) for fragment in fragments]
    return [*events, chunk("" if calls else "Fine.", finish="stop"), DONE]


def _chat_answer(calls: Calls) -> Any:
    if calls:
        return completion(None, tool_calls=_chat_calls(calls), finish="tool_calls")
    return completion("Fine.")


def _responses_answer(calls: Calls) -> dict[str, Any]:
    items: list[dict[str, Any]] = [
        {
            "type": "function_call",
            "id": f"fc_{call_id}",
            "call_id": call_id,
            "name": name,
            "arguments": arguments,
            "status": "completed",
        }
        for call_id, name, arguments in calls
    ]
    said = {"type": "output_text", "text": "Fine.", "annotations": []}
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [said],
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": "completed",
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": items or [message],
    }


def _responses_stream(calls: Calls) -> list[bytes]:
    response = _responses_answer(calls)
    sent = [
        {"type": "response.output_item.done", "output_index": i, "item": item}
        for i, item in enumerate(response["output"])
    ]
    end = {"type": "response.completed", "response": response}
    return [sse(data, data["type"]) for data in (*sent, end)]


def _messages_answer(calls: Calls) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [
        {"type": "tool_use", "id": call_id, "name": name, "input": json.loads(arguments)}
        for call_id, name, arguments in calls
    ]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": blocks or [{"type": "text", "text": "Fine."}],
        "stop_reason": "tool_use" if calls else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _messages_stream(calls: Calls) -> list[bytes]:
    message = {**_messages_answer(calls), "content": [], "stop_reason": None}
    sent: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
    for index, (call_id, name, arguments) in enumerate(calls):
        block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": arguments}
        sent += [
            {"type": "content_block_start", "index": index, "content_block": block},
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
        ]
    if not calls:
        delta = {"type": "text_delta", "text": "Fine."}
        text = {"type": "text", "text": ""}
        sent += [
            {"type": "content_block_start", "index": 0, "content_block": text},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
        ]
    stop = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
    sent += [
        {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    return [sse(data, data["type"]) for data in sent]


def _generate_answer(calls: Calls) -> dict[str, Any]:
    parts = [
        {"functionCall": {"id": call_id, "name": name, "args": json.loads(arguments)}}
        for call_id, name, arguments in calls
    ]
    content = {"role": "model", "parts": parts or [{"text": "Fine."}]}
    candidate = {"content": content, "index": 0, "finishReason": "STOP"}
    return {"candidates": [candidate], "modelVersion": "m", "responseId": "r"}


def _generate_stream(calls: Calls) -> list[bytes]:
    return [sse(_generate_answer(calls))]


_PROTOCOLS: dict[str, tuple[Callable[[Calls], list[bytes]], Callable[[Calls], Any]]] = {
    "/chat/completions": (_chat_stream, _chat_answer),
    "/responses": (_responses_stream, _responses_answer),
    "/messages": (_messages_stream, _messages_answer),
    "enerateContent": (_generate_stream, _generate_answer),
}
"""The streamed and the whole answer of each protocol, by a part of its path."""


def declared(body: Any) -> dict[str, dict[str, Any]]:
    """The tools of a request: description and parameters by name, whatever the protocol."""
    tools: list[dict[str, Any]] = body.get("tools") or []
    if tools and "functionDeclarations" in tools[0]:
        tools = tools[0]["functionDeclarations"]
    inner = [tool.get("function", tool) for tool in tools]
    names = ("parameters", "input_schema", "parameters_json_schema")
    return {
        tool["name"]: {
            "description": tool.get("description", ""),
            "parameters": next((tool[name] for name in names if name in tool), None),
        }
        for tool in inner
    }


def returned(body: Any) -> list[Any]:
    """The outputs of tools in a request, as the model reads them."""
    found: list[Any] = [
        item.get("content", item.get("output"))
        for item in (*body.get("messages", ()), *body.get("input", ()))
        if item.get("role") == "tool" or item.get("type") == "function_call_output"
    ]
    for message in (*body.get("messages", ()), *body.get("contents", ())):
        parts = message.get("parts") or message.get("content") or ()
        for part in parts if isinstance(parts, list) else ():
            if part.get("type") == "tool_result":
                found.append(part["content"])
            elif "functionResponse" in part:
                response = part["functionResponse"]["response"]
                found.append(response.get("output", response.get("error")))
    return found
