"""A call to a request, and an answer to a message. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mirascope.core import (
    Accumulator,
    BaseTool,
    CallRequest,
    JSONObject,
    MessageParam,
    Request,
    UsageError,
)


def prepare(call: CallRequest) -> Request:
    """Return a call as the body of `POST /v1/answers`."""
    messages = [_message(message) for message in call.messages]
    body: JSONObject = {"model": call.model, "messages": messages, **call.call_params}
    if call.tools:
        body["tools"] = [
            {
                "name": tool.tool_name(),
                "about": tool.tool_description(),
                "takes": tool.tool_parameters(),
            }
            for tool in call.tools
        ]
    body["stream"] = call.stream
    return Request(messages=messages, kwargs=body)


def _message(message: MessageParam) -> JSONObject:
    if "text" in message:
        return dict(message)
    if not isinstance(message["content"], str):
        raise UsageError(f"acme takes text only, not {message['content']!r}")
    return {"role": message["role"], "text": message["content"]}


def message_param(answer: Accumulator) -> JSONObject:
    """Return an answer as the message that goes back; calls that were cut are left out."""
    message: JSONObject = {"role": "assistant", "text": answer.text}
    if calls := _calls(answer):
        message["calls"] = calls
    return message


def tool_message_params(results: Sequence[tuple[BaseTool, Any]]) -> list[JSONObject]:
    """Return the results of tool calls as messages."""
    return [
        {"role": "tool", "call": tool.tool_call.id, "text": tool.result_text(output)}
        for tool, output in results
    ]


def response_object(answer: Accumulator) -> JSONObject:
    """Return a streamed answer as what Acme answers without streaming."""
    return {
        "id": answer.id,
        "model": answer.model,
        "text": answer.text,
        "calls": _calls(answer),
        "usage": answer.usage,
        "reason": answer.finish_reason,
    }


def _calls(answer: Accumulator) -> list[JSONObject]:
    calls = (block.call for block in answer.tool_calls)
    return [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in calls if c is not None]
