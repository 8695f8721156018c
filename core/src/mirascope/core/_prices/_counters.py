"""Reading the counters of a usage object without believing any of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from ..json import as_mapping

_NOTHING: Final[Mapping[str, Any]] = {}


def whole_number(value: object) -> int | None:
    """Return a count that a server sent, or None for anything that is not one.

    Whole numbers below 2**63 are counts, also as `5.0`; negative ones, text, truth values, infinity
    and NaN (which servers written in Python do send) are not.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value < 2**63 and value == int(value) else None


def token_count(value: object) -> int:
    """Return a count that a server sent, or 0 for anything that is not one."""
    return whole_number(value) or 0


class Counters:
    """The counters of one usage object, for a provider's `normalize`.

    It keeps account of what could not be read, so that what is not known is not taken for zero.

    Args:
        usage: the usage object as it was sent, or a part of one.
        parent: the counters of the object that this one is a part of.

    Attributes:
        notes: what is not certain about the counts, for `Usage.notes`.
        found: how many counters could be read.
    """

    __slots__ = ("_usage", "found", "notes")

    def __init__(self, usage: Mapping[str, Any], parent: Counters | None = None) -> None:
        self._usage = usage
        self.notes: list[str] = [] if parent is None else parent.notes
        self.found = 0

    def __bool__(self) -> bool:
        return bool(self._usage)

    def has(self, names: Collection[str]) -> bool:
        """Whether there is anything under one of these names."""
        return not self._usage.keys().isdisjoint(names)

    def get(self, *names: str) -> int | None:
        """Return the first counter of these names, or None where there is none that can be read.

        Several names are spellings of one counter. A value that is not a count makes a note.
        """
        for name in names:
            value = self._usage.get(name)
            if value is None:
                continue
            # What nearly every counter is needs no closer look.
            count = value if type(value) is int and 0 <= value < 2**63 else whole_number(value)
            if count is not None:
                self.found += 1
                return count
            self.notes.append(f"{name} is {value!r:.40}, which is not a number of tokens")
        return None

    def count(self, *names: str) -> int:
        """Return the first counter of these names; one that is not there is 0."""
        return self.get(*names) or 0

    def part(self, *names: str) -> Counters:
        """Return the counters of the first object of these names."""
        for name in names:
            value = self._usage.get(name)
            if value is not None and (child := as_mapping(value)):
                return Counters(child, self)
        return Counters(_NOTHING, self)

    def value(self, *names: str) -> Any:
        """Return the first value of these names that is not None, whatever it is."""
        return next((v for name in names if (v := self._usage.get(name)) is not None), None)
