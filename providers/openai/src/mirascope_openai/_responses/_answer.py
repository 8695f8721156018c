"""The Responses API: an answer to the next request and to a response object.

Pure functions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, cast

from mirascope.core import Accumulator, Block, FinishReason, JSONObject
from mirascope.core.json import as_arguments
from typing_extensions import TypedDict

from ._decode import ARGUMENTS, BEGUN, ITEM, RESPONSE

_FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "completed": "stop",
    "incomplete:max_output_tokens": "length",
    "incomplete:max_messages": "length",
    "incomplete:content_filter": "content_filter",
    "failed": "error",
}
"""The endings of a response, as `status` or `status:reason`, by unified name."""


_ANSWER_ONLY: Final = frozenset({"created_by"})
"""Fields that output items have and input items have not."""


class OpenAIResponsesMessageParam(TypedDict):
    """An answer of the Responses API as one message: its `role`, and its items as `content`.

    Calls of this provider take it as it is. For the SDK's own functions, `content` is the list of
    input items: `input=[…, *message["content"], …]`.
    """

    role: Literal["assistant"]
    content: list[dict[str, Any]]
    """The output items of the answer, in order, as they were sent."""


def finish_reason(reason: str) -> FinishReason:
    """Return the unified name of a finish reason."""
    return _FINISH_REASONS.get(reason, "other")


def message_param(answer: Accumulator) -> dict[str, Any]:
    """Return an answer as the assistant's message of the next request.

    Of an answer that ended early, items that are not complete are left out, but for their text.
    The API takes a reasoning item only together with the item that followed it, and only if it was
    stored or has its encrypted content; it takes no call without a name, and no field that only
    answers have. Servers that put the history into a template of their own take no arguments but an
    object.
    """
    items: list[JSONObject] = []
    followed = False
    for block in reversed(_item_blocks(answer)):
        item = _sendable(block, answer)
        if item is None or (item["type"] == "reasoning" and not followed):
            followed = False
        elif item["type"] != "reasoning" or _is_kept(item, answer):
            followed = ITEM in block.fields or block.call is not None
            items.append(_without_answer_only(item))
    return {"role": "assistant", "content": items[::-1]}


def response(answer: Accumulator) -> JSONObject:
    """Return an answer as the response that would have been sent without streaming.

    ChatGPT's own server leaves the items out of the last event: then they are those that were
    streamed.
    """
    data: JSONObject = {"id": answer.id or "", "object": "response", "model": answer.model or ""}
    for block in answer.blocks:
        data |= block.fields.get(RESPONSE, {})
    output = data.get("output") or [_output_item(block, answer) for block in _item_blocks(answer)]
    return {**data, "output": output}


def custom_call_ids(answer: Accumulator) -> set[str]:
    """Return the ids of the calls that are answered by a `custom_tool_call_output`."""
    return {
        block.call.id
        for block in answer.tool_calls
        if block.call is not None and _kind(block) == "custom_tool_call"
    }


def _item_blocks(answer: Accumulator) -> list[Block]:
    """Return the blocks that are output items: a refusal stands beside its message's block."""
    return [block for block in answer.blocks if block.key is not None and block.key != RESPONSE]


def _begun(block: Block) -> JSONObject:
    item: JSONObject = block.fields.get(BEGUN) or {}
    return item


def _kind(block: Block) -> str:
    item: JSONObject = block.fields.get(ITEM) or _begun(block)
    unannounced = {"text": "message", "thinking": "reasoning", "tool_call": "function_call"}
    return str(item.get("type") or unannounced.get(block.kind))


def _sendable(block: Block, answer: Accumulator) -> JSONObject | None:
    """Return what a block gives to the next request, or None."""
    if block.call is not None:
        return _called(block, answer) if block.call.name else None
    if ITEM in block.fields and block.kind != "tool_call":
        return _output_item(block, answer)
    if _kind(block) == "message" and (text := block.text or answer.refusal):
        # Without its id: the server has no complete message of that id.
        phase = _begun(block).get("phase")
        message: JSONObject = {"type": "message", "role": "assistant", "content": text}
        return {**message, "phase": phase} if phase else message
    return None


def _called(block: Block, answer: Accumulator) -> JSONObject:
    """Return a call with arguments that are an object, which text that was cut is put into."""
    item = _output_item(block, answer)
    if item["type"] == "function_call":
        text = str(item["arguments"])
        arguments = as_arguments(text)
        if not arguments or arguments == {"INVALID_JSON": text}:
            item["arguments"] = json.dumps(arguments, ensure_ascii=False)
    return item


def _is_kept(item: JSONObject, answer: Accumulator) -> bool:
    """Whether a reasoning item is one that the server can read again.

    Without `store` it has forgotten the item, and answers 404 to it unless the item itself has the
    reasoning: https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items
    """
    response = _response(answer)
    return response.get("store") is not False or any(
        item.get(name) for name in ("encrypted_content", "content")
    )


def _without_answer_only(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_answer_only(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("JSONObject", value)
    return {k: _without_answer_only(v) for k, v in fields.items() if k not in _ANSWER_ONLY}


def _response(answer: Accumulator) -> JSONObject:
    return next((b.fields[RESPONSE] for b in answer.blocks if b.key == RESPONSE), {})


def _output_item(block: Block, answer: Accumulator) -> JSONObject:
    """Return a block as an output item, with what had arrived of one that is not complete."""
    kind = _kind(block)
    if ITEM in block.fields:
        item: JSONObject = dict(block.fields[ITEM])
    else:
        whole = answer.ended or block.call is not None
        status = "completed" if whole else "incomplete"
        item = {"type": kind, **_begun(block), "status": status}
        if kind == "message":
            item = {"role": "assistant", **item, "content": list(_parts(block, answer))}
        elif kind == "reasoning":
            item["summary"] = [{"type": "summary_text", "text": block.text}]
        elif kind in ARGUMENTS:
            item[ARGUMENTS[kind]] = block.text
    if block.call is not None:
        # Under the id of the call that was yielded: repeated ids were told apart, so that each
        # result finds its call. No server takes back the empty text of a call without arguments.
        arguments = block.text or ("{}" if kind == "function_call" else "")
        item |= {"call_id": block.call.id, "name": block.call.name, ARGUMENTS[kind]: arguments}
    return item


def _parts(block: Block, answer: Accumulator) -> Iterator[JSONObject]:
    if block.text:
        yield {"type": "output_text", "text": block.text, "annotations": []}
    elif answer.refusal:
        yield {"type": "refusal", "refusal": answer.refusal}
