"""The Responses API: a call to a request. Pure functions.

Messages are neutral ones, in the style of chat completions, or input items in the API's own form,
which pass through unchanged: whatever has a `type` is one. An assistant's message whose content is
a list of output items, which is what `message_param` is, becomes those items.
https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from mirascope.core import (
    AnswerFormat,
    BaseTool,
    CallRequest,
    JSONObject,
    Request,
    refuse_parts,
)
from mirascope.core.json import as_mappings
from mirascope_compatible import answer_parameters

_SAID: Final[Mapping[str, str]] = {"text": "text", "output_text": "text", "refusal": "refusal"}
"""The parts of an assistant's message that are text, and where the text is."""


_REFUSED: Final = {"audio": "use the API of chat completions, which is the default"}


def build_request(call: CallRequest) -> Request:
    """Return a call as the body of `POST /responses`.

    System messages at the beginning are the `instructions`, which a conversation that is continued
    by `previous_response_id` does not repeat. Where the call gives `instructions` itself, or where
    nothing else is said, they stay items of the input.
    """
    refuse_parts(call.messages, _REFUSED, where="OpenAI's Responses API")
    system, items = _split(_input_items(call.messages))
    body: dict[str, Any] = {"model": call.model, **call.call_params}
    instructions = [_plain(item["content"]) for item in system]
    if not items or "instructions" in body or None in instructions:
        body.setdefault("input", [*system, *items])
    else:
        if instructions:
            body["instructions"] = "\n\n".join(text for text in instructions if text)
        body.setdefault("input", items)
    if call.tools:
        body["tools"] = [*map(tool_schema, call.tools), *body.get("tools", ())]
    if call.tool_choice is not None:
        kind, name = call.tool_choice.kind, call.tool_choice.name
        body["tool_choice"] = kind if name is None else {"type": "function", "name": name}
    if call.answer is not None:
        body |= _answer_parameters(call.answer, body)
    if call.stream:
        body["stream"] = True
    return Request(messages=[*system, *items], kwargs=body)


def _answer_parameters(answer: AnswerFormat, body: Mapping[str, Any]) -> JSONObject:
    """Return the parameters that ask for the form of an answer, with what they are merged with."""
    parameters = answer_parameters(answer, body)
    wanted: JSONObject | None = parameters.pop("response_format", None)
    if wanted is None:
        return parameters
    # The same as in chat completions, without the inner object.
    text = {"type": wanted["type"], **wanted.get("json_schema", {})}
    return {"text": {**(body.get("text") or {}), "format": text}}


def tool_schema(tool: type[BaseTool]) -> JSONObject:
    """Return a tool as the API describes it.

    A schema is not strict unless it was written for that: the API would otherwise make optional
    arguments required (https://platform.openai.com/docs/guides/function-calling#strict-mode).
    """
    schema: JSONObject = {"type": "function", "name": tool.tool_name()}
    if description := tool.tool_description():
        schema["description"] = description
    return {**schema, "parameters": tool.tool_parameters(), "strict": False}


def tool_message_params(results: Sequence[tuple[BaseTool, Any]]) -> list[dict[str, Any]]:
    """Return the results of function calls as input items."""
    return [
        {
            "type": "function_call_output",
            "call_id": tool.tool_call.id,
            "output": tool.result_text(output),
        }
        for tool, output in results
    ]


def _split(items: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Part the system messages at the beginning from the rest."""
    first = next(
        (i for i, item in enumerate(items) if "type" in item or item.get("role") != "system"),
        len(items),
    )
    return items[:first], items[first:]


def _input_items(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    custom: set[Any] = set()
    for message in messages:
        role = message.get("role")
        if "type" in message:
            items.append(dict(message))
        elif role == "assistant":
            items += _assistant(message)
            custom |= {i["call_id"] for i in items if i.get("type") == "custom_tool_call"}
        elif role == "tool":
            call_id = message.get("tool_call_id")
            kind = "custom_tool_call_output" if call_id in custom else "function_call_output"
            output = _content(message.get("content"))
            items.append({"type": kind, "call_id": call_id, "output": output})
        else:
            known = {key: value for key, value in message.items() if key != "name"}
            items.append({**known, "content": _content(message.get("content"))})
    return items


def _assistant(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the items of an assistant's message: its text, its output items, its tool calls."""
    content = message.get("content")
    said: list[str] = [content] if isinstance(content, str) else []
    for part in as_mappings(content):
        field = _SAID.get(part.get("type", "text"))
        if field is not None:
            said.append(str(part.get(field) or ""))
            continue
        yield from _message(said, message)
        said.clear()
        yield dict(part)
    if not any(said):
        said.append(str(message.get("refusal") or ""))
    yield from _message(said, message)
    for call in as_mappings(message.get("tool_calls")):
        yield _call(call)


def _message(said: list[str], message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if text := "".join(said):
        phase = {"phase": message["phase"]} if "phase" in message else {}
        yield {"role": "assistant", "content": text, **phase}


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    item = {"type": "function_call", "call_id": call.get("id")}
    if "custom" in call:
        item["type"] = "custom_tool_call"
    called: Mapping[str, Any] = call.get("custom") or call.get("function") or {}
    return {**item, **called}


def _content(content: object) -> Any:
    if not isinstance(content, list):
        return content
    return [_part(dict(part)) for part in as_mappings(cast("list[object]", content))]


def _part(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part of a chat message as the API names it; any other part is its own."""
    kind = part.get("type")
    if kind == "text":
        return {**part, "type": "input_text"}
    if kind == "image_url":
        given: object = part["image_url"]
        image = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else {"url": given}
        detail = image.get("detail") or "auto"
        return {"type": "input_image", "image_url": image.get("url"), "detail": detail}
    if kind == "file" and isinstance(part.get("file"), Mapping):
        return {"type": "input_file", **part["file"]}
    return part


def _plain(content: object) -> str | None:
    """Return content that is nothing but text as one string."""
    if isinstance(content, str):
        return content
    parts = as_mappings(content)
    if not parts or any(part.get("type") != "input_text" for part in parts):
        return None
    return "".join(str(part.get("text") or "") for part in parts)
