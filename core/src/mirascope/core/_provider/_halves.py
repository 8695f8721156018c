r"""Halves of characters: what a server cuts between two events is joined here.

JavaScript holds text as UTF-16, and a server written in it may cut a character beyond U+FFFF in
two. JSON carries each half as an escape of its own (`\ud83d`, then `\ude00`); alone it can be
neither printed nor encoded. https://www.rfc-editor.org/rfc/rfc8259#section-8.2
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from ..json import as_whole_text
from ._deltas import (
    BlockDelta,
    ChoiceDelta,
    Delta,
    EndDelta,
    ExtraDelta,
    FinishDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallEnd,
    UsageDelta,
)

_LOST: Final = "\ufffd"


class Halves:
    """Joins the halves of characters in the deltas of one response.

    The first half of a character waits for the next delta of its block; where something else
    follows, or the block ends, U+FFFD stands for it.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[str, Delta]] = {}

    def join(self, deltas: Sequence[Delta]) -> Sequence[Delta]:
        """Return the deltas with whole characters."""
        return [whole for delta in deltas for whole in self._joined(delta, None)]

    def end(self) -> Sequence[Delta]:
        """Give up every half that waits: no more of the answer will come."""
        choices = {cast("tuple[Any, ...]", key)[0] for key in self._held}
        return [
            delta if choice is None else ChoiceDelta(choice, delta)
            for choice in choices
            for delta in self._lost(choice)
        ]

    def _joined(self, delta: Delta, choice: int | None) -> Iterator[Delta]:
        match delta:
            case ChoiceDelta():
                for whole in self._joined(delta.delta, delta.index):
                    yield ChoiceDelta(delta.index, whole)
            case TextDelta() | ThinkingDelta():
                text = self._text((choice, type(delta), delta.block), delta.text, delta)
                if text or not delta.text:
                    yield type(delta)(text, delta.block)
            case RefusalDelta():
                if text := self._text((choice, RefusalDelta), delta.text, delta):
                    yield RefusalDelta(text)
            case ToolCallDelta():
                text = self._text((choice, ToolCallDelta, delta.key), delta.arguments, delta)
                call_id, name = whole_value(delta.id), whole_value(delta.name)
                yield ToolCallDelta(delta.key, call_id, name, text, delta.free)
            case BlockDelta():
                fields = {n: self._field(n, v, delta, choice) for n, v in delta.fields.items()}
                yield BlockDelta(fields, delta.block, delta.join)
            case ExtraDelta():
                # Its pieces are joined where they are read, once all of them are there.
                yield delta
            case ToolCallEnd():
                yield from self._lost(choice, ToolCallDelta, delta.key)
                yield delta
            case FinishDelta() | EndDelta():
                yield from self._lost(choice)
                yield _whole(delta)
            case _:
                yield _whole(delta)

    def _field(self, name: str, value: Any, delta: BlockDelta, choice: int | None) -> Any:
        if name in delta.join and isinstance(value, str):
            piece = BlockDelta({name: value}, delta.block, delta.join)
            return self._text((choice, BlockDelta, (delta.block, name)), value, piece)
        return whole_value(value)

    def _text(self, key: Hashable, text: str, delta: Delta) -> str:
        if not text:
            return text
        if held := self._held.pop(key, None):
            text = held[0] + text
        if "\ud800" <= text[-1] <= "\udbff":
            self._held[key] = (text[-1], delta)
            text = text[:-1]
        return as_whole_text(text)

    def _lost(
        self, choice: int | None, kind: type | None = None, key: Hashable = None
    ) -> Iterator[Delta]:
        """Give up the halves that wait in a choice: all of them, or those of one kind."""
        for held_key, (_, delta) in list(self._held.items()):
            of_choice, of_kind, *of_key = cast("tuple[Any, ...]", held_key)
            if of_choice != choice or (kind is not None and kind is not of_kind):
                continue
            if key is not None and of_key != [key]:
                continue
            del self._held[held_key]
            if isinstance(delta, ToolCallDelta):
                yield ToolCallDelta(delta.key, arguments=_LOST)
            elif isinstance(delta, BlockDelta):
                yield BlockDelta(dict.fromkeys(delta.fields, _LOST), delta.block, delta.join)
            elif isinstance(delta, RefusalDelta):
                yield RefusalDelta(_LOST)
            elif isinstance(delta, (TextDelta, ThinkingDelta)):
                yield type(delta)(_LOST, delta.block)


def whole_value(value: Any) -> Any:
    """Return JSON in which every character is whole; a lone half becomes U+FFFD."""
    if isinstance(value, str):
        return as_whole_text(value)
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return {as_whole_text(name): whole_value(held) for name, held in items}
    if isinstance(value, list):
        return [whole_value(item) for item in cast("list[Any]", value)]
    return value


def _whole(delta: Delta) -> Delta:
    """Return a delta whose fields that are not joined with another's have whole characters."""
    if isinstance(delta, UsageDelta):
        return dataclasses.replace(delta, usage=whole_value(delta.usage))
    texts = {
        field.name: whole_value(value)
        for field in dataclasses.fields(delta)
        if isinstance(value := getattr(delta, field.name), (str, Mapping))
    }
    return dataclasses.replace(delta, **texts) if texts else delta
