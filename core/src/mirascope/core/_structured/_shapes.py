"""What a type looks like while its JSON arrives.

A shape tells, for each kind of JSON value, what a partial shows of it. Validators, constraints and
defaults are not in it: they belong to the validation of the whole.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Final, TypeAlias, cast

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic_core import to_json

from .._types import JSONObject

MISSING: Final[Any] = object()
"""Stands for a value that has nothing to show, where None may be an answer."""

Make: TypeAlias = Callable[[dict[Any, Any], set[Any]], Any]
"""Takes the members of an object and the names of those that have begun; returns what is shown."""
Build: TypeAlias = Callable[[list[Any]], Any]
"""Takes the items of an array; returns what is shown."""


class Shape:
    """What is shown of a value. This one is hidden: only the validated whole has it.

    Attributes:
        grows: whether a string is shown before it is whole.
        members: what `{` begins; None where an object has nothing to show.
        items: what `[` begins; None where an array has nothing to show.
    """

    grows: bool = False
    members: Members | Undecided | None = None
    items: Items | None = None

    def leaf(self, value: Any) -> Any:
        """Return what a whole string, number, boolean or null is shown as, or MISSING."""
        return MISSING

    def growing(self, text: str) -> Any:
        """Return what the beginning of a string is shown as, where it grows."""
        return text

    def refuses(self, value: Any) -> bool:
        """Whether a whole scalar is certainly none of the values that this shape has."""
        return False


class Undecided(Shape, ABC):
    """What `{` begins where several members of a union are objects: it waits for what decides."""

    @abstractmethod
    def resolve(self, raw: JSONObject) -> Members | None:
        """Return the only member that an object which has begun so can be, or None.

        Args:
            raw: the keys that are whole, each with its value; MISSING where that is not whole.
        """


class Members(Shape, ABC):
    """What `{` begins.

    Attributes:
        make: makes what is shown of the members; None where they are shown as a dict.
        has_none: whether a member that has not begun is shown as None.
        ranks: the JSON keys of fields that have several, the one that validation prefers first.
    """

    make: Make | None = None
    has_none: bool = False
    ranks: dict[str, int]

    def __init__(self) -> None:
        self.members = self
        self.ranks = {}

    @abstractmethod
    def member(self, key: str) -> tuple[Any, Shape]:
        """Return the name that a JSON key is shown under, None for none, and its value's shape."""

    def start(self) -> dict[Any, Any]:
        """Return the members before any has begun."""
        return {}


class Items(Shape):
    """What `[` begins: a list, or what `build` makes of its items.

    Attributes:
        whole_only: an item that may still change can't be in it, as in a set.
        fixed: items have their places, as in a tuple.
    """

    whole_only = False
    fixed = False

    def __init__(
        self, item: Shape, build: Build | None = None, *, whole_only: bool = False
    ) -> None:
        self.item, self.build, self.items = item, build, self
        self.whole_only = whole_only

    def nth(self, n: int) -> Shape:
        """Return the shape of the item with this index."""
        return self.item


class TupleItems(Items):
    """An array of a fixed length: a tuple, or a NamedTuple."""

    fixed = True

    def __init__(self, shapes: Sequence[Shape], build: Build) -> None:
        super().__init__(HIDDEN, build)
        self._shapes = shapes

    def nth(self, n: int) -> Shape:
        return self._shapes[n] if n < len(self._shapes) else HIDDEN


class DictMembers(Members):
    """An object with free keys, of one shape all."""

    def __init__(self, value: Shape, key: Shape | None = None) -> None:
        super().__init__()
        self._value, self._key = value, key

    def member(self, key: str) -> tuple[Any, Shape]:
        if self._key is None:
            return key, self._value
        name = self._key.leaf(key)
        return (None, HIDDEN) if name is MISSING else (name, self._value)


