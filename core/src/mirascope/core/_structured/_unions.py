"""Unions: one of several shapes, known as soon as what arrived leaves one of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from .._types import JSONObject
from ._shapes import (
    HIDDEN,
    MISSING,
    ChoiceShape,
    FieldMembers,
    Items,
    LaterShape,
    LeafShape,
    Members,
    Shape,
    Undecided,
)


class UnionShape(Undecided):
    """One of several shapes.

    The kind of the JSON value decides where it fits one of them only. Among several that are
    objects, what has arrived of the object does.

    Args:
        shapes: the shapes, null aside.
        scalar: what a whole scalar is shown as.
        nullable: whether null is one of the values.
        tag: the name of the field that tells the objects apart, where one is declared.
        grows: whether a string may be shown before it is whole; else it may become another value.
    """

    def __init__(
        self,
        shapes: Sequence[Shape],
        scalar: Shape,
        *,
        nullable: bool,
        tag: str | None = None,
        grows: bool = True,
    ) -> None:
        self._shapes = shapes
        self._scalar = scalar
        self._nullable = nullable
        self._tag = tag
        texts = [shape for shape in shapes if _takes_text(shape)]
        self.grows = (grows or len(shapes) == 1) and len(texts) == 1 and texts[0].grows
        self._text = texts[0] if self.grows else HIDDEN

    # Looked at when a value begins: the shape of a type that refers to itself is whole by then.

    @cached_property
    def members(self) -> Members | Undecided | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        """The only shape that is an object; itself where several are."""
        found = self._objects
        if len(found) == 1:
            return found[0].members
        return self if found else None

    @cached_property
    def items(self) -> Items | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        """The only shape that is an array."""
        found = [shape.items for shape in self._shapes if shape.items is not None]
        return found[0] if len(found) == 1 else None

    @cached_property
    def _objects(self) -> list[Shape]:
        return [shape for shape in self._shapes if shape.members is not None]

    def leaf(self, value: Any) -> Any:
        if value is None and self._nullable:
            return None
        return self._scalar.leaf(value)

    def growing(self, text: str) -> Any:
        return self._text.growing(text)

    def refuses(self, value: Any) -> bool:
        if value is None and self._nullable:
            return False
        return all(shape.refuses(value) for shape in self._shapes)

    def resolve(self, raw: JSONObject) -> Members | None:
        left = self._objects
        if self._tag is not None:
            left = [shape for shape in left if _has_tag(shape, self._tag, raw)]
        else:
            for key, value in raw.items():
                fitting = [shape for shape in left if _may_have(shape, key, value)]
                left = fitting or left
                if len(left) == 1:
                    break
        if len(left) != 1:
            return None
        found = left[0].members
        return found.resolve(raw) if isinstance(found, Undecided) else found

    def has_tag(self, tag: str, raw: JSONObject) -> bool:
        """Whether one of the objects has this tag in what arrived."""
        return any(_has_tag(shape, tag, raw) for shape in self._objects)

    def may_have(self, key: str, value: Any) -> bool:
        """Whether one of the objects may have this member."""
        return any(_may_have(shape, key, value) for shape in self._objects)


def _takes_text(shape: Shape) -> bool:
    """Whether a string in JSON is a value of the shape, rather than one that is converted."""
    is_choice = isinstance(shape, ChoiceShape) and shape.has_text
    return shape.grows or is_choice or isinstance(shape, (LeafShape, LaterShape))


def _has_tag(shape: Shape, tag: str, raw: JSONObject) -> bool:
    members = shape.members
    if isinstance(members, UnionShape):
        return members.has_tag(tag, raw)
    if not isinstance(members, FieldMembers):
        return False
    keys = [key for key, (name, _) in members.fields.items() if name == tag and key in raw]
    return any(members.fields[key][1].leaf(raw[key]) is not MISSING for key in keys)


def _may_have(shape: Shape, key: str, value: Any) -> bool:
    members = shape.members
    if isinstance(members, UnionShape):
        return members.may_have(key, value)
    if not isinstance(members, FieldMembers):
        return True
    if key not in members.fields:
        return members.extra is not HIDDEN
    return value is MISSING or not members.fields[key][1].refuses(value)
