"""A response model: what a model is asked for, and how its text becomes a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Generic, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, create_model
from pydantic.errors import PydanticUserError
from pydantic_core import from_json

from .._errors import UsageError, describe
from .._types import JSONObject
from ._annotations import shape_and_marks
from ._dialect import without_members
from ._from_call_args import fill, filled_fields
from ._shapes import MISSING, FieldMembers, Shape

T = TypeVar("T")

VALUE: Final = "value"
"""The key of a value that is not a JSON object: APIs ask for objects only."""
_NAME: Final = re.compile(r"[^a-zA-Z0-9_-]+")
_LONGEST_NAME: Final = 64


class ResponseModel(Generic[T]):
    """A type that a call answers with.

    Args:
        annotation: the type: a model, a list of models, a union, a `Literal`, an enum, a base type,
            a dataclass, a TypedDict …

    Attributes:
        annotation: the type.
        is_wrapped: whether the value is not a JSON object, and is asked for as `{"value": …}`.
        filled: the fields that the call's arguments fill, for which the model is not asked.

    Raises:
        UsageError: pydantic can't validate such a type, or can't describe it as JSON schema.
    """

    def __init__(self, annotation: Any) -> None:
        self.annotation = annotation
        try:
            self._adapter: TypeAdapter[T] = TypeAdapter(annotation)
            schema = self._adapter.json_schema()
            self.is_wrapped = _root(schema).get("type") != "object"
            self._whole = self._wrapper() if self.is_wrapped else None
            self.filled = filled_fields(annotation)
            self.shape: Shape = self._shape()
        except (PydanticUserError, TypeError, NameError) as error:
            raise UsageError(
                f"response_model={shown_type(annotation)} can't be used: {describe(error)}"
            ) from error
        if self.filled and "$ref" in schema:
            raise UsageError(
                f"response_model={self.shown} has a field that is FromCallArgs(), and refers to "
                "itself: give a model of its own such fields, and that one a field of this type"
            )

    @cached_property
    def schema(self) -> JSONObject:
        """The JSON schema of what the model is asked for, of an object always."""
        if self._whole is None:
            schema = self._adapter.json_schema()
            if not self.filled:
                return schema
            return without_members(schema, {key for field in self.filled for key in field.keys})
        schema = self._whole.model_json_schema()
        schema.pop("title", None)
        return schema

    @property
    def name(self) -> str:
        """A name for schemas and tools: letters, digits, `_` and `-`, 64 at most."""
        annotation = self.annotation
        is_class = isinstance(annotation, type) and not hasattr(annotation, "__origin__")
        name = annotation.__name__ if is_class else shown_type(annotation)
        return _NAME.sub("_", name).strip("_")[:_LONGEST_NAME] or "answer"

    @property
    def shown(self) -> str:
        """The type as errors name it."""
        return shown_type(self.annotation)

    @property
    def description(self) -> str | None:
        """What the type's docstring tells about it, or None."""
        return _root(self.schema).get("description")

    def validate(self, text: str, fn_args: Mapping[str, Any]) -> T:
        """Return the value of a whole text.

        Args:
            text: what the model wrote.
            fn_args: the arguments of the call, by name.

        Raises:
            ValidationError: the text is not JSON, or not of this type.
        """
        if self.filled:
            return self._filled(text, fn_args)
        if self._whole is None or text.startswith("["):
            return self._adapter.validate_json(text)
        return cast("T", cast("Any", self._whole.model_validate_json(text)).value)

    def _filled(self, text: str, fn_args: Mapping[str, Any]) -> T:
        # Arguments are any objects, which JSON has no form for.
        try:
            answer: Any = from_json(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            return self._adapter.validate_json(text)
        return self._adapter.validate_python(fill(cast("JSONObject", answer), self.filled, fn_args))

    def _wrapper(self) -> type[BaseModel]:
        return create_model("Answer", **{VALUE: (self.annotation, ...)})  # type: ignore[no-any-return,call-overload]  # pyright: ignore[reportCallIssue,reportArgumentType,reportUnknownVariableType]

    def _shape(self) -> Shape:
        inner, marks = shape_and_marks(self.annotation)
        if marks > len(self.filled):
            raise UsageError(
                f"FromCallArgs() marks fields of the response model itself, and stands deeper in "
                f"response_model={self.shown}: move the field up"
            )
        if not self.is_wrapped:
            return inner
        shape = FieldMembers()
        shape.fields = {VALUE: (VALUE, inner)}
        shape.make = lambda members, _: members.get(VALUE, MISSING)
        # Some models leave the wrapper out around a list.
        shape.items = inner.items
        return shape


def shown_type(annotation: Any) -> str:
    """Return how a type is written, without its modules and what is declared about it."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, type) and not hasattr(annotation, "__origin__"):
        return annotation.__name__
    return re.sub(r"\b[A-Za-z_][\w]*\.(?:<locals>\.)?", "", repr(annotation))


def _root(schema: JSONObject) -> JSONObject:
    """Return the schema of the value itself, which stands among the definitions if it recurs."""
    reference: str | None = schema.get("$ref")
    if reference is None:
        return schema
    found: JSONObject = schema["$defs"][reference.rpartition("/")[2]]
    return found
