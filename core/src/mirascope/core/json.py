"""Readers of JSON that nobody promised.

What a server sends is not always what its reference describes, and a field of an unexpected type
must not end a stream. Each of these takes any value, returns it if it is of the type that is asked
for, and an empty one otherwise. None of them raises. `as_whole_text` takes text that was cut
anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic_core import from_json

from ._types import JSONObject

__all__ = [
    "as_arguments",
    "as_json_text",
    "as_list",
    "as_mapping",
    "as_mappings",
    "as_object",
    "as_objects",
    "as_text",
    "as_whole_text",
]


def as_text(value: object) -> str | None:
    """Return a string that is not empty, or None."""
    return value if isinstance(value, str) and value else None


def as_object(value: object) -> JSONObject:
    """Return a JSON object, or an empty one."""
    return cast("JSONObject", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return a JSON array, or an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def as_objects(value: object) -> list[JSONObject]:
    """Return the objects in a JSON array; whatever else is in it is left out."""
    return [cast("JSONObject", item) for item in as_list(value) if isinstance(item, dict)]


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return a mapping of any kind, or an empty one: for values that a user may have built."""
    # A dict needs no look at the abstract class, which takes ten times as long.
    is_mapping = type(value) is dict or isinstance(value, Mapping)
    return cast("Mapping[str, Any]", value) if is_mapping else {}


def as_mappings(value: object) -> list[Mapping[str, Any]]:
    """Return the mappings in a sequence of any kind; whatever else is in it is left out."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    items = cast("Sequence[object]", value)
    return [cast("Mapping[str, Any]", item) for item in items if isinstance(item, Mapping)]


def as_arguments(text: str) -> JSONObject:
    """Return the object that the JSON text of a call's arguments stands for.

    No text and `null` are no arguments. Providers take nothing but an object in a call that goes
    back; text that is none, as of a call that ran into a limit, is wrapped as Anthropic advises:
    https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/fine-grained-tool-streaming
    """
    if not text.strip():
        return {}
    try:
        value: object = from_json(text)
    except (ValueError, TypeError):
        return {"INVALID_JSON": text}
    if value is None:
        return {}
    return cast("JSONObject", value) if isinstance(value, dict) else {"INVALID_JSON": text}


def as_json_text(value: object) -> str:
    """Return a value as JSON text: a string is taken to be that already, and None is an empty one.

    Servers send the arguments of a call as text or as the object itself.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    text = json.dumps(value, ensure_ascii=False, default=str)
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half a character, which only an escape can carry: the text must be fit to be sent back.
        return json.dumps(value, default=str)
    return text


def as_whole_text(text: str) -> str:
    r"""Return text that can be encoded: two halves of a character in a row become the character.

    A half without the other becomes U+FFFD. JSON can carry halves (`"\ud83d"`), and servers that
    cut text between them send them.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
