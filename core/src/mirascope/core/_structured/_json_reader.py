"""An incremental JSON reader that gives growing partials and reads no character twice.

Everything that is open stands on a stack, one frame for each container. A frame keeps its closed
children as they are shown, so a snapshot copies the open path and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from ._beginning import Beginning
from ._frame import Frame
from ._pieces import Pieces, Place
from ._sameness import is_same
from ._shapes import HIDDEN, MISSING, Shape, Undecided
from ._strings import OpenString

_SPACE: Final = re.compile(r"[ \t\n\r]*").match
_TOKEN: Final = re.compile(r"[-+.\w]*").match
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?\Z", re.ASCII).match
_LITERALS: Final = {"true": True, "false": False, "null": None}
# pydantic's own parser takes them.
_NO_NUMBERS: Final = {n: float(n) for n in ("NaN", "Infinity", "-Infinity")}
_LONGEST_LITERAL: Final = 5

MAX_DEPTH: Final = 201
"""How deep values may be nested: as deep as pydantic's own parser goes."""
PAYS: Final = 16_384
"""How many characters of copying one character that is read pays for.

A snapshot copies the open string and the open lists. It is due only once the text that was read
since the last one pays for it, so that all snapshots together cost no more than a constant for each
character, whatever the shape.
"""

# What comes next.
_SEARCH: Final = 0
_VALUE: Final = 1
_FIRST_VALUE: Final = 2
_KEY: Final = 3
_FIRST_KEY: Final = 4
_COLON: Final = 5
_COMMA: Final = 6
_STRING: Final = 7
_KEY_STRING: Final = 8
_SCALAR: Final = 9
_NOTHING: Final = 10
_BETWEEN: Final = frozenset({_COMMA, _KEY, _FIRST_KEY, _KEY_STRING, _FIRST_VALUE})
"""The states in which no child of the innermost container is open."""


