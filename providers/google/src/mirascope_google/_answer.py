"""Gemini: an answer to a content, to results, to a response. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mirascope.core import (
    Accumulator,
    BaseTool,
    Block,
    FinishReason,
    JSONObject,
)
from mirascope.core.json import as_arguments, as_object

from ._decode import CANDIDATE, RESPONSE
from ._messages import function_response

_FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "STOP": "stop",
    "1": "stop",
    "MAX_TOKENS": "length",
    "2": "length",
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "3": "content_filter",
    "RECITATION": "content_filter",
    "4": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "ESCALATION": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "MALFORMED_RESPONSE": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "UNEXPECTED_TOOL_CALL": "error",
}
"""Gemini's finish reasons by unified name; numbers are what `enum-encoding=int` sends.

https://ai.google.dev/api/generate-content#FinishReason
"""


_FINISHED_WELL: Final = ("STOP", 1)
"""The finish reason of an answer that came to its own end."""

_RUNS_AT_SERVER: Final = frozenset({"executableCode", "toolCall"})
"""Parts that are followed by a part with their result."""

_MADE_UP_ID: Final = re.compile(r"call_.+_\d+")
"""The ids that core gives calls without one; Gemini's own are eight letters and digits."""


def finish_reason(reason: str) -> FinishReason:
    """Return the unified name of a finish reason."""
    return _FINISH_REASONS.get(str(reason), "other")


def message_param(answer: Accumulator) -> dict[str, Any]:
    """Return an answer as the model's content of the next request.

    Parts stand in their order, with their signatures. Calls without a name, and calls that were cut
    before their arguments were complete, are left out, and so are parts without any data, code
    of an answer that was cut before its result, and what only describes the answer.
    """
    parts = [part for block in answer.blocks if (part := _sendable(block)) is not None]
    if answer.finish_reason not in _FINISHED_WELL:
        while parts and not parts[-1].keys().isdisjoint(_RUNS_AT_SERVER):
            parts.pop()
    return {"role": "model", "parts": parts}


def tool_message_params(results: Sequence[tuple[BaseTool, Any]]) -> list[dict[str, Any]]:
    """Return the results of tool calls as one content: the API wants parallel ones together."""
    parts = [_result(tool, output) for tool, output in results]
    return [{"role": "user", "parts": parts}] if parts else []


def response(answer: Accumulator) -> JSONObject:
    """Return a streamed answer as the response that would have been sent without streaming."""
    answers = {0: answer, **answer.choices}
    data: JSONObject = {
        "candidates": [
            {
                "content": {"role": "model", "parts": _parts(candidate)},
                "finishReason": candidate.finish_reason,
                "index": index,
                **_fields(candidate, CANDIDATE),
            }
            for index, candidate in sorted(answers.items())
        ],
        "responseId": answer.id,
        "modelVersion": answer.model,
        "usageMetadata": answer.usage,
        **answer.extra_fields(RESPONSE, join=False),
        **_fields(answer, RESPONSE),
    }
    return {name: value for name, value in data.items() if value is not None}


def _parts(answer: Accumulator) -> list[JSONObject]:
    return [part for block in answer.blocks if (part := _part(block)) is not None]


def _sendable(block: Block) -> JSONObject | None:
    part = _part(block)
    if part is None or (part.get("text") == "" and "thoughtSignature" not in part):
        return None
    if block.kind != "tool_call":
        return part
    call = block.call
    if call is None or not call.name:
        return None
    sent = dict(as_object(part.get("functionCall")))
    if sent.get("id"):
        # The one that its result has: core tells repeated ids apart.
        sent["id"] = call.id
    if (arguments := as_arguments(call.arguments)) or "args" in sent:
        sent["args"] = arguments
    return {**part, "functionCall": sent}


def _part(block: Block) -> JSONObject | None:
    if block.key in (CANDIDATE, RESPONSE):
        return None
    if block.kind == "thinking":
        return {"text": block.text, "thought": True, **block.fields}
    if block.kind == "text":
        return {"text": block.text, **block.fields}
    # A call that was cut has no fields yet.
    return dict(block.fields) or None


def _fields(answer: Accumulator, key: str) -> JSONObject:
    return next((block.fields for block in answer.blocks if block.key == key), JSONObject())


def _result(tool: BaseTool, output: Any) -> JSONObject:
    call = tool.tool_call
    if output is None and tool.error is not None:
        output = {"error": str(tool.error)}
    given = None if _MADE_UP_ID.fullmatch(call.id) else call.id
    return function_response(call.name, output, given)
