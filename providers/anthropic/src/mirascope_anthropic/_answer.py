"""Messages: an answer to what the next request, and the user, take. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from mirascope.core import Accumulator, BaseTool, Block, FinishReason, JSONObject
from pydantic_core import from_json

from ._decode import FACTS
from ._tool_input import input_object

_FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}
"""Stop reasons by unified name; `pause_turn` and those of a later API are `"other"`."""

_RESULT_PARTS: Final = ("text", "image", "document", "search_result", "tool_reference")


def finish_reason(reason: str) -> FinishReason:
    """Return the unified name of a finish reason."""
    return _FINISH_REASONS.get(reason, "other")


def message_param(answer: Accumulator) -> dict[str, Any]:
    """Return an answer as the assistant's message of the next request.

    A plain text answer is a string, which the API defines to mean one text block; anything else is
    the list of blocks. What the API refuses is left out: blank text blocks, and blocks that were
    cut (thinking without its signature, calls without all their arguments).
    """
    content = [_param(block) for block in content_blocks(answer) if _can_go_back(block)]
    if len(content) == 1 and content[0].keys() == {"type", "text"}:
        return {"role": "assistant", "content": content[0]["text"]}
    return {"role": "assistant", "content": content or ""}


def content_blocks(answer: Accumulator) -> list[JSONObject]:
    """Return an answer's blocks in their order, as the API would have sent them whole."""
    return [
        _content_block(block)
        for block in answer.blocks
        if block.kind != "refusal" and (block.kind != "tool_call" or block.call is not None)
    ]


def message(answer: Accumulator) -> JSONObject:
    """Return a streamed answer as the message that would have been sent without streaming."""
    stated = {name: from_json(answer.facts[name]) for name in FACTS if name in answer.facts}
    return {
        "id": answer.id or "",
        "type": "message",
        "role": "assistant",
        "model": answer.model or "",
        "content": content_blocks(answer),
        "stop_reason": answer.finish_reason,
        "stop_sequence": None,
        **stated,
        **({"usage": answer.usage} if answer.usage is not None else {}),
    }


def tool_message_params(results: Sequence[tuple[BaseTool, Any]]) -> list[dict[str, Any]]:
    """Return the results of tool calls: one message, as the API wants them."""
    content = [_tool_result(tool, output) for tool, output in results]
    return [{"role": "user", "content": content}] if content else []


def _content_block(block: Block) -> JSONObject:
    if block.call is not None:
        call = block.call
        identity = {"id": call.id, "name": call.name, "input": input_object(call.arguments)}
        return {**block.fields, **identity}
    kind = block.fields.get("type")
    if kind == "text" or block.kind == "text":
        return {**block.fields, "text": block.text}
    if kind == "thinking":
        return {**block.fields, "thinking": block.text}
    return dict(block.fields)


def _can_go_back(block: JSONObject) -> bool:
    kind = str(block.get("type"))
    if kind == "text":
        return bool(block["text"].strip())
    if kind == "thinking":
        return "signature" in block
    return "input" in block or not kind.endswith("_tool_use")


def _param(block: JSONObject) -> JSONObject:
    if block.get("type") == "text" and not block.get("citations"):
        return {name: value for name, value in block.items() if name != "citations"}
    return block


def _tool_result(tool: BaseTool, output: Any) -> JSONObject:
    result: JSONObject = {"type": "tool_result", "tool_use_id": tool.tool_call.id}
    if tool.error is not None:
        result["is_error"] = True
    result["content"] = output if _is_content(output) else tool.result_text(output)
    return result


def _is_content(output: object) -> bool:
    """Whether a tool returned content blocks: images and documents reach the model as such."""
    if not isinstance(output, list) or not output:
        return False
    return all(
        isinstance(part, dict) and cast("JSONObject", part).get("type") in _RESULT_PARTS
        for part in cast("list[object]", output)
    )