class JSONReader:
    """Reads one JSON value out of a text that arrives in pieces.

    ```python
    reader = JSONReader(shape_of(Book))
    for delta in deltas:
        if reader.feed(delta):
            show(reader.partial())
    if reader.close():
        show(reader.partial())
    book = Book.model_validate_json(reader.text())
    ```

    The value is the first bracket behind which it is certain that it is one: `{` with its first key
    and colon, or `{}`; `[` with the beginning of an item that it may have, or `[]`. From there on
    the text is the value, and what breaks it is an error. Nothing that a text contains makes this
    raise.

    Args:
        shape: what the value looks like; an object, unless its shape takes arrays.
        search: whether other text may stand before the value.
        items: where a list may stand whose items are wanted one by one, each place as the names of
            members from the root: `()` is the value itself. The first such list counts.

    Attributes:
        done: whether the value is whole.
        broken: why the text is not JSON, or None.
        whole_items: the texts of the items that have become whole; whoever reads them may empty it.
    """

    __slots__ = (
        "_begin",
        "_beginning",
        "_certain",
        "_changed",
        "_credit",
        "_due",
        "_end",
        "_is_repeated",
        "_item_frame",
        "_items",
        "_made",
        "_root",
        "_scalar",
        "_scalar_length",
        "_stack",
        "_state",
        "_string",
        "_string_shape",
        "_string_shown",
        "_text",
        "_told",
        "_value",
        "broken",
        "done",
        "whole_items",
    )

    def __init__(
        self, shape: Shape, *, search: bool = True, items: Collection[tuple[str, ...]] = ()
    ) -> None:
        self._root = shape
        self._beginning = Beginning("{" if shape.items is None else "{[") if search else None
        self._state = _SEARCH if search else _VALUE
        self._stack: list[Frame] = []
        self._string = OpenString()
        self._string_shape: Shape = HIDDEN
        self._string_shown = False
        self._scalar: list[str] = []
        self._scalar_length = 0
        self._value: Any = MISSING
        self._certain = False
        self._changed = False
        self._due = False
        self._is_repeated = False
        self._made: Any = MISSING
        self._credit = 0
        self._text = Pieces()
        self._begin: Place | None = None
        self._end: Place | None = None
        self._told: Place | None = None
        self._items = items
        self._item_frame: Frame | None = None
        self.whole_items: list[str] = []
        self.broken: str | None = None
        self.done = False

    @property
    def has_begun(self) -> bool:
        """Whether a value has begun for certain."""
        return self._certain

    @property
    def open_path(self) -> tuple[str | int, ...]:
        """Where the value still grows: keys as they were written, and indexes of items."""
        if not self._certain:
            return ()
        frames = self._stack
        if self._state in _BETWEEN:
            # Nothing is open in the last one.
            frames = frames[:-1]
        return tuple(frame.json_key if frame.items is None else frame.n for frame in frames)

    def partial(self) -> Any:
        """Return what has arrived as a value that nothing changes later; MISSING for nothing."""
        self._due = False
        self._credit = 0
        if self._is_repeated:
            self._is_repeated = any(frame.is_repeated for frame in self._stack)
        self._made = self._snapshot()
        return self._made

    def _snapshot(self) -> Any:
        if self.done:
            return self._value
        if not self._certain:
            return MISSING
        last: Any = MISSING
        if self._state is _STRING and self._string_shown:
            last = self._string_shape.growing(self._string.so_far())
        for frame in reversed(self._stack):
            last = frame.show(last) if frame.is_shown else MISSING
        return last

    def text(self) -> str:
        """Return the value's own text; all the text where no value has begun."""
        if not self._certain:
            return self._text.between(None)
        return self._text.between(self._begin, self._end)

    def new_text(self) -> str:
        """Return what has arrived of the value's own text since the last time."""
        if not self._certain:
            return ""
        begin, self._told = self._told or self._begin, self._end or self._text.end()
        return self._text.between(begin, self._end)

    def feed(self, text: str) -> bool:
        """Take the next piece; return whether it is time for a partial that shows something new."""
        self._text.add(text)
        if self._state is _NOTHING:
            return False
        self._changed = False
        self._credit += len(text) * PAYS
        self._read(text)
        self._due = self._due or (self._changed and self._certain)
        return self._due and self._credit >= self._cost() and self._is_news()

    def close(self) -> bool:
        """Take note that the text has ended; return whether there is something left to show."""
        return self._due and self._is_news()

    def _is_news(self) -> bool:
        """Whether a partial that is due differs from the one before."""
        if self._is_repeated:
            # A key has come again, perhaps with the value that it had. Looking costs a snapshot.
            self._credit = 0
            self._due = not is_same(self._made, self._snapshot())
        return self._due

    def _cost(self) -> int:
        cost = self._string.length if self._state is _STRING else 0
        for frame in self._stack:
            cost += frame.cost
        return cost

    # The grammar: each method takes the text and a place in it, and returns where to go on

    def _read(self, text: str) -> None:
        at, end = 0, len(text)
        while at < end:
            state = self._state
            if state is _STRING or state is _KEY_STRING:
                at = self._read_string(text, at)
            elif state is _SCALAR:
                at = self._read_scalar(text, at)
            elif state is _SEARCH:
                assert self._beginning is not None  # noqa: S101 - else nothing is searched for
                at = self._beginning.find(text, at)
                if at < end:
                    self._state = _VALUE
            elif state is _NOTHING:
                return
            else:
                found = _SPACE(text, at)
                assert found is not None  # noqa: S101 - it matches the empty text as well
                at = found.end()
                if at < end:
                    at = self._read_mark(text, at)

    def _read_mark(self, text: str, at: int) -> int:
        """Take a character that is not white space, outside of strings, numbers and words."""
        mark = text[at]
        state = self._state
        if state is _VALUE or state is _FIRST_VALUE:
            if mark == "]" and state is _FIRST_VALUE:
                return self._close_container(at + 1)
            return self._begin_value(mark, at)
        is_list = self._stack[-1].items is not None
        if state is _COMMA:
            if mark == ",":
                self._state = _VALUE if is_list else _KEY
                return at + 1
            if mark == ("]" if is_list else "}"):
                return self._close_container(at + 1)
            return self._fail(f"{mark!r} stands where a comma belongs", at)
        if state is _COLON:
            if mark == ":":
                self._state = _VALUE
                if not self._certain:
                    self._be_certain()
                return at + 1
            return self._fail(f"{mark!r} stands where a colon belongs", at)
        if mark == '"':
            self._state = _KEY_STRING
            self._string.begin()
            return at + 1
        if mark == "}" and state is _FIRST_KEY:
            return self._close_container(at + 1)
        return self._fail(f"{mark!r} stands where a key belongs", at)

    def _begin_value(self, mark: str, at: int) -> int:
        stack = self._stack
        parent = stack[-1] if stack else None
        if parent is None:
            if mark != "{" and (mark != "[" or self._root.items is None):
                return self._fail(f"{mark!r} stands where an object belongs", at)
            self._begin = self._text.here(at)
            shape, shown, kept = self._root, True, False
        else:
            if parent.items is not None:
                parent.child = parent.items.nth(parent.n)
                if not self._certain and not _may_be(parent.child, mark):
                    return self._fail(f"{mark!r} begins no item of this list", at)
            # What may still change can't be in a set: there, a child is kept until it is whole.
            shape, shown = parent.child, parent.is_shown and _can_grow(parent)
            kept = parent.is_kept and not shown
            if parent is self._item_frame:
                parent.begins = self._text.here(at)
        if mark == '"':
            self._state = _STRING
            self._string.begin()
            self._string_shape = shape
            if not self._certain:
                self._be_certain()
            self._string_shown = shape.grows and shown
            if self._string_shown and (
                parent is None or not parent.is_repeated or parent.replaces(shape.growing(""))
            ):
                self._changed = True
            return at + 1
        if mark in "{[":
            self._open_container(shape, mark, parent, shown=shown, kept=kept)
            return at + 1
        if mark in "-0123456789tfnNI":
            self._state = _SCALAR
            return at
        return self._fail(f"{mark!r} stands where a value belongs", at)

    def _open_container(
        self, shape: Shape, mark: str, parent: Frame | None, *, shown: bool, kept: bool
    ) -> None:
        stack = self._stack
        is_list = mark == "["
        frame = Frame(
            shape.items if is_list else shape.members, is_list=is_list, shown=shown, kept=kept
        )
        if frame.is_shown and (
            parent is None or not parent.is_repeated or parent.replaces(frame.show(MISSING))
        ):
            self._changed = True
        stack.append(frame)
        self._state = _FIRST_VALUE if is_list else _FIRST_KEY
        if len(stack) > MAX_DEPTH:
            self._break(f"it is nested deeper than {MAX_DEPTH} levels")
        elif is_list and self._items and self._item_frame is None and self._is_wanted(stack):
            self._item_frame = frame

    def _is_wanted(self, stack: list[Frame]) -> bool:
        return tuple(above.key for above in stack[:-1]) in self._items

    def _read_string(self, text: str, at: int) -> int:
        string = self._string
        before = string.length
        at = string.take(text, at)
        if self._state is _STRING:
            if self._string_shown and string.length != before:
                self._changed = True
            if string.closed:
                self._end_string(string.so_far(), at)
        elif string.closed:
            frame = self._stack[-1]
            frame.begin_member(string.so_far())
            self._is_repeated = self._is_repeated or frame.is_repeated
            self._state = _COLON
            if frame.waiting is not None:
                self._decide(frame)
        return at

    def _end_string(self, value: str, end: int) -> None:
        shape = self._string_shape
        if self._string_shown:
            # It has been shown character by character: being whole is no news.
            self._put(value, shape.growing(value), end, is_news=False)
        else:
            self._put(value, shape.growing(value) if shape.grows else shape.leaf(value), end)

    def _read_scalar(self, text: str, at: int) -> int:
        found = _TOKEN(text, at)
        assert found is not None  # noqa: S101 - it matches the empty text as well
        end = found.end()
        scalar = self._scalar
        if end > at:
            scalar.append(text[at:end])
            self._scalar_length += end - at
        # A number is whole with the character after it; a word, with its last letter.
        is_whole = end < len(text)
        if not is_whole and self._scalar_length <= _LONGEST_LITERAL:
            is_whole = "".join(scalar) in _LITERALS
        if not is_whole:
            return end
        token = "".join(scalar)
        scalar.clear()
        self._scalar_length = 0
        if token in _LITERALS:
            value: Any = _LITERALS[token]
        elif number := _NUMBER(token):
            try:
                value = float(token) if number[1] or number[2] else int(token)
            except ValueError:  # it has more digits than Python converts
                value = MISSING
        elif token in _NO_NUMBERS:
            value = _NO_NUMBERS[token]
        else:
            return self._fail(f"{token[:40]!r} is not a value", end)
        shape = self._stack[-1].child if self._stack else self._root
        self._put(value, MISSING if value is MISSING else shape.leaf(value), end)
        return end

    def _close_container(self, end: int) -> int:
        frame = self._stack.pop()
        if frame is self._item_frame:
            self._item_frame, self._items = None, ()
        parent = self._stack[-1] if self._stack else None
        shown = frame.close() if frame.waiting is None else MISSING
        # A set has only what is whole: there it is news. Elsewhere it was shown as it grew.
        self._put(MISSING, shown, end, is_news=parent is not None and not _can_grow(parent))
        return end

    def _put(self, raw: Any, shown: Any, end: int, *, is_news: bool = True) -> None:
        """Take a child that is whole: `raw` is a scalar's value, `shown` what is shown of it."""
        stack = self._stack
        if not stack:
            self._value = shown
            self._state = _NOTHING
            self._changed = self._changed or is_news or not self._certain
            self._certain = self.done = True
            self._end = self._text.here(end)
            return
        frame = stack[-1]
        self._state = _COMMA
        if not self._certain and frame.items is not None:
            self._be_certain()
        if frame is self._item_frame and frame.begins is not None:
            self.whole_items.append(self._text.between(frame.begins, self._text.here(end)))
            frame.begins = None
        if frame.waiting is not None:
            frame.put_raw(raw)
        if frame.put(shown) and frame.is_shown and is_news:
            self._changed = True
        if frame.waiting is not None:
            self._decide(frame)

    def _decide(self, frame: Frame) -> None:
        """See whether what has arrived decides which member of a union an object is."""
        above = self._stack[:-1]
        is_shown = all(each.is_shown and _can_grow(each) for each in above)
        if frame.decide(shown=is_shown) and is_shown:
            self._changed = True

    def _fail(self, why: str, at: int) -> int:
        """The text is not JSON here; before it is certain that a value has begun, that is prose."""
        if self._certain or self._beginning is None:
            self._break(why)
            return at
        self._stack.clear()
        self._scalar.clear()
        self._scalar_length = 0
        self._item_frame = self._begin = None
        self._changed = False
        self._state = _SEARCH
        return at

    def _break(self, why: str) -> None:
        self.broken = why
        self._certain = self._certain or self._begin is not None
        self._state = _NOTHING

    def _be_certain(self) -> None:
        self._certain = True
        self._changed = self._changed or self._stack[0].is_shown


def _can_grow(parent: Frame) -> bool:
    return parent.items is None or not parent.items.whole_only


def _may_be(shape: Shape, mark: str) -> bool:
    """Whether a list whose items have this shape may have one that begins so.

    A citation such as `[1]` is not a list of books.
    """
    if mark == "{":
        return shape.members is not None or shape is HIDDEN
    if mark == "[":
        return shape.items is not None or shape is HIDDEN
    is_object_only = shape.members is not None and not isinstance(shape.members, Undecided)
    return not (is_object_only and type(shape).leaf is Shape.leaf)
