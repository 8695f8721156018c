"""How a value is written where a template names it.

The functions raise `ValueError` or `TypeError` with words that go after the name of the field.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any, cast


def written(value: Any, spec: str) -> str:
    """Return a value as text.

    Args:
        value: the value; None is no text.
        spec: a format spec of `str.format`, `"list"` (an item on each line) or `"lists"` (a group
            of items in each paragraph).

    Raises:
        ValueError: the value or the spec can't be text.
        TypeError: the same, from the value's own `__format__`.
    """
    if value is None:
        return ""
    if spec == "list":
        return "\n".join(_items(value))
    if spec == "lists":
        return "\n\n".join("\n".join(_items(group)) for group in collection(value))
    if spec.startswith("cache_control"):
        raise ValueError(
            "has the format 'cache_control', which is Anthropic's alone: return a message with the "
            "part in it, as in {'type': 'text', 'text': …, 'cache_control': {'type': 'ephemeral'}}"
        )
    if not isinstance(value, str):
        _refuse(value)
    try:
        return format(value, spec)
    except (TypeError, ValueError) as error:
        raise ValueError(f"can't format a {type(value).__name__}: {error}") from error


def _items(value: Any) -> list[str]:
    return [written(item, "") for item in collection(value) if item is not None]


def collection(value: Any) -> Collection[Any]:
    """Return a list, or whatever else holds items; a text and a mapping are not meant.

    Raises:
        ValueError: it holds none.
    """
    if isinstance(value, (str, bytes, bytearray, Mapping)) or not isinstance(value, Collection):
        raise ValueError(f"takes a list, not a {type(cast('object', value)).__name__}")
    return cast("Collection[Any]", value)


def _refuse(value: object) -> None:
    """Refuse what has a representation, but no text that a model should read."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise ValueError(
            "is bytes, which are not text: decode them, or "
            "write {name:image}, {name:audio} or {name:document}"
        )
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise ValueError("is a coroutine: await it before it becomes part of the prompt")
