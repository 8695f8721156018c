"""Messages: a call to a request. Pure functions."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import unquote_to_bytes

from mirascope.core import (
    AnswerFormat,
    BaseTool,
    CallRequest,
    JSONObject,
    PromptError,
    Request,
    ResponseMode,
    SchemaDialect,
    UsageError,
)
from mirascope.core.json import as_arguments

DEFAULT_MAX_TOKENS: Final = 4096
"""What `max_tokens` is without being given: the most that every model of the API accepts."""

NATIVE: Final = SchemaDialect(
    keywords=frozenset({"format"}),
    formats=frozenset(
        {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6"}
        | {"uuid"}
    ),
    closed=True,
    free_keys=False,
    tuples=False,
    anything=False,
    recursion="nowhere",
)
"""What the API's own JSON schemas can say.

https://docs.claude.com/en/docs/build-with-claude/structured-outputs#json-schema-limitations
"""

_BETA_HEADER: Final = "anthropic-beta"
_SYSTEM_ROLES: Final = ("system", "developer")


def build_request(call: CallRequest) -> Request:
    """Return a call as the arguments of the SDK's `messages.create`.

    System messages become the `system` parameter wherever they stand, after one that was given as
    a parameter. `max_tokens`, which the API requires, has a default.

    Raises:
        PromptError: there is no message beside system messages, or a part that the API can't take.
    """
    system: list[Any] = []
    messages: list[Any] = []
    results: list[Any] = []
    for message in call.messages:
        role = message.get("role")
        if role == "tool":
            # The results of one turn's calls belong into one message.
            if not results:
                messages.append({"role": "user", "content": results})
            results.append(_tool_result(message))
            continue
        results = []
        if role in _SYSTEM_ROLES:
            system += _blocks(message.get("content"))
        elif (translated := _message(message))["content"] or role != "assistant":
            # Claude may end a turn without a word, and the API takes no message without content.
            messages.append(translated)
    if not messages:
        raise PromptError(
            "Anthropic's API needs a message of the user: the prompt has system messages only"
        )
    params = _with_betas(dict(call.call_params))
    body: dict[str, Any] = {
        "model": call.model,
        "max_tokens": _max_tokens(params.get("thinking")),
        "messages": messages,
        **params,
    }
    if call.answer is not None:
        system += _ask_for(call.answer, body)
    if system:
        body["system"] = _system([*_blocks(params.get("system")), *system])
    if call.tools:
        body["tools"] = [*map(tool_schema, call.tools), *(params.get("tools") or ())]
    if call.tool_choice is not None:
        kind, name = call.tool_choice.kind, call.tool_choice.name
        choice: JSONObject = {"type": "any" if kind == "required" else kind}
        body["tool_choice"] = choice if name is None else {**choice, "name": name}
    if call.answer is not None and call.answer.mode == "tool":
        _require_tool(call, body)
    if call.stream:
        body["stream"] = True
    return Request(messages=messages, kwargs=body)


def _ask_for(answer: AnswerFormat, body: dict[str, Any]) -> list[JSONObject]:
    """Ask for the form of an answer; return what has to be told in the system message.

    https://docs.claude.com/en/docs/build-with-claude/structured-outputs
    """
    if answer.mode == "native" and answer.schema is not None:
        wanted = {"type": "json_schema", "schema": NATIVE.written(answer.schema)}
        body["output_config"] = {**(body.get("output_config") or {}), "format": wanted}
    if answer.mode == "json" and answer.schema is None:
        # The API has no JSON mode.
        return [{"type": "text", "text": "Answer with JSON and with nothing else."}]
    return []


def _require_tool(call: CallRequest, body: dict[str, Any]) -> None:
    """Make the model call a tool, the last of the call's own being its answer."""
    check_thinking("tool", (), body)
    tools: list[Any] = body["tools"]
    # Else the server holds the arguments back until each value is whole.
    tools[len(call.tools) - 1]["eager_input_streaming"] = True
    name = tools[len(call.tools) - 1]["name"]
    choice = {"type": "tool", "name": name} if len(tools) == 1 else {"type": "any"}
    body.setdefault("tool_choice", {**choice, "disable_parallel_tool_use": True})


def check_thinking(
    mode: ResponseMode, unsayable: Sequence[str], call_params: Mapping[str, Any]
) -> None:
    """Refuse a tool that has to be called together with thinking, as the API does.

    Raises:
        UsageError: both are asked for.
    """
    thinking: object = call_params.get("thinking")
    kind = cast("Mapping[str, object]", thinking).get("type") if thinking else None
    if mode != "tool" or not isinstance(thinking, Mapping) or kind == "disabled":
        return
    if unsayable:
        raise UsageError(
            "Anthropic's API takes no tool that has to be called while thinking is on, and its own "
            f"JSON schemas can't say this response_model: {'; '.join(unsayable)}; change that, or "
            "leave thinking out"
        )
    raise UsageError(
        "Anthropic's API takes no tool that has to be called while thinking is on: leave "
        "response_mode='tool' out, or thinking"
    )


