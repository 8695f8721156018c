"""Whether two partials show the same, without asking the user's own classes."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

from pydantic import BaseModel


def is_same(one: Any, other: Any) -> bool:
    """Whether two values show the same: `1`, `1.0` and `True` are three values here."""
    try:
        return _is_same(one, other)
    except Exception:
        # A type that can't be compared, or values that are nested too deep: taken for different.
        return False


def _is_same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        items = cast("list[Any]", one)
        return len(items) == len(other) and all(map(_is_same, items, other))
    if isinstance(one, dict):
        members = cast("dict[Any, Any]", one)
        return members.keys() == other.keys() and all(
            _is_same(member, other[key]) for key, member in members.items()
        )
    if isinstance(one, BaseModel):
        return _is_same(one.__dict__, other.__dict__) and _is_same(
            one.__pydantic_extra__, other.__pydantic_extra__
        )
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return all(_is_same(getattr(one, name), getattr(other, name)) for name in names)
    return bool(one == other)
