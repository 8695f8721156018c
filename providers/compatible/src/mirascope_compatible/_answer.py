"""Chat completions: an answer to a message, to results, to a completion. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mirascope.core import (
    Accumulator,
    BaseTool,
    Block,
    FinishReason,
    JSONObject,
)
from mirascope.core.json import as_arguments, as_object, as_objects

from ._extra import CHOICE, LOGPROBS, REASONING_FIELD, RESPONSE

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


_ANSWER_ONLY: Final = frozenset({"executed_tools", "logprobs", "citations", "search_results"})
"""Fields of a message that describe how it was made, and that servers refuse in a request.

Groq: https://console.groq.com/docs/compound
"""


def finish_reason(reason: str) -> FinishReason:
    """Return the unified name of a finish reason."""
    return _FINISH_REASONS.get(reason, "other")


def message_param(answer: Accumulator) -> dict[str, Any]:
    """Return an answer as the assistant's message of the next request.

    What the server added to the message goes back with it, its reasoning under the name that it
    came under, except for what only describes the answer. Calls without a name, and calls that
    were cut before their arguments were complete, are left out: no server takes them.
    """
    extra = {n: v for n, v in answer.extra_fields().items() if v and n not in _ANSWER_ONLY}
    if blocks := extra.pop("thinking_blocks", None):
        signed = [b for b in as_objects(blocks) if b.get("signature") or "signature" not in b]
        extra |= {"thinking_blocks": signed} if signed else {}
    if (audio := as_object(extra.pop("audio", None))) and audio.get("id"):
        # All that a request knows of the answer's sound, which stays with the server.
        extra["audio"] = {"id": audio["id"]}
    details = _reasoning_details(answer)
    calls = [_tool_call(b) for b in answer.tool_calls if b.call is not None and b.call.name]
    reasoning = {} if details else _reasoning(answer)
    message = _message(answer, calls, details, reasoning)
    return {**message, **extra}


def _message(
    answer: Accumulator,
    calls: list[JSONObject],
    details: list[JSONObject],
    reasoning: JSONObject,
) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": _content(answer), **reasoning}
    if answer.refusal:
        message["refusal"] = answer.refusal
    if details:
        message["reasoning_details"] = details
    if calls:
        message["tool_calls"] = calls
        message["content"] = message["content"] or None
    return message


def _content(answer: Accumulator) -> Any:
    """Return the text; where the server sends parts, which Mistral does, the parts in their order.

    https://docs.mistral.ai/capabilities/reasoning
    """
    in_content = _reasoning_field(answer) == "content"
    if not in_content and not any(_is_part(block) for block in answer.blocks):
        return answer.text
    parts: list[JSONObject] = []
    for block in answer.blocks:
        if block.kind == "thinking" and in_content:
            thinking = [{"type": "text", "text": block.text}]
            parts.append({"type": "thinking", "thinking": thinking})
        elif block.kind == "text" and block.text:
            parts.append({"type": "text", "text": block.text})
        elif _is_part(block):
            parts.append(dict(block.fields))
    return parts


def _is_part(block: Block) -> bool:
    return isinstance(block.key, tuple) and block.key[0] == "part"


def _reasoning_details(answer: Accumulator) -> list[JSONObject]:
    return [
        dict(block.fields)
        for block in answer.blocks
        if isinstance(block.key, tuple) and block.key[0] == "reasoning" and block.fields
    ]


def _reasoning(answer: Accumulator) -> JSONObject:
    """Return the reasoning as the server's own field of a message.

    DeepSeek and Kimi refuse a message with tool calls that comes back without it, and pass it over
    in any other: https://api-docs.deepseek.com/guides/thinking_mode
    """
    field = _reasoning_field(answer)
    return {} if field in (None, "content") else {field: answer.thinking}


def _reasoning_field(answer: Accumulator) -> str | None:
    return answer.extra_fields(REASONING_FIELD).get("name")


def _tool_call(block: Block) -> JSONObject:
    call = block.call
    assert call is not None  # noqa: S101 - narrows the type
    identity: JSONObject = {"id": call.id, "type": "function"}
    extra = dict(block.fields)
    if extra.get("type") == "custom":
        called: JSONObject = {"custom": {"name": call.name, "input": call.arguments}}
    else:
        called = {"function": {"name": call.name, "arguments": _arguments(call.arguments)}}
    return {**identity, **extra, **called}


def _arguments(text: str) -> str:
    """Return arguments as they came if they are an object, and else an object that holds them.

    Servers that put the history into a template of their own (vLLM, SGLang, llama.cpp) parse them,
    and answer 400 to anything else for the rest of the conversation.
    """
    arguments = as_arguments(text)
    is_object = bool(arguments) and arguments != {"INVALID_JSON": text}
    return text if is_object else json.dumps(arguments, ensure_ascii=False)


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
                "logprobs": choice.extra_fields(LOGPROBS) or None,
                "message": {"refusal": None, **_whole_message(choice)},
                **choice.extra_fields(CHOICE, join=False),
            }
            for index, choice in sorted(answers.items())
        ],
        **answer.extra_fields(RESPONSE, join=False),
        **({"usage": answer.usage} if answer.usage is not None else {}),
    }


def _whole_message(answer: Accumulator) -> JSONObject:
    """Return an answer as the message of a completion: all of it, fit to go back or not."""
    calls = [
        _tool_call(block) if block.fields.get("type") == "custom" else _sent_call(block)
        for block in answer.tool_calls
        if block.call is not None
    ]
    message = _message(answer, calls, _reasoning_details(answer), _reasoning(answer))
    return {**message, **answer.extra_fields()}


def _sent_call(block: Block) -> JSONObject:
    call = _tool_call(block)
    if block.call is not None and block.text:
        call["function"]["arguments"] = block.text
    return call
