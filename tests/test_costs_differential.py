"""Our tables and arithmetic against those of genai-prices: models x usages x tiers x dates.

Every cell is equal, or `costs/known_disagreements.toml` has it with a reason. The oracle is handed
the same disjoint counts, so that what is compared is prices, dates, tiers and thresholds.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mirascope.core import PriceTable, Usage
from mirascope.core._prices._cost import calculate_cost
from mirascope.core.plugins import load_provider, statuses

KNOWN = Path(__file__).parent / "costs" / "known_disagreements.toml"
INSTALLED = {status.name for status in statuses()}

DATES = {
    "2025-06-01": datetime(2025, 6, 1, tzinfo=UTC),
    "2026-03-01": datetime(2026, 3, 1, tzinfo=UTC),
    "today": datetime(2026, 11, 22, tzinfo=UTC),
    "in 30 days": datetime(2026, 12, 22, tzinfo=UTC),
    "in 60 days": datetime(2027, 1, 21, tzinfo=UTC),
}
CONTEXTS = {
    "standard": {},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "batch": {"processing": "batch"},
    "fast": {"speed": "fast"},
}
USAGES = {
    "plain": Usage(input_tokens=1000, output_tokens=500),
    "cached": Usage(input_tokens=50_000, output_tokens=1000, cache_read_tokens=40_000),
    "written": Usage(input_tokens=50_000, output_tokens=1000, cache_write_tokens=30_000),
    "long": Usage(input_tokens=300_000, output_tokens=2000, cache_read_tokens=100_000),
    "searching": Usage(input_tokens=1000, output_tokens=500, fees={"web_search": 3}),
}


class Cell(NamedTuple):
    """One comparison."""

    provider: str
    model: str
    usage: str
    context: str
    date: str

    def is_in(self, known: dict[str, Any]) -> bool:
        """Whether an entry of the list of disagreements is for this cell."""
        return self.provider == known["provider"] and all(
            re.fullmatch(known.get(name, ".*"), getattr(self, name))
            for name in ("model", "usage", "context", "date")
        )


def theirs(cell: Cell) -> Decimal | None:
    """What the oracle says, or None where it does not know the model."""
    import genai_prices

    usage = USAGES[cell.usage]
    counts: dict[str, int] = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
    }
    if usage.cache_read_tokens:
        counts["cache_read_tokens"] = usage.cache_read_tokens
    if usage.cache_write_tokens:
        counts["cache_write_tokens"] = usage.cache_write_tokens
    if usage.fees:
        counts["web_searches"] = usage.fees["web_search"]
    try:
        result = genai_prices.calc_price(
            genai_prices.Usage(**counts),
            cell.model,
            provider_id=cell.provider,
            genai_request_timestamp=DATES[cell.date],
            price_context=CONTEXTS[cell.context] or None,
        )
    except LookupError:
        return None
    return result.total_price


def ours(cell: Cell, table: PriceTable) -> Decimal | None:
    usage = USAGES[cell.usage]
    cost = calculate_cost(
        Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            fees=usage.fees,
            facts=CONTEXTS[cell.context],
        ),
        table,
        model=cell.model,
        at=DATES[cell.date],
    )
    return None if cost is None else cost.total


def cells(provider: str, table: PriceTable) -> Iterator[Cell]:
    names = [name for entry in table.models.values() for name in entry.names]
    for name, usage, context, date in itertools.product(names, USAGES, CONTEXTS, DATES):
        yield Cell(provider, name, usage, context, date)


@pytest.mark.parametrize("provider", ["anthropic", "google", "openai"])
def test_every_cell_is_equal_or_has_a_reason(provider: str) -> None:
    pytest.importorskip("genai_prices")
    if provider not in INSTALLED:
        pytest.skip("not installed")
    table = load_provider(provider).prices
    known = tomllib.loads(KNOWN.read_text())["disagreement"]
    assert all(entry["reason"] for entry in known)
    hits = [0] * len(known)
    unexplained: list[str] = []
    compared = 0
    for cell in cells(provider, table):
        expected = theirs(cell)
        if expected is None:
            continue
        compared += 1
        amount = ours(cell, table)
        if amount == expected:
            continue
        matching = [number for number, entry in enumerate(known) if cell.is_in(entry)]
        for number in matching:
            hits[number] += 1
        if not matching:
            unexplained.append(f"{cell}: ours {amount}, theirs {expected}")
    assert compared > 100
    assert not unexplained, "\n".join(unexplained[:50])
    stale = [
        entry for entry, hit in zip(known, hits, strict=True) if entry["provider"] == provider
        and not hit
    ]  # fmt: skip
    assert not stale, "these cells agree: strike them from the list"
