"""The fields of models, dataclasses and TypedDicts, and the JSON keys that they come under."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple, cast, get_args, get_origin

import typing_extensions
from pydantic import AliasChoices, AliasGenerator, BaseModel
from pydantic.fields import FieldInfo

QUALIFIERS: Final = frozenset(
    {
        typing.Required,
        typing.NotRequired,
        typing.Final,
        typing_extensions.ReadOnly,
        typing_extensions.Required,
        typing_extensions.NotRequired,
    }
)
"""What may stand around the type of a field and tells nothing of its values."""


class FieldKeys(NamedTuple):
    """A field.

    Attributes:
        name: its name.
        annotation: its type.
        metadata: what was declared about its type.
        discriminator: what tells the members of a union apart, where that is declared.
        keys: the JSON keys that it may come under, the one that validation prefers first.
    """

    name: str
    annotation: Any
    metadata: list[Any]
    discriminator: Any
    keys: list[str]


def fields_of_model(model: type[BaseModel]) -> Iterator[FieldKeys]:
    """Yield the fields of a model."""
    for name, field in model.model_fields.items():
        yield _keys_of(name, field, field.annotation, model.model_config)


def fields_of_dataclass(cls: Any) -> Iterator[FieldKeys]:
    """Yield the fields that a dataclass is made of."""
    config: Mapping[str, Any] = getattr(cls, "__pydantic_config__", None) or {}
    known: Mapping[str, FieldInfo] = getattr(cls, "__pydantic_fields__", None) or {}
    hints = typing.get_type_hints(cls, include_extras=True)
    for each in dataclasses.fields(cls):
        if not each.init:
            continue
        hint = hints[each.name]
        field = known.get(each.name)
        if field is None:
            field = each.default if isinstance(each.default, FieldInfo) else _declared(hint)
        yield _keys_of(each.name, field, hint, config)


def fields_of_typeddict(cls: Any) -> Iterator[FieldKeys]:
    """Yield the members of a TypedDict."""
    config: Mapping[str, Any] = getattr(cls, "__pydantic_config__", None) or {}
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        yield _keys_of(name, _declared(hint), hint, config)


def _declared(hint: Any) -> FieldInfo:
    """Return the `Field(…)` that stands in an annotation; one that declares nothing without it."""
    while (origin := get_origin(hint)) is not None:
        if origin is Annotated:
            for each in get_args(hint)[1:]:
                if isinstance(each, FieldInfo):
                    return each
        elif origin not in QUALIFIERS:
            break
        hint = get_args(hint)[0]
    return FieldInfo()


def _keys_of(name: str, field: FieldInfo, annotation: Any, config: Mapping[str, Any]) -> FieldKeys:
    keys: list[str] = []
    alias = field.validation_alias or field.alias or _generated(config.get("alias_generator"), name)
    if alias is not None and config.get("validate_by_alias", True) is not False:
        choices = cast("Iterable[Any]", getattr(alias, "choices", [alias]))
        # A path into a value has no key of its own: such a field shows once all is validated.
        keys = [choice for choice in choices if isinstance(choice, str)]
    if alias is None or config.get("populate_by_name") or config.get("validate_by_name"):
        keys.append(name)
    return FieldKeys(
        name, annotation, list(field.metadata), field.discriminator, list(dict.fromkeys(keys))
    )


def _generated(generator: object, name: str) -> str | AliasChoices | None:
    """Return the alias that a class's configuration makes of a field's name."""
    if isinstance(generator, AliasGenerator):
        made: Any = generator.validation_alias or generator.alias
        return None if made is None else made(name)
    if callable(generator):
        return cast("Callable[[str], str]", generator)(name)
    return None
