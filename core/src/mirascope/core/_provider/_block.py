"""One content block of an answer."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Any, Final, Literal, TypeAlias, cast

from .._tools._base_tool import ToolCall
from .._types import JSONObject

BlockKind: TypeAlias = Literal["text", "thinking", "refusal", "tool_call", "other"]

_NOTHING: Final = ("", "{}")
"""The arguments of a call that was cut before the first one, as servers give them."""

_JOINED: Final = (str, list, dict)
"""The kinds of values that go on from event to event."""
_JOINING: Final = threading.Lock()


class Block:
    """One content block of the answer, as far as it has arrived.

    Attributes:
        kind: what the block's text is; `"other"` for blocks that only the provider understands.
        key: the provider's number of the block, or None.
        id: the id of a tool call as the provider sent it, or None.
        name: the name of a tool call.
        call: the complete tool call, once it is complete.
        free: whether the arguments of a tool call are free text and not JSON.
    """

    __slots__ = ("_fields", "_growing", "_parts", "call", "free", "id", "key", "kind", "name")

    def __init__(self, kind: BlockKind, key: Hashable = None) -> None:
        self.kind: BlockKind = kind
        self.key = key
        self._fields: JSONObject = {}
        # The pieces of values that are still being sent: they are joined when somebody looks, or
        # the time would grow with the square of their number.
        self._growing: dict[str, list[Any]] = {}
        self.id: str | None = None
        self.name: str | None = None
        self.call: ToolCall | None = None
        self.free = False
        self._parts: list[str] = []

    @property
    def fields(self) -> JSONObject:
        """What the provider wants back verbatim (`BlockDelta`)."""
        if not self._growing:
            return self._fields
        # Nothing is kept of it: one thread may look while another reads on.
        growing = list(self._growing.items())
        return {**self._fields, **{name: _joined(pieces) for name, pieces in growing}}

    def set_field(self, name: str, value: object) -> None:
        """Put a value in place of what there is; a null takes nothing away."""
        if value is not None or name not in self._fields:
            self._fields[name] = value
            self._growing.pop(name, None)

    def join_field(self, name: str, value: object) -> None:
        """Continue the text, the list or the object that there is; another kind replaces it."""
        pieces = self._growing.get(name) or [self._fields.get(name)]
        # By the exact type, which is what JSON makes.
        if type(value) in _JOINED and type(pieces[0]) is type(value):
            pieces.append(value)
            self._growing[name] = pieces
        else:
            self.set_field(name, value)

    @property
    def text(self) -> str:
        """The block's text: for a tool call, its arguments as JSON text."""
        parts = self._parts
        count = len(parts)
        if count > 1 and _JOINING.acquire(blocking=False):
            # One thread may look while another reads on: what is appended meanwhile stays, and only
            # one of those who look puts the whole in the place of its parts.
            try:
                parts[:count] = ["".join(parts[:count])]
            finally:
                _JOINING.release()
        return parts[0] if len(parts) == 1 else "".join(parts)

    @property
    def has_no_arguments(self) -> bool:
        """Whether nothing of a tool call's arguments has come."""
        return self.text.strip() in _NOTHING

    def append(self, text: str) -> None:
        """Add to the block's text."""
        self._parts.append(text)

    def replace(self, text: str) -> None:
        """Put all the text of the block in place of what there is."""
        self._parts = [text]


def _joined(pieces: list[Any]) -> Any:
    """Join texts or lists; of objects, the lists under each key, and the last of anything else."""
    if isinstance(pieces[0], str):
        return "".join(pieces)
    if isinstance(pieces[0], list):
        return [item for piece in pieces for item in piece]
    result: JSONObject = {}
    lists: dict[str, list[Any]] = {}
    for piece in pieces:
        for name, value in cast("JSONObject", piece).items():
            if isinstance(value, list):
                lists.setdefault(name, []).extend(cast("list[Any]", value))
            result[name] = value
    return {**result, **lists}
