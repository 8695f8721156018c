"""How values are read: what a model's configuration says, and what is declared about one type."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic.fields import FieldInfo


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """How values are read.

    Attributes:
        strict: whether a value has to be of its type in JSON already.
        plain_enums: whether an enum's member is kept as its value.
        numbers_as_text: whether a number is a string where one belongs.
        first_fits: whether the first member of a union that takes a value has it, not the best one.
    """

    strict: bool = False
    plain_enums: bool = False
    numbers_as_text: bool = False
    first_fits: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any] | None) -> Rules:
        """Return the rules of a class with this configuration."""
        config = config or {}
        return cls(
            strict=bool(config.get("strict")),
            plain_enums=bool(config.get("use_enum_values")),
            numbers_as_text=bool(config.get("coerce_numbers_to_str")),
        )

    def declared(self, metadata: Iterable[Any]) -> Rules:
        """Return the rules of a type about which this is declared."""
        rules = self
        for each in _flat(metadata):
            if isinstance(strict := getattr(each, "strict", None), bool):
                rules = dataclasses.replace(rules, strict=strict)
            if isinstance(as_text := getattr(each, "coerce_numbers_to_str", None), bool):
                rules = dataclasses.replace(rules, numbers_as_text=as_text)
            if (mode := getattr(each, "union_mode", None)) is not None:
                rules = dataclasses.replace(rules, first_fits=mode == "left_to_right")
        return rules


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for each in metadata:
        if isinstance(each, FieldInfo):
            yield from each.metadata
        else:
            yield each
