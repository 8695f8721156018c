"""The input of a tool call, from the JSON text that was streamed."""

from __future__ import annotations

from typing import cast

from mirascope.core import JSONObject
from pydantic_core import from_json


def input_object(text: str) -> JSONObject:
    """Return the object that JSON text stands for.

    The API takes nothing but an object as a call's input. Text that is none, which a call has that
    ran into `max_tokens`, is wrapped as Anthropic advises:
    https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/fine-grained-tool-streaming
    """
    if not text.strip():
        return {}
    try:
        value: object = from_json(text)
    except (ValueError, TypeError):
        value = None
    return cast("JSONObject", value) if isinstance(value, dict) else {"INVALID_JSON": text}