def _with_betas(params: dict[str, Any]) -> dict[str, Any]:
    """Put `betas` where the API takes them: in a header, together with those of `extra_headers`.

    https://docs.anthropic.com/en/api/beta-headers
    """
    betas = params.pop("betas", None)
    if not betas:
        return params
    names = betas.split(",") if isinstance(betas, str) else list(betas)
    headers = dict(params.get("extra_headers") or {})
    for name in [name for name in headers if name.lower() == _BETA_HEADER]:
        names = [*headers.pop(name).split(","), *names]
    headers[_BETA_HEADER] = ",".join(dict.fromkeys(name.strip() for name in names))
    return {**params, "extra_headers": headers}


def tool_schema(tool: type[BaseTool]) -> JSONObject:
    """Return a tool as the API describes it."""
    schema: JSONObject = {"name": tool.tool_name()}
    if description := tool.tool_description():
        schema["description"] = description
    schema["input_schema"] = tool.tool_parameters()
    return schema


def _max_tokens(thinking: object) -> int:
    """Return the default, on top of a budget for thinking, which has to be smaller."""
    budget: object = None
    if isinstance(thinking, Mapping):
        budget = cast("Mapping[str, object]", thinking).get("budget_tokens")
    return DEFAULT_MAX_TOKENS + (budget if isinstance(budget, int) else 0)


def _system(blocks: list[Any]) -> Any:
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        return blocks[0]["text"]
    return blocks


def _message(message: Mapping[str, Any]) -> JSONObject:
    calls: Iterable[Mapping[str, Any]] = message.get("tool_calls") or ()
    translated = {name: value for name, value in message.items() if name != "tool_calls"}
    if calls:
        translated["content"] = [*_blocks(message.get("content")), *map(_tool_use, calls)]
    elif not isinstance(message.get("content"), str):
        translated["content"] = _blocks(message.get("content"))
    return translated


def _tool_use(call: Mapping[str, Any]) -> JSONObject:
    """Return a call of the neutral form, that of chat completions, as Anthropic's block."""
    function: Mapping[str, Any] = call.get("function") or {}
    return {
        "type": "tool_use",
        "id": call.get("id"),
        "name": function.get("name"),
        "input": as_arguments(str(function.get("arguments") or "")),
    }


def _tool_result(message: Mapping[str, Any]) -> JSONObject:
    content: Any = message.get("content")
    return {
        "type": "tool_result",
        "tool_use_id": message.get("tool_call_id"),
        "content": content if isinstance(content, str) else _blocks(content),
    }


def _blocks(content: Any) -> list[Any]:
    if not content:
        return []
    if isinstance(content, (str, Mapping)):
        return [_block(content)]
    return [_block(part) for part in cast("Iterable[Any]", content)]


def _block(part: Any) -> Any:
    """Return a part of the neutral form as Anthropic's block; anything else unchanged."""
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, Mapping):
        return part
    known = cast("Mapping[str, Any]", part)
    kind = known.get("type")
    given: Any = known.get(kind) if kind in ("image_url", "file") else None
    if kind == "image_url" and given:
        url = given if isinstance(given, str) else given["url"]
        block = _media(url)
    elif kind == "file" and isinstance(given, Mapping):
        block = _file(cast("Mapping[str, Any]", given))
    elif kind == "input_audio":
        raise PromptError("Anthropic's API takes no audio: leave the 'input_audio' part out")
    else:
        return known
    if cache_control := known.get("cache_control"):
        block["cache_control"] = cache_control
    return block


def _file(file: Mapping[str, Any]) -> JSONObject:
    if data := file.get("file_data"):
        block = _media(data)
    elif url := file.get("file_url"):
        block = {"type": "document", "source": {"type": "url", "url": url}}
    elif file_id := file.get("file_id"):
        block = {"type": "document", "source": {"type": "file", "file_id": file_id}}
    else:
        raise PromptError("a 'file' part needs 'file_data' (a data: URL), 'file_url' or 'file_id'")
    if block["type"] == "document" and (title := file.get("filename")):
        block["title"] = title
    return block


def _media(url: str) -> JSONObject:
    """Return the block for an address or a `data:` URL (RFC 2397)."""
    if not url.startswith("data:"):
        is_pdf = url.partition("?")[0].lower().endswith(".pdf")
        return {
            "type": "document" if is_pdf else "image",
            "source": {"type": "url", "url": url},
        }
    header, comma, data = url.removeprefix("data:").partition(",")
    media_type, *parameters = header.split(";")
    if not comma:
        raise PromptError(f"{url[:40]!r} is not a data: URL: it has no comma")
    if media_type.startswith("text/"):
        text = _bytes(data, parameters).decode("utf-8", "replace")
        source = {"type": "text", "media_type": "text/plain", "data": text}
        return {"type": "document", "source": source}
    if "base64" not in parameters:
        data = base64.b64encode(unquote_to_bytes(data)).decode()
    if media_type != "application/pdf" and not media_type.startswith("image/"):
        raise PromptError(
            f"Anthropic's API takes images, PDF and text, not {media_type!r}: give its text"
        )
    source = {"type": "base64", "media_type": media_type, "data": data}
    return {"type": "image" if media_type.startswith("image/") else "document", "source": source}


def _bytes(data: str, parameters: Sequence[str]) -> bytes:
    raw = unquote_to_bytes(data)
    if "base64" not in parameters:
        return raw
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True)
    except ValueError as error:
        raise PromptError(f"a data: URL is not base64: {error}") from error
