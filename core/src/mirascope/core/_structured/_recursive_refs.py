"""Generic models that refer to themselves: pydantic has a sign in the place of such a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic import TypeAdapter


def is_recursive_ref(annotation: object) -> bool:
    """Whether it is that sign: it is in `Tree[int]` what `Tree[T]` is in `Tree`."""
    return type(annotation).__name__ == "PydanticRecursiveRef"


def classes_by_ref(annotation: Any) -> dict[str, Any]:
    """Return the models in a type by the names that such signs have for them."""
    return dict(_models(TypeAdapter[Any](annotation).core_schema))


def _models(schema: object) -> Iterator[tuple[str, Any]]:
    # A mapping, not a dict: some are built when they are looked at.
    if isinstance(schema, Mapping):
        node = cast("Mapping[str, Any]", schema)
        if "ref" in node and "cls" in node:
            yield node["ref"], node["cls"]
        for inner in node.values():
            yield from _models(inner)
    elif isinstance(schema, list):
        for inner in cast("list[Any]", schema):
            yield from _models(inner)
