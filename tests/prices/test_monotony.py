"""What every tier must keep: slower ones never cost more than the standard, faster ones never less.

Every model, unit, size and date of every table: a tier row without its dates, its long context or
one of its units shows as a price on the wrong side.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from mirascope.core import PriceTable
from mirascope.core._prices._calculate import _price
from mirascope.core._prices._entries import ModelPrices
from mirascope.core._prices._units import UNITS

ROOT = Path(__file__).parents[2]
TABLES = sorted(ROOT.glob("providers/*/src/*/prices.toml"))
CHEAPER = ({"service_tier": "flex"}, {"processing": "batch"})
DEARER = ({"service_tier": "priority"}, {"service_tier": "ultrafast"}, {"speed": "fast"})


def prices(entry: ModelPrices, facts: dict[str, str], size: int, at: float) -> dict[str, Decimal]:
    rows = entry.holding(facts, size, at)
    found = {name: _price(unit, rows) for name, unit in UNITS.items() if not unit.is_fee}
    return {name: price[0] for name, price in found.items() if price is not None}


def moments(entry: ModelPrices) -> Iterator[tuple[int, float]]:
    """Every size and time at which another price can hold, and the ones just before."""
    sizes = {0} | {row.above + more for row in entry.rows if row.above >= 0 for more in (0, 1)}
    bounds = {t for row in entry.rows for t in (row.start, row.end) if math.isfinite(t)}
    times = {0.0} | {t + more for t in bounds for more in (-1.0, 0.0)}
    yield from itertools.product(sorted(sizes), sorted(times))


def wrong(table: PriceTable) -> Iterator[str]:
    for entry in table.models.values():
        for size, at in moments(entry):
            standard = prices(entry, {}, size, at)
            for facts, sign in (*((f, 1) for f in CHEAPER), *((f, -1) for f in DEARER)):
                for unit, price in prices(entry, facts, size, at).items():
                    if (price - standard[unit]) * sign > 0:
                        yield (
                            f"{entry.name} {facts} {unit} at {size} tokens, {at:.0f}: {price}, "
                            f"and {standard[unit]} without"
                        )


@pytest.mark.parametrize("path", TABLES, ids=[path.parent.name for path in TABLES])
def test_no_tier_is_on_the_wrong_side_of_the_standard_price(path: Path) -> None:
    found = list(wrong(PriceTable.from_toml(path.read_text("utf-8"), path.parent.name)))
    assert not found, f"{len(found)}:\n" + "\n".join(found[:40])


def test_longer_requests_and_wider_contexts_never_cost_less() -> None:
    for path in TABLES:
        table = PriceTable.from_toml(path.read_text("utf-8"), path.parent.name)
        for entry in table.models.values():
            tiers = [{}, *({fact: v} for fact, vs in entry.conditions.items() for v in sorted(vs))]
            for facts in tiers:
                last: dict[tuple[float, str], Decimal] = {}
                for size, at in sorted(moments(entry)):
                    for unit, price in prices(entry, facts, size, at).items():
                        assert price >= last.get((at, unit), price), (entry.name, facts, unit, size)
                        last[at, unit] = price
