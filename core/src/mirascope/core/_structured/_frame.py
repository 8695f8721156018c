"""An object or an array that is open."""

from __future__ import annotations

from typing import Any, Final

from .._types import JSONObject
from ._pieces import Place
from ._sameness import is_same
from ._shapes import (
    ANY,
    HIDDEN,
    MISSING,
    DictMembers,
    Items,
    Members,
    Shape,
    Undecided,
    is_hashable,
    place,
    typed,
)

ITEM_COSTS: Final = 16
"""How many characters copying one item of an open list counts as."""
_MEMBER_COSTS: Final = 256
"""The same for a member of a model: its snapshot looks at each."""


class Frame:
    """An open container: its children that are closed, as they are shown, and where it stands.

    Attributes:
        items: what it is where it is an array; None for an object.
        members: what it is where it is an object; any object while a union waits to be decided.
        children: the closed children, as they are shown.
        arrived: the names of the members that have something to show; of a set, its items.
        is_shown: whether a partial shows it.
        is_kept: whether its children are kept: it is shown, or a union that waits has it.
        is_repeated: whether the open member has come before: the last one counts.
        key: the name of the member that is open, None where nothing is shown of it.
        json_key: its key as it was written.
        child: the shape of the child that is open, or comes next.
        n: how many items are closed.
        waiting: the union that it is one member of, not known which.
        raw: what such a union has of it: its keys, and its values that are whole.
        begins: where the open item begins, where items are wanted one by one.
    """

    __slots__ = (
        "_ranks",
        "arrived",
        "begins",
        "child",
        "children",
        "is_kept",
        "is_repeated",
        "is_shown",
        "items",
        "json_key",
        "key",
        "members",
        "n",
        "raw",
        "waiting",
    )

    def __init__(
        self, shape: Members | Undecided | Items | None, *, is_list: bool, shown: bool, kept: bool
    ) -> None:
        self.is_shown = shown and shape is not None
        self.is_kept = (shown or kept) and shape is not None
        self.key: Any = None
        self.json_key = ""
        self.child: Shape = HIDDEN
        self.n = 0
        self.arrived: set[Any] = set()
        self.waiting: Undecided | None = None
        self.raw: JSONObject = {}
        self.begins: Place | None = None
        self.items: Items | None = None
        self.members: Members = _ANY_MEMBERS
        self.children: Any
        self.is_repeated = False
        self._ranks: dict[Any, int] = {}
        if is_list:
            self.items = shape if isinstance(shape, Items) else _ANY_ITEMS
            self.children = []
            return
        if isinstance(shape, Undecided):
            self.waiting = shape
            self.is_shown = False
        self._become(shape if isinstance(shape, Members) else _ANY_MEMBERS)

    def show(self, last: Any) -> Any:
        """Return the container as a partial shows it now, with `last` as its open child."""
        items = self.items
        if items is not None:
            shown = self.children.copy()
            if last is not MISSING and not items.whole_only:
                place(shown, self.n, last, items)
            return shown if items.build is None else items.build(shown)
        members, make = self.children.copy(), self.members.make
        has_last = last is not MISSING and self.key is not None
        if has_last:
            members[self.key] = last
        if make is None:
            return members
        return make(members, self.arrived | {self.key} if has_last else self.arrived.copy())

    @property
    def cost(self) -> int:
        """What a snapshot of it costs, in characters that are copied."""
        each = ITEM_COSTS if self.members.make is None else _MEMBER_COSTS
        return len(self.children) * each

    def close(self) -> Any:
        """Return the container as partials show it from now on, MISSING where it is not kept."""
        if not self.is_kept:
            return MISSING
        shape = self.items
        if shape is not None:
            return self.children if shape.build is None else shape.build(self.children)
        make = self.members.make
        return self.children if make is None else make(self.children, self.arrived)

    def begin_member(self, json_key: str) -> None:
        """Take the key of the member that comes next."""
        members = self.members
        self.json_key = json_key
        self.key, self.child = members.member(json_key)
        if members.ranks:
            self._rank(json_key, members.ranks)
        self.is_repeated = self.key in self.arrived
        if self.waiting is not None:
            self.raw[json_key] = MISSING

    def replaces(self, beginning: Any) -> bool:
        """Whether a repeated member, as it begins, differs from what stood in its place."""
        return not is_same(self.children[self.key], beginning)

    def put(self, shown: Any) -> bool:
        """Take a child that is whole; return whether the container is another one than before.

        What an open child has shown before it was whole is not news: whoever puts it knows.
        """
        if self.items is not None:
            return self._put_item(self.items, shown)
        return self._put_member(shown)

    def _put_item(self, items: Items, shown: Any) -> bool:
        n, self.n = self.n, self.n + 1
        if shown is MISSING:
            return False
        if items.whole_only:
            if not is_hashable(shown) or shown in self.arrived:
                return False
            self.arrived.add(shown)
        place(self.children, n, shown, items)
        return True

    def _put_member(self, shown: Any) -> bool:
        key, children = self.key, self.children
        self.is_repeated = False
        if key is None:
            return False
        if shown is MISSING:
            # A key that is repeated: the last one counts, also where it has nothing to show.
            if key not in self.arrived:
                return False
            self.arrived.discard(key)
            before = children.pop(key)
            empty = self.members.start()
            if key in empty:
                children[key] = empty[key]
            return before is not None or key not in empty
        if key in self.arrived:
            is_new = not is_same(children[key], shown)
        else:
            is_new = shown is not None or not self.members.has_none
        children[key] = shown
        self.arrived.add(key)
        return is_new

    def put_raw(self, value: Any) -> None:
        """Take a whole scalar of an object that a union waits for."""
        self.raw[self.json_key] = value

    def decide(self, *, shown: bool) -> bool:
        """See whether the union can be decided; return whether it was."""
        waiting = self.waiting
        found = None if waiting is None else waiting.resolve(self.raw)
        if found is None:
            return False
        self.waiting = None
        before = self.children
        self.is_shown = shown
        self.arrived = set()
        self._become(found)
        open_key = self.json_key
        for json_key, value in before.items():
            self.begin_member(json_key)
            if self.key is not None and (member := typed(self.child, value)) is not MISSING:
                self.children[self.key] = member
                self.arrived.add(self.key)
        self.begin_member(open_key)
        self.raw = {}
        return True

    def _become(self, members: Members) -> None:
        self.members = members
        self.children = members.start()
        self._ranks = {}

    def _rank(self, json_key: str, ranks: dict[str, int]) -> None:
        """Hide a key of a field that has come under a key which validation prefers."""
        rank = ranks.get(json_key, 0)
        if self._ranks.get(self.key, rank) < rank:
            self.key, self.child = None, HIDDEN
        elif self.key is not None:
            self._ranks[self.key] = rank


_ANY_MEMBERS = DictMembers(ANY)
_ANY_ITEMS = Items(ANY)
