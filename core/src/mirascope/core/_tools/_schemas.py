"""JSON schemas of what a tool takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from pydantic import BaseModel, ConfigDict, create_model
from pydantic.errors import PydanticErrorMixin
from pydantic.json_schema import GenerateJsonSchema

from .._errors import UsageError, describe
from .._types import JSONObject

_REF: Final = "#/$defs/"


class _Schema(GenerateJsonSchema):
    # A default that JSON can't express is none of the model's business, and no reason to warn the
    # user of a function that works.
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012


def object_schema(model: type[BaseModel]) -> JSONObject:
    """Return the JSON schema of a model's fields, without what only repeats their names."""
    schema = model.model_json_schema(schema_generator=_Schema)
    definitions = schema.get("$defs", {})
    reference = str(schema.get("$ref", ""))
    # A model that contains itself is a reference to its own definition, but providers want an
    # object at the top.
    if own := definitions.get(reference.removeprefix(_REF)):
        schema = {**own, "$defs": definitions}
    _drop_titles(schema)
    schema.pop("description", None)
    schema.setdefault("properties", {})
    return schema


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


def _drop_titles(schema: Any) -> None:
    """Remove the titles that pydantic derives from names: tokens without information."""
    if isinstance(schema, dict):
        node = cast("dict[str, Any]", schema)
        if isinstance(node.get("title"), str):
            del node["title"]
        for key, value in node.items():
            if key in ("properties", "$defs"):
                for child in cast("dict[str, Any]", value).values():
                    _drop_titles(child)
            elif key not in ("default", "examples", "const", "enum"):
                _drop_titles(value)
    elif isinstance(schema, list):
        for child in cast("list[Any]", schema):
            _drop_titles(child)
