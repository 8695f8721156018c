"""Neutral messages as Gemini's contents. Pure functions."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping, Sequence
from typing import Any, cast

from mirascope.core import JSONObject, MessageParam, UsageError
from pydantic_core import from_json, to_json


def to_contents(messages: Sequence[MessageParam]) -> list[JSONObject]:
    """Return messages in Gemini's form: `{"role": …, "parts": […]}`.

    Contents in that form already stay as they are. System messages become contents with the role
    `"system"`, which only this package knows: they are sent as the `system_instruction`. The
    results of tools that follow each other become one content, as the API wants for parallel calls.

    Raises:
        UsageError: a message has a role or a part that can't be translated.
    """
    contents: list[JSONObject] = []
    names: dict[str, str] = {}
    answers_tools = False
    for message in messages:
        if "parts" in message:
            contents.append(dict(message))
            answers_tools = False
            continue
        role = message.get("role")
        if role == "tool":
            part = _function_response(message, names)
            if answers_tools:
                contents[-1]["parts"].append(part)
            else:
                contents.append({"role": "user", "parts": [part]})
            answers_tools = True
            continue
        answers_tools = False
        parts = _parts(message.get("content"))
        if role in ("assistant", "model"):
            parts += _function_calls(message, names)
            contents.append({"role": "model", "parts": parts})
        elif role in ("system", "developer"):
            contents.append({"role": "system", "parts": parts})
        elif role == "user":
            contents.append({"role": "user", "parts": parts})
        else:
            raise UsageError(
                f"a message has the role {role!r}; Gemini's messages are of 'system', 'user', "
                "'assistant' or 'tool', or contents with 'parts'"
            )
    return contents


def function_response(name: str, output: object, call_id: str | None = None) -> JSONObject:
    """Return the part that gives a function's result back.

    `output` and `error` are the API's own keys:
    https://ai.google.dev/api/caching#FunctionResponse

    Args:
        name: the function's name.
        output: the result; `{"error": …}` says that there is none.
        call_id: the id of the call, where the provider gave it one.
    """
    value: Any = from_json(to_json(output, fallback=str))
    is_error = isinstance(output, Mapping) and set(cast("Mapping[str, Any]", output)) == {"error"}
    response = {"id": call_id} if call_id else {}
    return {
        "functionResponse": {
            **response,
            "name": name,
            "response": value if is_error else {"output": value},
        }
    }


def _parts(content: object) -> list[Any]:
    if content is None:
        return []
    if isinstance(content, str):
        return [{"text": content}]
    if isinstance(content, (list, tuple)):
        return [_part(part) for part in cast("Sequence[object]", content)]
    return [_part(content)]


def _part(part: object) -> Any:
    if isinstance(part, str):
        return {"text": part}
    if not isinstance(part, Mapping):
        # An object of the SDK, such as `types.Part` or an uploaded `types.File`.
        return part
    data = cast("Mapping[str, Any]", part)
    kind = data.get("type")
    if kind is None:
        # Gemini's own part.
        return dict(data)
    try:
        return _translated(data, kind)
    except (KeyError, TypeError) as error:
        raise UsageError(f"a message has a part of the type {kind!r} without {error}") from None


def _translated(data: Mapping[str, Any], kind: object) -> JSONObject:
    if kind in ("text", "input_text", "output_text"):
        return {"text": data["text"]}
    if kind in ("image_url", "input_image"):
        image = data["image_url"]
        return _media(image if isinstance(image, str) else image["url"], "image/jpeg")
    if kind in ("image", "document"):
        return _anthropic_media(data)
    if kind == "input_audio":
        audio = data["input_audio"]
        if url := audio.get("url"):
            return _media(url, "audio/mp3")
        return _inline(f"audio/{audio['format']}", audio["data"])
    if kind == "file":
        file = data["file"]
        url = file.get("file_data") or file.get("file_url") or file.get("file_id")
        return _media(url, "application/pdf")
    raise UsageError(
        f"a message has a part of the type {kind!r}, which has no translation for Gemini: give a "
        "part in Gemini's own form, such as {'inlineData': {'mimeType': …, 'data': …}}"
    )


def _media(url: str, default_type: str) -> JSONObject:
    """Return the part for an image or a file at a URL, of which `data:` has the bytes in it."""
    if url.startswith("data:"):
        head, _, data = url.removeprefix("data:").partition(",")
        if not head.endswith(";base64"):
            raise UsageError(f"a data: URL must hold base64, not {head!r}")
        return _inline(head.removesuffix(";base64") or default_type, data)
    mime_type = mimetypes.guess_type(url.partition("?")[0])[0] or default_type
    return {"fileData": {"fileUri": url, "mimeType": mime_type}}


def _anthropic_media(part: Mapping[str, Any]) -> JSONObject:
    source = part["source"]
    if source["type"] == "base64":
        return _inline(source["media_type"], source["data"])
    return _media(source["url"], "image/jpeg" if part["type"] == "image" else "application/pdf")


def _inline(mime_type: str, data: str) -> JSONObject:
    return {"inlineData": {"mimeType": mime_type, "data": data}}


def _function_calls(message: Mapping[str, Any], names: dict[str, str]) -> list[JSONObject]:
    """Translate the tool calls of an assistant's message in the form of chat completions."""
    parts: list[JSONObject] = []
    for call in message.get("tool_calls") or ():
        function = call["function"]
        names[call["id"]] = function["name"]
        arguments = function.get("arguments") or "{}"
        try:
            args = json.loads(arguments) if isinstance(arguments, str) else arguments
        except ValueError:
            raise UsageError(
                f"the arguments of an earlier call of {function['name']!r} are not JSON: "
                f"{arguments!r:.120}"
            ) from None
        parts.append({"functionCall": {"name": function["name"], "args": args}})
    return parts


def _function_response(message: Mapping[str, Any], names: Mapping[str, str]) -> JSONObject:
    name = message.get("name") or names.get(message.get("tool_call_id", ""))
    if not name:
        raise UsageError(
            "a tool message does not say which function it answers: give it a 'name', or the "
            "'tool_call_id' of a call in an earlier message"
        )
    return function_response(name, message.get("content"))
