"""Fields that no decoder knows, joined over the events of an answer.

Servers add fields to messages, and some of them want theirs back with the next request. How such a
field goes on from event to event is not documented as a rule; this is the rule that the fields
known so far follow, and that OpenAI's SDK follows for its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from .._types import JSONObject

_CONSTANT: Final = frozenset(
    {"id", "type", "index", "role", "object", "name", "format", "mime_type", "created", "model"}
)
"""Fields that say what something is: a later value replaces the earlier one."""


def join_fields(pieces: Sequence[Mapping[str, Any]]) -> JSONObject:
    """Return the object whose pieces were sent, in time that grows with their length.

    Text continues, unless every piece of it is the same, which is a field that is restated. Objects
    are joined field by field, and lists item by item: an item continues the one of its `index`, or
    a block before it that waits for its signature. Of anything else the last value counts, and a
    null says nothing beside a value.
    """
    if len(pieces) == 1:
        return dict(pieces[0])
    sent: dict[str, list[Any]] = {}
    for piece in pieces:
        for name, value in piece.items():
            sent.setdefault(name, []).append(value)
    return {name: _joined(name, values) for name, values in sent.items()}


def _joined(name: str, sent: list[Any]) -> Any:
    values = [value for value in sent if value is not None]
    if len(values) < 2 or name in _CONSTANT:
        return values[-1] if values else None
    if all(isinstance(value, str) for value in values):
        texts = cast("list[str]", values)
        return texts[0] if texts.count(texts[0]) == len(texts) else "".join(texts)
    if all(isinstance(value, dict) for value in values):
        return join_fields(cast("list[JSONObject]", values))
    if all(isinstance(value, list) for value in values):
        return _items([item for value in cast("list[list[Any]]", values) for item in value])
    return values[-1]


def _items(items: list[Any]) -> list[Any]:
    groups: list[list[Any]] = []
    by_index: dict[int, list[Any]] = {}
    waiting: list[Any] | None = None
    for item in items:
        fields = cast("JSONObject", item) if isinstance(item, dict) else {}
        index = fields.get("index")
        if isinstance(index, int):
            group = by_index.get(index)
        else:
            group = waiting if waiting and waiting[-1].get("type") == fields.get("type") else None
        if group is None or ("signature" in group[-1] and group[-1]["signature"]):
            group = cast("list[Any]", [])
            groups.append(group)
            if isinstance(index, int):
                by_index[index] = group
        group.append(item)
        waiting = group if "signature" in fields and not fields["signature"] else None
    return [join_fields(group) if len(group) > 1 else group[0] for group in groups]
