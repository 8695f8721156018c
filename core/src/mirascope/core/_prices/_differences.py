"""How two price tables differ in what is charged, whatever the order and layout of their rows."""

from __future__ import annotations

import datetime
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ._cost import plain
from ._entries import ModelPrices
from ._table import PriceTable

JUMP: Final = 10
"""A price that grows or shrinks by more than this is not believed without a look."""
_BEGINNING: Final = 0.0
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that one table charges differently from another.

    Attributes:
        model: the entry.
        text: what differs, in words.
        is_jump: whether it is too much to be believed without a look.
        sign: `"+"` for a model that is new, `"-"` for one that is gone, `"~"` for a change.
    """

    model: str
    text: str = ""
    is_jump: bool = False
    sign: str = "~"

    def __str__(self) -> str:
        return f"{self.sign} {self.model}" + (f"  {self.text}" if self.text else "")


def differences(older: PriceTable, newer: PriceTable) -> Iterator[Difference]:
    """Yield every difference: of prices in every tier, size and period, of names and factors."""
    for name in sorted(older.models.keys() | newer.models.keys()):
        before, after = older.models.get(name), newer.models.get(name)
        if after is None:
            yield Difference(name, sign="-")
        elif before is None:
            prices = after.prices({}, 0, datetime.datetime.now(datetime.UTC).timestamp())
            yield Difference(
                name, "  ".join(f"{u} {plain(p)}" for u, p in prices.items()), sign="+"
            )
        else:
            yield from _of_names(before, after)
            yield from _of_prices(before, after)
            if _doubts(before) != _doubts(after):
                yield Difference(name, "what is not certain about its prices")


def _of_names(before: ModelPrices, after: ModelPrices) -> Iterator[Difference]:
    for what, was, now in (
        ("names", set(before.names), set(after.names)),
        ("prefixes", set(before.prefixes), set(after.prefixes)),
        (
            "modifiers",
            {f"{m.name} x {plain(m.factor)}" for m in before.modifiers},
            {f"{m.name} x {plain(m.factor)}" for m in after.modifiers},
        ),
    ):
        if was != now:
            changes = [*(f"+{n}" for n in sorted(now - was)), *(f"-{n}" for n in sorted(was - now))]
            yield Difference(after.name, f"{what} {' '.join(changes)}")


def _of_prices(before: ModelPrices, after: ModelPrices) -> Iterator[Difference]:
    rows = (*before.rows, *after.rows)
    facts: list[dict[str, str]] = [{}]
    for row in rows:
        for values in itertools.product(*(sorted(values) for _, values in row.when)):
            fact = dict(zip((name for name, _ in row.when), values, strict=True))
            if fact not in facts:
                facts.append(fact)
    sizes = sorted({0} | {row.above + 1 for row in rows if row.above >= 0})
    times = sorted({_BEGINNING} | {t for row in rows for t in (row.start, row.end) if _is_time(t)})
    hours = sorted({0} | {second for row in rows for second in row.hours or ()})
    if any(row.weekdays is not None for row in rows):
        hours = [day * _DAY + hour for day in range(7) for hour in hours]
    # What changes alike in every tier, size or period is one change.
    said: dict[tuple[str, Decimal | None, Decimal | None], list[dict[str, str]]] = {}
    for time, hour, size, fact in itertools.product(times, hours, sizes, facts):
        old = before.prices(fact, size, time + hour)
        new = after.prices(fact, size, time + hour)
        for unit in (*old, *(unit for unit in new if unit not in old)):
            was, now = old.get(unit), new.get(unit)
            known = said.setdefault((unit, was, now), [])
            if was == now or {} in known or fact in known:
                continue
            known.append(fact)
            where = _where(fact, size, time + hour)
            text = f"{unit} {_text(was)} -> {_text(now)}{where}"
            yield Difference(after.name, text, _is_jump(was, now))


def _doubts(entry: ModelPrices) -> set[tuple[str, str, float]]:
    return {
        (unit, row.note, row.recorded)
        for row in entry.rows
        if row.note or math.isfinite(row.recorded)
        for unit in row.prices
    }


def _where(facts: Mapping[str, str], size: int, time: float) -> str:
    parts = [f"{name} {value}" for name, value in facts.items()]
    if size:
        parts.append(f"from {size} tokens on")
    if time:
        moment = datetime.datetime.fromtimestamp(time, datetime.UTC)
        parts.append(f"from {moment.isoformat().removesuffix('T00:00:00+00:00')} on")
    return f" ({', '.join(parts)})" if parts else ""


def _is_jump(was: Decimal | None, now: Decimal | None) -> bool:
    if was is None or now is None:
        return False
    # A price that becomes free, or stops being it, is as hard to believe as a tenfold one.
    return bool(was) != bool(now) or not was / JUMP <= now <= was * JUMP


def _text(price: Decimal | None) -> str:
    return "none" if price is None else plain(price)


def _is_time(value: float) -> bool:
    return math.isfinite(value)
