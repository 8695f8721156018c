"""Gemini: a call to a request. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from mirascope.core import (
    AnswerFormat,
    BaseTool,
    CallRequest,
    JSONObject,
    Request,
    SchemaDialect,
    ToolChoice,
    ToolChoiceKind,
    UsageError,
)

from ._messages import to_contents

_MODES: Final[Mapping[ToolChoiceKind, str]] = {
    "auto": "AUTO",
    "none": "NONE",
    "required": "ANY",
    "tool": "ANY",
}
"""https://ai.google.dev/api/caching#FunctionCallingConfig"""
NATIVE: Final = SchemaDialect(
    keywords=frozenset({"format", "minimum", "maximum", "minItems", "maxItems"}),
    recursion="optional",
    constants=False,
    ordered=True,
)
"""What `response_json_schema` can say.

https://ai.google.dev/api/generate-content#FIELDS.response_json_schema
"""

_EMPTY_PARTS: Final[tuple[JSONObject, ...]] = ({"text": ""}, {})


def build_request(call: CallRequest) -> Request:
    """Return a call as the arguments of the SDK's `generate_content_stream`.

    Every parameter but `config` is a field of the config. The SDK's automatic function calling is
    off unless it is configured: the calls belong to whoever iterates the stream.

    Raises:
        UsageError: a message can't be translated, or something is given twice.
    """
    messages = [content for content in to_contents(call.messages) if not _says_nothing(content)]
    config = _config(call.call_params)
    system = [message for message in messages if message.get("role") == "system"]
    if system:
        if config.get("system_instruction") is not None:
            raise UsageError(
                "system_instruction is given both as a parameter and as a system message; give it "
                "once"
            )
        config["system_instruction"] = {"parts": [p for m in system for p in m["parts"]]}
    if call.tools:
        declarations = [declaration(tool) for tool in call.tools]
        config["tools"] = [{"function_declarations": declarations}, *(config.get("tools") or ())]
    if call.tool_choice is not None:
        config["tool_config"] = _tool_config(call.tool_choice, config.get("tool_config"))
    if call.answer is not None:
        _ask_for(call.answer, config)
    config.setdefault("automatic_function_calling", {"disable": True})
    return Request(
        messages=messages,
        kwargs={
            "model": call.model,
            "contents": [message for message in messages if message.get("role") != "system"],
            "config": config,
        },
    )


def _ask_for(answer: AnswerFormat, config: dict[str, Any]) -> None:
    """Ask for the form of an answer.

    https://ai.google.dev/gemini-api/docs/structured-output
    """
    if answer.mode == "tool":
        calling: JSONObject = {"mode": "ANY"}
        if len(config["tools"][0]["function_declarations"]) == len(config["tools"]) == 1:
            calling["allowed_function_names"] = [answer.name]
        config.setdefault("tool_config", {"function_calling_config": calling})
        return
    config.setdefault("response_mime_type", "application/json")
    if answer.mode == "native" and answer.schema is not None:
        config["response_json_schema"] = NATIVE.written(answer.schema)


def _says_nothing(content: JSONObject) -> bool:
    """Whether a content is an answer without a part that has data, as one that failed is.

    Vertex AI answers 400 to it, in this and in every later request of the conversation.
    """
    parts: Sequence[Any] = content.get("parts") or ()
    return content.get("role") == "model" and all(part in _EMPTY_PARTS for part in parts)


def declaration(tool: type[BaseTool]) -> JSONObject:
    """Return a tool as a function declaration."""
    function: JSONObject = {"name": tool.tool_name()}
    if description := tool.tool_description():
        function["description"] = description
    schema = tool.tool_parameters()
    if schema["properties"]:
        function["parameters_json_schema"] = _listed(schema)
    return function


def _tool_config(choice: ToolChoice, given: object) -> JSONObject:
    """Return the `tool_config` that says which functions the model may call."""
    items = cast("Mapping[str, Any]", given).items() if isinstance(given, Mapping) else ()
    known = {_snake_case(name): value for name, value in items}
    if (given is not None and not items) or known.get("function_calling_config"):
        raise UsageError("tool_choice and tool_config both say what may be called; give one")
    calling: JSONObject = {"mode": _MODES[choice.kind]}
    if choice.name is not None:
        calling["allowed_function_names"] = [choice.name]
    return {**known, "function_calling_config": calling}


def _listed(schema: Any) -> Any:
    """Return a schema whose constants are lists of one value.

    The API takes whatever JSON Schema there is, and does not look at keywords that are not in its
    list: `enum` is, and `const` is not. https://ai.google.dev/gemini-api/docs/structured-output
    """
    if isinstance(schema, list):
        return [_listed(child) for child in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    listed: JSONObject = {}
    for key, value in cast("JSONObject", schema).items():
        if key in ("properties", "$defs"):
            listed[key] = {name: _listed(child) for name, child in value.items()}
        elif key == "const" and isinstance(value, str):
            listed["enum"] = [value]
        else:
            listed[key] = value if key in ("default", "examples", "enum") else _listed(value)
    return listed


def _config(params: Mapping[str, Any]) -> dict[str, Any]:
    flat = {_snake_case(name): value for name, value in params.items()}
    given = flat.pop("config", None)
    if given is None:
        return flat
    if isinstance(given, Mapping):
        items = cast("Mapping[str, Any]", given).items()
        config = {_snake_case(name): value for name, value in items}
    elif (names := getattr(given, "model_fields_set", None)) is not None:
        # The values themselves: dumping them would lose functions and classes.
        config = {name: getattr(given, name) for name in sorted(names)}
    else:
        raise UsageError(f"config is a GenerateContentConfig or a dict, not {given!r}")
    if twice := config.keys() & flat.keys():
        names = ", ".join(sorted(twice))
        raise UsageError(f"{names}: given both as a parameter and in config; give it once")
    return {**config, **flat}


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", name)
