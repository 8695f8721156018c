"""Fields of a response model that the call's own arguments fill."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, RootModel
from typing_extensions import is_typeddict

from .._errors import UsageError
from ._fields import (
    QUALIFIERS,
    FieldKeys,
    fields_of_dataclass,
    fields_of_model,
    fields_of_typeddict,
)


class FromCallArgs:
    """Marks a field of a response model that is filled with the call's argument of its name.

    The model is not asked for the field. The argument is there when the answer is validated, so
    that validators can compare the two.

    Example:
        ```python
        class Titles(BaseModel):
            texts: Annotated[list[str], FromCallArgs()]
            titles: list[str]
        ```
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class FilledField(NamedTuple):
    """A field that an argument fills.

    Attributes:
        name: the name of both.
        keys: the keys that validation takes it under, the one that it prefers first.
    """

    name: str
    keys: list[str]


def is_from_call_args(metadata: Iterable[Any]) -> bool:
    """Whether a field with these annotations is marked; the class itself will do."""
    return any(each is FromCallArgs or isinstance(each, FromCallArgs) for each in metadata)


def filled_fields(annotation: Any) -> tuple[FilledField, ...]:
    """Return the marked fields of a type itself, without those of the types in it.

    Raises:
        UsageError: validation takes one of them under no key.
    """
    found: list[FilledField] = []
    for field in _fields(annotation):
        if is_from_call_args([*field.metadata, *_declared(field.annotation)]):
            if not field.keys:
                raise UsageError(
                    f"the field {field.name!r} is FromCallArgs() and has a path as its alias: "
                    "leave the alias out"
                )
            found.append(FilledField(field.name, field.keys))
    return tuple(found)


def fill(
    answer: Mapping[str, Any], fields: Iterable[FilledField], fn_args: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an answer with these fields; what the model wrote in their place does not count."""
    filled = dict(answer)
    for field in fields:
        for key in field.keys:
            filled.pop(key, None)
        filled[field.keys[0]] = fn_args[field.name]
    return filled


def _fields(annotation: Any) -> Iterator[FieldKeys]:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    cls: Any = get_origin(annotation) or annotation
    if not inspect.isclass(cls):
        return iter(())
    if issubclass(cls, BaseModel):
        return iter(()) if issubclass(cls, RootModel) else fields_of_model(cls)
    if dataclasses.is_dataclass(cls):
        return fields_of_dataclass(cls)
    return fields_of_typeddict(cls) if is_typeddict(cls) else iter(())


def _declared(hint: Any) -> Iterator[Any]:
    """Yield what an annotation declares; in a `TypedDict` it stands within `Required` too."""
    while (origin := get_origin(hint)) is Annotated or origin in QUALIFIERS:
        yield from get_args(hint)[1:]
        hint = get_args(hint)[0]
