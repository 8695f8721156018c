"""The price table, against the project's table where that is at hand."""

from __future__ import annotations

import datetime
import tomllib
import warnings
from decimal import Decimal
from typing import Any

import pytest
from mirascope.core._prices._calculate import calculate_cost
from mirascope_anthropic import AnthropicProvider
from mirascope_tests.shared import SHARED, needs_shared

PROVIDER = AnthropicProvider()


def cost(model: str, **usage: Any) -> Any:
    normalized = PROVIDER.normalize({"input_tokens": 0, "output_tokens": 0, **usage}, {})
    return calculate_cost(normalized, PROVIDER.prices, model=model)


def test_every_unit_at_its_price() -> None:
    million = 1_000_000
    for unit, price in {
        "input_tokens": "4",
        "cache_read_input_tokens": "0.2",
        "cache_creation_input_tokens": "5",
        "output_tokens": "20",
    }.items():
        assert cost("claude-opus-5-5", **{unit: million}).total == Decimal(price)


@pytest.mark.parametrize(
    "model",
    ["claude-haiku-4-5-20251001", "claude-sonnet-4@20250514", "anthropic/claude-opus-4-8"],
)
def test_names_with_dates_and_prefixes(model: str) -> None:
    assert cost(model, input_tokens=10).total > 0


def test_an_unknown_model_has_no_price() -> None:
    with warnings.catch_warnings(action="ignore"):
        assert cost("claude-abacus-9") is None


@needs_shared
def test_the_rows_that_hold_without_conditions() -> None:
    path = SHARED / "prices" / "anthropic.toml"
    today = datetime.date(2026, 11, 22)
    table = tomllib.loads(path.read_text(), parse_float=Decimal)["models"]
    for name, entry in table.items():
        (row,) = (
            row
            for row in entry["prices"]
            if not row.keys() & {"when", "above"}
            and row.get("from", today) <= today < row.get("until", datetime.date.max)
        )
        match = PROVIDER.prices.match(name)
        assert match is not None
        prices = match.entry.prices({}, 0, datetime.datetime(2026, 11, 22, 12).timestamp())
        assert prices == {key: row[key] for key in row if key not in ("from", "until")}
        for alias in entry.get("aliases", ()):
            assert PROVIDER.prices.match(alias) == match
        for prefix in entry.get("prefixes", ()):
            assert PROVIDER.prices.match(f"{prefix}-x") is not None
