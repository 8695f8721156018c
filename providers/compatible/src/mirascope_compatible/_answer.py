"""Chat completions: an answer to a message, to results, to a completion. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mirascope.core import (
    Accumulator,
    BaseTool,
    Block,
    FinishReason,
    JSONObject,
)

_FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "refusal",
    "error": "error",
    "server_error": "error",
    "network_error": "error",
    "insufficient_system_resource": "error",
}
"""Finish reasons of OpenAI's API and the ones that other servers use, by unified name."""


def finish_reason(reason: str) -> FinishReason:
    """Return the unified name of a finish reason."""
    return _FINISH_REASONS.get(reason, "other")


def message_param(answer: Accumulator) -> dict[str, Any]:
    """Return an answer as the assistant's message of the next request.

    Calls that were cut before their arguments were complete are left out: no server takes them.
    """
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.refusal:
        message["refusal"] = answer.refusal
    if details := [dict(b.fields) for b in answer.blocks if b.kind == "other" and b.fields]:
        message["reasoning_details"] = details
    if tool_calls := [_tool_call(b) for b in answer.tool_calls if b.call is not None]:
        message["tool_calls"] = tool_calls
        message["content"] = answer.text or None
    return message


def _tool_call(block: Block) -> JSONObject:
    call = block.call
    assert call is not None  # noqa: S101 - narrows the type
    # An empty string is what a call without arguments streams, and what no server takes back.
    arguments = call.arguments or "{}"
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def tool_message_params(results: Sequence[tuple[BaseTool, Any]]) -> list[dict[str, Any]]:
    """Return the results of tool calls as messages."""
    return [
        {"role": "tool", "tool_call_id": tool.tool_call.id, "content": tool.result_text(output)}
        for tool, output in results
    ]


def completion(answer: Accumulator) -> JSONObject:
    """Return a streamed answer as the completion that would have been sent without streaming."""
    answers = {0: answer, **answer.choices}
    return {
        "id": answer.id or "",
        "object": "chat.completion",
        "created": int(answer.facts.get("created", 0)),
        "model": answer.model or "",
        **{k: v for k, v in answer.facts.items() if k in ("system_fingerprint", "service_tier")},
        "choices": [
            {
                "index": index,
                "finish_reason": choice.finish_reason,
                "logprobs": None,
                "message": {"refusal": None, **message_param(choice)},
            }
            for index, choice in sorted(answers.items())
        ],
        **({"usage": answer.usage} if answer.usage is not None else {}),
    }
