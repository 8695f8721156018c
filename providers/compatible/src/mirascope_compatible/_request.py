"""Chat completions: a call to a request. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mirascope.core import (
    AnswerFormat,
    BaseTool,
    CallRequest,
    JSONObject,
    Request,
    SchemaDialect,
    refuse_parts,
)

STRICT: Final = SchemaDialect(
    keywords=frozenset(
        {"pattern", "format", "multipleOf", "minimum", "maximum"}
        | {"exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"}
    ),
    formats=frozenset(
        {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
    ),
    closed=True,
    all_required=True,
    free_keys=False,
    tuples=False,
    anything=False,
)
"""What a strict schema can say; what it can't goes as it is, without being strict.

https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
"""

_SAYS: Final = (
    "content",
    "tool_calls",
    "function_call",
    "refusal",
    "audio",
    "prefix",
    "reasoning_details",
)
"""The fields of which an assistant's message has one at least.

OpenRouter, which sends `reasoning_details`, takes a message of nothing else.
"""


_REFUSED: Final = {
    "audio URL": "give its bytes or a pathlib.Path",
    "document URL": "give its bytes or a pathlib.Path",
}


def build_request(call: CallRequest) -> Request:
    """Return a call as the body of `POST /chat/completions`.

    Usage is asked for unless `stream_options` says `include_usage: False` or is None: for servers
    that refuse the option, nothing of it is sent then.
    """
    refuse_parts(call.messages, _REFUSED, where="the API of chat completions")
    messages = [dict(message) for message in call.messages if not _says_nothing(message)]
    body: dict[str, Any] = {"model": call.model, "messages": messages, **call.call_params}
    if call.tools:
        body["tools"] = [*map(tool_schema, call.tools), *body.get("tools", ())]
    if call.tool_choice is not None:
        kind, name = call.tool_choice.kind, call.tool_choice.name
        named = {"type": "function", "function": {"name": name}}
        body["tool_choice"] = kind if name is None else named
    if call.answer is not None:
        body |= answer_parameters(call.answer, body)
    if call.stream:
        body["stream"] = True
        given: Mapping[str, Any] | None = body.pop("stream_options", {})
        options: dict[str, Any] = {"include_usage": given is not None, **(given or {})}
        if not options["include_usage"]:
            del options["include_usage"]
        if options:
            body["stream_options"] = options
    return Request(messages=messages, kwargs=body)


def answer_parameters(
    answer: AnswerFormat, body: Mapping[str, Any], dialect: SchemaDialect = STRICT
) -> JSONObject:
    """Return the parameters that ask for the form of an answer.

    In `"tool"` mode any call is required and the answer's is one of the tools: servers differ in
    whether they know a choice by name.

    Args:
        answer: the form.
        body: the request, with its tools.
        dialect: what schemas can say.
    """
    if answer.mode == "tool":
        return {"tool_choice": "required", "parallel_tool_calls": False, **_chosen(body)}
    if answer.mode == "json" or answer.schema is None:
        return {"response_format": {"type": "json_object"}}
    is_strict = not dialect.unsayable(answer.schema)
    described: JSONObject = {"name": answer.name}
    if answer.description:
        described["description"] = answer.description
    described["schema"] = dialect.written(answer.schema) if is_strict else answer.schema
    described["strict"] = is_strict
    return {"response_format": {"type": "json_schema", "json_schema": described}}


def _chosen(body: Mapping[str, Any]) -> JSONObject:
    """Return what the call itself says of how tools are called."""
    return {name: body[name] for name in ("tool_choice", "parallel_tool_calls") if name in body}


def _says_nothing(message: Mapping[str, Any]) -> bool:
    """Whether a message is an answer without a word or a call, as one whose tokens ran out is.

    Kimi and DeepSeek answer 400 to it, in this and in every later request of the conversation.
    """
    said = (message.get(name) for name in _SAYS)
    is_said = any(value.strip() if isinstance(value, str) else value for value in said)
    return message.get("role") == "assistant" and not is_said


def tool_schema(tool: type[BaseTool]) -> JSONObject:
    """Return a tool as chat completions describe it."""
    function: JSONObject = {"name": tool.tool_name()}
    if description := tool.tool_description():
        function["description"] = description
    function["parameters"] = tool.tool_parameters()
    return {"type": "function", "function": function}
