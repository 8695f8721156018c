"""Writing price tables as TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, cast

from .._cost import plain
from ._draft import Draft
from ._merging import rows_of

_KEYS: Final = ("aliases", "prefixes", "modifiers", "source")


def entry_of(draft: Draft) -> dict[str, Any]:
    """Return a model's entry in a table."""
    entry: dict[str, Any] = {
        "aliases": draft.aliases,
        "prefixes": draft.prefixes,
        "modifiers": draft.modifiers,
        "prices": list(rows_of(draft)),
    }
    return {key: value for key, value in entry.items() if value}


def table_text(head: str, models: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the document of a table.

    Args:
        head: everything before the models.
        models: the entries by name.
    """
    parts = [head.rstrip()]
    for name, entry in sorted(models.items()):
        lines = [f"[models.{json.dumps(name)}]"]
        lines += [f"{key} = {value_text(entry[key])}" for key in _KEYS if entry.get(key)]
        rows = [f"  {value_text(row)}," for row in entry["prices"]]
        parts.append("\n".join([*lines, "prices = [", *rows, "]"]))
    return "\n\n".join(parts) + "\n"


def value_text(value: Any) -> str:
    """Return a value as TOML, on one line."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return "{ " + ", ".join(f"{key} = {value_text(item)}" for key, item in items) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(value_text, cast("list[Any]", value))) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return plain(value) if isinstance(value, Decimal) else str(value)