class FieldMembers(Members):
    """An object with known members: a model, a dataclass, a TypedDict.

    Attributes:
        fields: the name and the shape of each field, by JSON key.
        extra: the shape of members that no field has.
        empty: what stands for the fields before any has begun.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, tuple[str, Shape]] = {}
        self.extra: Shape = HIDDEN
        self.empty: dict[str, Any] = {}

    def member(self, key: str) -> tuple[Any, Shape]:
        found = self.fields.get(key)
        if found is not None:
            return found
        # A key of the name of a field that has an alias is not that field.
        is_hidden = self.extra is HIDDEN or key in self.empty
        return (None, HIDDEN) if is_hidden else (key, self.extra)

    def start(self) -> dict[Any, Any]:
        return self.empty.copy()


class AnyShape(Shape):
    """A value of any kind, as JSON has it."""

    grows = True

    def __init__(self) -> None:
        self.members = DictMembers(self)
        self.items = Items(self)

    def leaf(self, value: Any) -> Any:
        return value


class TextShape(Shape):
    """A string.

    Args:
        convert: makes a string of JSON that is not one, where the model's configuration allows it.
    """

    grows = True

    def __init__(self, convert: Callable[[Any], Any] | None = None) -> None:
        self._convert = convert

    def leaf(self, value: Any) -> Any:
        if type(value) is str:
            return value
        return MISSING if self._convert is None else _from_json(self._convert, value)


class ScalarShape(Shape):
    """A number or a boolean."""

    def __init__(self, scalar: type, *, strict: bool) -> None:
        self._type = scalar
        self._convert = TypeAdapter[Any](scalar, config=ConfigDict(strict=strict)).validate_python

    def leaf(self, value: Any) -> Any:
        return value if type(value) is self._type else _quietly(self._convert, value)


class LeafShape(Shape):
    """A type of the standard library or of pydantic that is built of a whole JSON value.

    Args:
        annotation: the type.
        strict: whether a value has to be of its type in JSON already.
        first_fits: whether the first member of a union that takes a value has it.
    """

    def __init__(self, annotation: Any, *, strict: bool, first_fits: bool = False) -> None:
        if first_fits:
            annotation = Annotated[annotation, Field(union_mode="left_to_right")]
        config = ConfigDict(arbitrary_types_allowed=True, strict=strict)
        self._convert = TypeAdapter[Any](annotation, config=config).validate_json

    def leaf(self, value: Any) -> Any:
        return _from_json(self._convert, value)


class ChoiceShape(Shape):
    """One of some values: a `Literal`, the members of an enum, null.

    Args:
        values: the values.
        convert: makes one of them of another JSON value, as validation takes `true` for 1.
        plain: an enum's member is shown as its value.
    """

    def __init__(
        self,
        values: Iterable[Any],
        convert: Callable[[Any], Any] | None = None,
        *,
        plain: bool = False,
    ) -> None:
        self._convert = convert
        self._plain = plain
        values = list(values)
        raws = [_value_of(value) for value in values]
        # What is a list or an object in JSON is not looked up: only scalars come here.
        self._known: dict[tuple[type, Any], Any] = {
            (type(raw), raw): raw if plain else value
            for raw, value in zip(raws, values, strict=True)
            if is_hashable(raw)
        }
        self.has_text = any(kind is str for kind, _ in self._known)

    def leaf(self, value: Any) -> Any:
        kind: Any = type(cast("object", value))
        found = self._known.get((kind, value), MISSING)
        if found is not MISSING or self._convert is None:
            return found
        found = self._convert(value)
        return _value_of(found) if self._plain else found

    def refuses(self, value: Any) -> bool:
        return self.leaf(value) is MISSING


class LaterShape(Shape):
    """The shape of a type that refers to itself, while that type is still being looked at."""

    def __init__(self) -> None:
        self._found: Shape = HIDDEN

    def become(self, found: Shape) -> None:
        """Take the shape, now that it is known."""
        self._found = found
        self.grows, self.members, self.items = found.grows, found.members, found.items

    def leaf(self, value: Any) -> Any:
        return self._found.leaf(value)

    def growing(self, text: str) -> Any:
        return self._found.growing(text)

    def refuses(self, value: Any) -> bool:
        return self._found.refuses(value)


HIDDEN: Final = Shape()
"""A value that nothing is shown of."""
ANY: Final = AnyShape()
"""A value of any kind."""


def typed(shape: Shape, raw: Any) -> Any:
    """Return what a shape shows of a whole JSON value, MISSING for nothing.

    For what was read before it was known what it is: each such value comes here once.
    """
    if isinstance(raw, dict):
        return _typed_members(shape, cast("JSONObject", raw))
    if not isinstance(raw, list):
        return shape.leaf(raw)
    items = shape.items
    if items is None:
        return MISSING
    shown: list[Any] = []
    for n, value in enumerate(cast("list[Any]", raw)):
        if (item := typed(items.nth(n), value)) is MISSING:
            continue
        place(shown, n, item, items)
    return shown if items.build is None else items.build(shown)


def _typed_members(shape: Shape, raw: JSONObject) -> Any:
    members = shape.members
    if isinstance(members, Undecided):
        members = members.resolve(raw)
    if not isinstance(members, Members):
        return MISSING
    shown, arrived = members.start(), set[Any]()
    for key, value in raw.items():
        name, inner = members.member(key)
        if name is not None and (member := typed(inner, value)) is not MISSING:
            shown[name] = member
            arrived.add(name)
    return shown if members.make is None else members.make(shown, arrived)


def place(shown: list[Any], n: int, item: Any, items: Items) -> None:
    """Add the item with the index `n`; what had nothing to show keeps its place in a tuple."""
    if items.fixed:
        shown.extend([None] * (n - len(shown)))
    shown.append(item)


def is_hashable(value: object) -> bool:
    """Whether a value can be in a set."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _value_of(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value


def _from_json(convert: Callable[[bytes], Any], value: Any) -> Any:
    # JSON has rules of its own: a string is a date there even where validation is strict.
    return _quietly(lambda whole: convert(to_json(whole)), value)


def _quietly(convert: Callable[[Any], Any], value: Any) -> Any:
    # Most of what fails here is not valid; some of pydantic's types raise other errors.
    try:
        return convert(value)
    except Exception:
        return MISSING
