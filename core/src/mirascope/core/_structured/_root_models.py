"""Root models: an instance around what its root shows."""

from __future__ import annotations

from typing import Any

from .._types import JSONObject
from ._shapes import MISSING, Build, Items, Make, Members, Shape, TupleItems, Undecided

_ROOT = "root"


class RootShape(Shape):
    """A `RootModel`.

    Args:
        inner: the shape of its root.
        make: makes an instance of it.
    """

    def __init__(self, inner: Shape, make: Make) -> None:
        self._inner = inner
        self._make = make
        self.grows = inner.grows
        self.items = None if inner.items is None else self._around_items(inner.items)
        members = inner.members
        if isinstance(members, Members):
            self.members = self._around_members(members)
        elif members is not None:
            self.members = _RootUndecided(members, self._around_members)

    def leaf(self, value: Any) -> Any:
        root = self._inner.leaf(value)
        return MISSING if root is MISSING else self._around(root)

    def growing(self, text: str) -> Any:
        return self._around(self._inner.growing(text))

    def refuses(self, value: Any) -> bool:
        return self._inner.refuses(value)

    def _around(self, root: Any) -> Any:
        return self._make({_ROOT: root}, {_ROOT})

    def _around_items(self, inner: Items) -> Items:
        build_inner = inner.build

        def build(items: list[Any]) -> Any:
            return self._around(list(items) if build_inner is None else build_inner(items))

        return _RootItems(inner, build)

    def _around_members(self, inner: Members) -> Members:
        return _RootMembers(inner, self._around)


class _RootItems(Items):
    def __init__(self, inner: Items, build: Build) -> None:
        super().__init__(inner.item, build, whole_only=inner.whole_only)
        self.fixed = isinstance(inner, TupleItems)
        self._inner = inner

    def nth(self, n: int) -> Shape:
        return self._inner.nth(n)


class _RootMembers(Members):
    def __init__(self, inner: Members, around: Any) -> None:
        super().__init__()
        self._inner = inner
        self.has_none = inner.has_none
        self.ranks = inner.ranks
        make = inner.make
        self.make = lambda members, arrived: around(
            members if make is None else make(members, arrived)
        )

    def member(self, key: str) -> tuple[Any, Shape]:
        return self._inner.member(key)

    def start(self) -> dict[Any, Any]:
        return self._inner.start()


class _RootUndecided(Undecided):
    """A root model of a union whose members are objects."""

    def __init__(self, inner: Undecided, around: Any) -> None:
        self.members = self
        self._inner = inner
        self._around = around

    def resolve(self, raw: JSONObject) -> Members | None:
        found = self._inner.resolve(raw)
        return None if found is None else self._around(found)
