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


_MADE_UP_ID: Final = re.compile(r"call_.+_\d+")
"""The ids that core gives calls without one; Gemini's own are eight letters and digits."""


def finish_reason(reason: str) -> FinishReason:
    """Return the unified name of a finish reason."""
    return _FINISH_REASONS.get(str(reason), "other")


def message_param(answer: Accumulator) -> dict[str, Any]:
    """Return an answer as the model's content of the next request.

    Parts stand in their order, with their signatures. Calls that were cut before their arguments
    were complete are left out, and so is what only describes the answer.
    """
    parts = [part for block in answer.blocks if (part := _part(block)) is not None]
    # The API refuses a content without parts, which is what an answer can be.
    return {"role": "model", "parts": parts or [{"text": ""}]}


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
                "content": message_param(candidate),
                "finishReason": candidate.finish_reason,
                "index": index,
                **_fields(candidate, CANDIDATE),
            }
            for index, candidate in sorted(answers.items())
        ],
        "responseId": answer.id,
        "modelVersion": answer.model,
        "usageMetadata": answer.usage,
        **_fields(answer, RESPONSE),
    }
    return {name: value for name, value in data.items() if value is not None}


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
