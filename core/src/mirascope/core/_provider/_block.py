"""One content block of an answer."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Literal, TypeAlias

from .._tools._base_tool import ToolCall
from .._types import JSONObject

BlockKind: TypeAlias = Literal["text", "thinking", "refusal", "tool_call", "other"]

_NOTHING: Final = ("", "{}")
"""The arguments of a call that was cut before the first one, as servers give them."""


class Block:
    """One content block of the answer, as far as it has arrived.

    Attributes:
        kind: what the block's text is; `"other"` for blocks that only the provider understands.
        key: the provider's number of the block, or None.
        fields: what the provider wants back verbatim (`BlockDelta`).
        id: the id of a tool call as the provider sent it, or None.
        name: the name of a tool call.
        call: the complete tool call, once it is complete.
        free: whether the arguments of a tool call are free text and not JSON.
    """

    __slots__ = ("_parts", "call", "fields", "free", "id", "key", "kind", "name")

    def __init__(self, kind: BlockKind, key: Hashable = None) -> None:
        self.kind: BlockKind = kind
        self.key = key
        self.fields: JSONObject = {}
        self.id: str | None = None
        self.name: str | None = None
        self.call: ToolCall | None = None
        self.free = False
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        """The block's text: for a tool call, its arguments as JSON text."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

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
