"""Messages: an answer to what the next request, and the user, take. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from mirascope.core import Accumulator, BaseTool, Block, FinishReason, JSONObject
from mirascope.core.json import as_arguments, as_objects
from pydantic_core import from_json

from ._decode import FACTS

_FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}
"""Stop reasons by unified name; `pause_turn` and those of a later API are `"other"`."""

_FINISHED: Final = ("end_turn", "stop_sequence", "tool_use", "pause_turn")
"""Stop reasons of an answer that came to its own end."""

_GOES_ON: Final = ("pause_turn", "tool_use")
"""Stop reasons of a turn in which tools of the server may still be running."""

_RESULT_PARTS: Final = ("text", "image", "document", "search_result", "tool_reference")


def finish_reason(reason: str) -> FinishReason:
    """Return the unified name of a finish reason."""
    return _FINISH_REASONS.get(reason, "other")


def message_param(answer: Accumulator) -> dict[str, Any]:
    """Return an answer as the assistant's message of the next request.

    A plain text answer is a string, which the API defines to mean one text block; anything else is
    the list of blocks. What the API refuses is left out: blank text blocks, thinking without its
    signature, calls without a name or without all their arguments, calls of the server's own tools
    whose result did not come, and fields that only answers have.
    """
    blocks = [block for block in content_blocks(answer) if _can_go_back(block, answer)]
    content = [_param(block) for block in _paired(blocks, answer)]
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
        **answer.extra_fields(join=False),
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
        identity = {"id": call.id, "name": call.name, "input": as_arguments(call.arguments)}
        return {**block.fields, **identity}
    kind = block.fields.get("type")
    if kind == "text" or block.kind == "text":
        return {**block.fields, "text": block.text}
    if kind == "thinking":
        return {**block.fields, "thinking": block.text}
    return dict(block.fields)


def _can_go_back(block: JSONObject, answer: Accumulator) -> bool:
    kind = str(block.get("type"))
    if kind == "text":
        return bool(str(block["text"]).strip())
    if kind == "thinking":
        return bool(block.get("signature")) or _is_never_signed(block, answer)
    if kind == "redacted_thinking":
        return bool(block.get("data"))
    if kind == "tool_use":
        return bool(block.get("name"))
    return "input" in block or not kind.endswith("_tool_use")


def _is_never_signed(block: JSONObject, answer: Accumulator) -> bool:
    """Whether thinking is whole without a signature: other servers of the protocol don't sign.

    Where Claude's signature is missing, `max_tokens` or a broken stream cut the thinking.
    """
    whole = block.get("thinking") and "signature" in block and answer.finish_reason in _FINISHED
    return bool(whole) and not any(b.fields.get("signature") for b in answer.blocks)


def _paired(blocks: list[JSONObject], answer: Accumulator) -> list[JSONObject]:
    """Leave out calls of the server's tools without their results, and the reverse.

    Only a turn that the server goes on with may hold a call that has no result yet:
    https://docs.anthropic.com/en/docs/build-with-claude/handling-stop-reasons
    """
    if answer.finish_reason in _GOES_ON:
        return blocks
    called = {b.get("id") for b in blocks if _is_server_call(b)}
    answered = {b.get("tool_use_id") for b in blocks}
    return [
        block
        for block in blocks
        if (block.get("id") in answered if _is_server_call(block) else True)
        and ("tool_use_id" not in block or block["tool_use_id"] in called)
    ]


def _is_server_call(block: JSONObject) -> bool:
    return str(block.get("type")).endswith("_tool_use")


def _param(block: JSONObject) -> JSONObject:
    if block.get("type") != "text":
        return block
    block = {name: value for name, value in block.items() if name != "citations" or value}
    if citations := as_objects(block.get("citations")):
        # Every citation of a document comes with it, and no request may have it.
        block["citations"] = [
            {name: value for name, value in citation.items() if name != "file_id"}
            for citation in citations
        ]
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
