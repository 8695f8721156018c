"""JSON schemas of what a tool takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from pydantic import BaseModel, ConfigDict, create_model
from pydantic.errors import PydanticErrorMixin
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticSerializationError
from typing_extensions import override

from .._errors import UsageError, describe
from .._types import JSONObject

_REF: Final = "#/$defs/"


_MASK: Final = "**********"
"""What pydantic shows of a secret (`SecretStr` and its like)."""


class _Schema(GenerateJsonSchema):
    # A default that JSON can't express is none of the model's business, and no reason to warn the
    # user of a function that works.
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

    @override
    def encode_default(self, dft: Any) -> Any:
        encoded = super().encode_default(dft)
        try:
            text = json.dumps(encoded, allow_nan=False)
        except ValueError as error:
            # Pydantic lets infinity and NaN through, which no request can contain.
            raise PydanticSerializationError(str(error)) from None
        if _MASK in text:
            # A model that repeats it would replace the secret.
            raise PydanticSerializationError("the default is a secret")
        return encoded


def object_schema(model: type[BaseModel]) -> JSONObject:
    """Return the JSON schema of a model's fields, without what only repeats their names."""
    schema = model.model_json_schema(schema_generator=_Schema)
    definitions = schema.get("$defs", {})
    reference = str(schema.get("$ref", ""))
    # A model that contains itself is a reference to its own definition, but providers want an
    # object at the top.
    if own := definitions.get(reference.removeprefix(_REF)):
        schema = {**own, "$defs": definitions}
    _tidy(schema)
    schema.pop("description", None)
    schema.setdefault("properties", {})
    return schema


def describe_property(schema: JSONObject, name: str, text: str) -> None:
    """Describe an argument, unless its schema does so already."""
    known: JSONObject = schema["properties"].get(name, {})
    known.setdefault("description", text)
    _part_reference(known)


def refuse_types(tool: str, annotations: Mapping[str, Any], error: Exception) -> UsageError:
    """Return the error for a tool that has no schema, which names the argument to blame.

    Args:
        tool: the tool's name.
        annotations: the types of its arguments, by name.
        error: why there is no schema.
    """
    for name, annotation in annotations.items():
        try:
            config = ConfigDict(arbitrary_types_allowed=True)
            fields: dict[str, Any] = {"value": (annotation, ...)}
            create_model("Argument", __config__=config, **fields).model_json_schema()
        except Exception as reason:
            return UsageError(
                f"tool {tool!r}: the type of {name!r} has no JSON schema ({_one_line(reason)}); "
                "give it a type that JSON can express, or bind the argument with functools.partial"
            )
    return UsageError(f"tool {tool!r} has no JSON schema: {_one_line(error)}")


def _one_line(error: Exception) -> str:
    text = error.message if isinstance(error, PydanticErrorMixin) else describe(error)
    return " ".join(text.split())


def _tidy(schema: Any) -> None:
    """Remove the titles that pydantic derives from names: tokens without information.

    A reference is parted from what stands beside it.
    """
    if isinstance(schema, dict):
        node = cast("dict[str, Any]", schema)
        if isinstance(node.get("title"), str):
            del node["title"]
        for key, value in node.items():
            if key in ("properties", "$defs"):
                for child in cast("dict[str, Any]", value).values():
                    _tidy(child)
            elif key not in ("default", "examples", "const", "enum"):
                _tidy(value)
        _part_reference(node)
    elif isinstance(schema, list):
        for child in cast("list[Any]", schema):
            _tidy(child)


def _part_reference(node: JSONObject) -> None:
    """Make a reference with something beside it, such as a description, an `anyOf` of one.

    Gemini refuses the former, and so does OpenAI's strict mode.
    """
    if len(node) > 1 and isinstance(node.get("$ref"), str):
        node["anyOf"] = [{"$ref": node.pop("$ref")}]
