"""Who spent what: finished calls, summed by tag, model and day."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any, Final, Self, TextIO, cast

from .._errors import UsageError
from ._cost import Cost, plain, total
from ._usage import Usage

NO_TAG: Final = ""
"""The tag of calls without any."""
_COUNTERS: Final = (
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
    "reasoning_tokens",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One finished call.

    Attributes:
        time: when the request was sent, UTC.
        provider: the provider's name.
        model: the model as the provider reports it.
        tags: `metadata["tags"]` of the call.
        usage: what it used, or None where that is not known.
        cost: what it cost, or None where that is not known.
        state: how it ended: a stream's state, or `"completed"`.
    """

    time: datetime
    provider: str
    model: str
    tags: tuple[str, ...] = ()
    usage: Usage | None = None
    cost: Cost | None = None
    state: str = "completed"

    @classmethod
    def of(cls, result: Any) -> Self:
        """Return the entry of a stream that has ended, or of a call response."""
        try:
            cost = result.cost_details
        except Exception:
            # `prices.strict()` is for whoever reads a cost; a ledger counts what it can't price.
            cost = None
        return cls(
            time=result.priced_at,
            provider=result.provider,
            model=result.model,
            tags=tags_of(result.metadata),
            usage=result.common_usage,
            cost=cost,
            state=str(getattr(result, "state", "completed")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """What some of the calls used and cost together.

    Attributes:
        key: what they have in common, by the name of the column (`"tag"`, `"model"`, …).
        cost: what they cost; `cost.calls` is how many there are, `cost.unpriced` how many of them
            have no known price and are left out.
        tokens: what they used, by the names of `Usage`.
    """

    key: Mapping[str, str]
    cost: Cost
    tokens: Mapping[str, int]


_COLUMNS: Final[Mapping[str, Callable[[LedgerEntry], Iterable[str]]]] = {
    "tag": lambda entry: entry.tags or (NO_TAG,),
    "model": lambda entry: (f"{entry.provider}/{entry.model}",),
    "provider": lambda entry: (entry.provider,),
    "day": lambda entry: (entry.time.date().isoformat(),),
    "month": lambda entry: (entry.time.date().isoformat()[:7],),
    "state": lambda entry: (entry.state,),
}
COLUMNS: Final = tuple(_COLUMNS)
"""What calls can be summed by."""


class Ledger:
    """Finished calls, in the order in which they finished.

    `prices.ledger()` makes one that takes in every call from then on. It may be filled from any
    thread. A call with several tags counts under each of them, so that rows by tag can add up to
    more than `total`.

    Args:
        entries: the calls that it begins with.
    """

    def __init__(self, entries: Iterable[LedgerEntry] = ()) -> None:
        self._entries = list(entries)
        self._stop: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[LedgerEntry]:
        return iter(list(self._entries))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, entry: LedgerEntry) -> None:
        """Take in a call."""
        self._entries.append(entry)

    def clear(self) -> list[LedgerEntry]:
        """Forget the calls so far and return them, as when they were written to a file."""
        entries, self._entries = self._entries, []
        return entries

    def on_close(self, stop: Callable[[], None]) -> None:
        """Say what ends the taking in of calls."""
        self._stop = stop

    def close(self) -> None:
        """Take in no more calls by itself; what is in it stays."""
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()

    @property
    def total(self) -> Cost:
        """What all calls cost together, each of them once."""
        return total(entry.cost for entry in self)

    def rows(self, by: Sequence[str] = ("tag", "model", "day")) -> list[LedgerRow]:
        """Return the sums, sorted by what they are by.

        Args:
            by: what calls are put together by, any of `"tag"`, `"model"`, `"provider"`, `"day"`,
                `"month"` (UTC), `"state"`.

        Raises:
            UsageError: there is no such column.
        """
        for name in by:
            if name not in _COLUMNS:
                raise UsageError(f"a ledger has no {name!r}; it has: {', '.join(COLUMNS)}")
        costs: dict[tuple[str, ...], list[Cost | None]] = {}
        tokens: dict[tuple[str, ...], dict[str, int]] = {}
        for entry in self:
            for key in _keys(entry, by):
                costs.setdefault(key, []).append(entry.cost)
                counts = tokens.setdefault(key, dict.fromkeys(_COUNTERS, 0))
                if entry.usage is not None:
                    for name in _COUNTERS:
                        counts[name] += getattr(entry.usage, name)
        return [
            LedgerRow(key=dict(zip(by, key, strict=True)), cost=total(found), tokens=tokens[key])
            for key, found in sorted(costs.items())
        ]

    def to_csv(
        self,
        file: str | os.PathLike[str] | TextIO | None = None,
        by: Sequence[str] = ("tag", "model", "day"),
    ) -> str:
        """Write the sums as CSV, and return the text.

        Args:
            file: a path or an open text file; None only returns it.
            by: as in `rows`.

        Raises:
            UsageError: there is no such column.
            OSError: the file can't be written.
        """
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*by, "calls", "unpriced", *_COUNTERS, "cost_usd", "exact"])
        for row in self.rows(by):
            cost = row.cost
            writer.writerow(
                [
                    *map(_cell, row.key.values()),
                    *(cost.calls, cost.unpriced),
                    *row.tokens.values(),
                    *(plain(cost.total), str(cost.exact).lower()),
                ]
            )
        if isinstance(file, (str, os.PathLike)):
            with open(file, "w", encoding="utf-8", newline="") as opened:
                opened.write(text.getvalue())
        elif file is not None:
            file.write(text.getvalue())
        return text.getvalue()


class LedgerKeeper:
    """The plugin that fills a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def mirascope_call_finished(self, result: Any) -> None:
        """Take in a call."""
        self._ledger.add(LedgerEntry.of(result))


def tags_of(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tags of a call, each once: `metadata["tags"]`, a list of them or a single one."""
    given: object = metadata.get("tags")
    items = [given] if isinstance(given, str) else given
    if not isinstance(items, (list, tuple, set, frozenset)):
        return ()
    return tuple(sorted({str(item) for item in cast("Iterable[object]", items)}))


def _keys(entry: LedgerEntry, by: Sequence[str]) -> Iterator[tuple[str, ...]]:
    keys: list[tuple[str, ...]] = [()]
    for name in by:
        keys = [(*key, value) for key in keys for value in _COLUMNS[name](entry)]
    yield from keys


def _cell(text: str) -> str:
    """Return a text that a spreadsheet does not take for a formula: a tag can be a user's."""
    return f"'{text}" if text.startswith(_FORMULA) else text
