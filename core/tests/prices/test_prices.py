"""Price tables and the arithmetic on them: exact, and never a guess (DESIGN §7)."""

from __future__ import annotations

import datetime
import warnings
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from mirascope.core import UnknownPriceWarning, Usage, UsageError, token_count
from mirascope.core._prices import _calculate as cost_module
from mirascope.core._prices._calculate import calculate_cost
from mirascope.core._prices._differences import differences
from mirascope.core._prices._rows import timestamp
from mirascope.core._prices._table import PriceTable

TOML = """
schema = 1
provider = "acme"
updated = 2026-11-22
currency = "USD"
strip_prefixes = ["acme/"]

[models."large"]
aliases = ["large-latest"]
prefixes = ["large-2"]
prices = [{ input = 2.5, cache_read = 1.25, output = 10 }]

[models."large-2-mini"]
prefixes = ["large-2-mini"]
prices = [{ input = 0.1, output = 0.3 }]

[models."small"]
prices = [{ input = 0.15 }]
"""

TABLE = PriceTable.from_toml(TOML, "acme")


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cost_module._warned.clear()


def cost(usage: Usage, model: str = "large", **more: Any) -> Any:
    return calculate_cost(usage, TABLE, model=model, **more)


@pytest.mark.parametrize(
    ("model", "entry", "exact"),
    [
        ("large", "large", True),
        ("acme/large", "large", True),
        ("large-latest", "large", True),
        ("large-2", "large", True),
        ("large-2-2026-01-01", "large", True),
        ("large-2-mini", "large-2-mini", True),
        ("large-2-mini-2026", "large-2-mini", True),
        ("small-2026-01-31", "small", False),
        ("small-20260131", "small", False),
    ],
)
def test_names(model: str, entry: str, exact: bool) -> None:
    match = TABLE.match(model)
    assert match is not None
    assert (match.model, match.exact) == (entry, exact)


@pytest.mark.parametrize("model", ["", "larg", "larger", "small-", "small-fast", "other/large"])
def test_names_that_are_not_there(model: str) -> None:
    assert TABLE.match(model) is None


def test_a_cost_is_exact_and_each_token_is_billed_once() -> None:
    usage = Usage(input_tokens=1000, output_tokens=30, cache_read_tokens=900, reasoning_tokens=20)
    result = cost(usage)
    assert [(line.unit, line.count, line.amount) for line in result.lines] == [
        ("input", 100, Decimal("0.00025")),
        ("cache_read", 900, Decimal("0.001125")),
        ("output", 30, Decimal("0.0003")),
    ]
    assert result.total == Decimal("0.001675")
    assert (result.exact, result.notes, result.basis) == (True, (), "list")
    assert float(result) == 0.001675
    assert str(result) == "$0.001675"


def test_a_unit_without_a_price_of_its_own_costs_what_the_broader_one_does() -> None:
    usage = Usage(input_tokens=10, output_tokens=0, cache_read_tokens=4, cache_write_tokens=6)
    result = cost(usage, "large-2-mini")
    assert result.total == Decimal("0.000001")
    assert not result.exact
    assert result.notes[0] == "'large-2-mini' has no price for cache_read: that of input is taken"


def test_units_that_a_provider_prices_alike_are_exact() -> None:
    head = 'same_price = ["cache_read", "cache_read_audio", "input_audio"]\n[models."large"]'
    table = PriceTable.from_toml(TOML.replace('[models."large"]', head, 1), "acme")
    usage = Usage(
        input_tokens=10, output_tokens=0, cache_read_tokens=4, details={"cache_read_audio": 3}
    )
    result = calculate_cost(usage, table, model="large-2-mini")
    assert result is not None
    assert (result.total, result.exact) == (Decimal("0.000001"), True)


def test_a_unit_without_any_price_is_said_to_be_left_out() -> None:
    result = cost(Usage(input_tokens=1_000_000, output_tokens=5), "small")
    assert result.total == Decimal("0.15")
    assert not result.exact
    assert "no price for output" in result.notes[0]


def test_what_makes_a_cost_inexact() -> None:
    usage = Usage(input_tokens=1, output_tokens=0)
    assert not cost(usage, "small-2026-01-31").exact
    assert not cost(usage, final=False).exact
    assert "lower bound" in cost(usage, final=False).notes[0]
    flex = Usage(input_tokens=1, output_tokens=0, facts={"service_tier": "flex"})
    assert not cost(flex).exact
    default = Usage(input_tokens=1, output_tokens=0, facts={"service_tier": "default"})
    assert cost(default).exact


def test_an_unknown_model_has_no_cost_and_warns_once() -> None:
    usage = Usage(input_tokens=1, output_tokens=1)
    with pytest.warns(UnknownPriceWarning, match="acme model 'huge'"):
        assert cost(usage, "huge") is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cost(usage, "huge") is None
        assert calculate_cost(usage, PriceTable.empty("nobody"), model="huge") is None
    assert cost(usage, "deployment", requested_model="large").model == "large"


def test_what_the_provider_reports_counts() -> None:
    usage = Usage(input_tokens=1, output_tokens=1, reported_cost="0.01")
    assert (cost(usage).total, cost(usage).basis) == (Decimal("0.01"), "provider")
    assert cost(usage, "huge").total == Decimal("0.01")
    for nonsense in ("nan", "-1", "inf", "cheap"):
        usage = Usage(input_tokens=1, output_tokens=1, reported_cost=nonsense)
        assert cost(usage).basis == "list"


def test_what_is_free_costs_nothing_and_says_so() -> None:
    free = PriceTable(provider="local", free=True)
    result = calculate_cost(Usage(input_tokens=1, output_tokens=1), free, model="any")
    assert result is not None
    assert result.total == 0
    assert result.notes
    assert result.exact


@pytest.mark.parametrize(
    ("hosts", "host", "said"),
    [
        ({"here": "taken to be free"}, "here", "taken to be free"),
        ({"here": ""}, "here", ""),
        ({"here": ""}, "other", None),
        ({}, "other", None),
    ],
)
def test_what_is_free_at_some_servers_is_not_at_others(
    hosts: dict[str, str], host: str, said: str | None
) -> None:
    free = PriceTable(provider="acme", free=True, hosts=hosts)
    usage = Usage(input_tokens=1, output_tokens=1, facts={"host": host})
    if said is None:
        with pytest.warns(UnknownPriceWarning, match="acme model 'any'"):
            assert calculate_cost(usage, free, model="any") is None
        return
    result = calculate_cost(usage, free, model="any")
    assert result is not None
    assert (result.total, result.exact) == (0, not said)
    assert said in (*result.notes, "")


def test_a_table_that_lacks_its_prices_says_so_once() -> None:
    lacking = PriceTable(provider="acme", lack="nobody knows the prices of acme")
    usage = Usage(input_tokens=1, output_tokens=1)
    with pytest.warns(UnknownPriceWarning, match="nobody knows the prices of acme"):
        assert calculate_cost(usage, lacking, model="one") is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert calculate_cost(usage, lacking, model="two") is None


PEAKS = """
schema = 1
[models.m]
prices = [
  { input = 1, output = 1 },
  { weekdays = [1, 2, 3, 4, 5], hours = "06:00-10:00", input = 2, output = 2 },
  { weekdays = [7], input = 0.5, output = 0.5 },
]
"""


@pytest.mark.parametrize(
    ("at", "total"),
    [
        ("2026-11-27T06:00", 2),  # a Friday
        ("2026-11-27T05:59:59", 1),
        ("2026-11-27T10:00", 1),
        ("2026-11-28T06:00", 1),
        ("2026-11-28T23:59:59", 1),
        ("2026-11-29T00:00", "0.5"),
        ("2026-11-29T23:59:59", "0.5"),
        ("2026-11-30T00:00", 1),
        ("2026-11-30T09:59:59", 2),
        ("1969-12-28T12:00", "0.5"),  # a Sunday before the clock of computers began
    ],
)
def test_hours_and_days_of_the_week(at: str, total: object) -> None:
    table = PriceTable.from_toml(PEAKS, "acme")
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    found = calculate_cost(usage, table, model="m", at=datetime.datetime.fromisoformat(at))
    assert found is not None
    assert (found.total, found.exact) == (Decimal(str(total)), True)


def test_a_price_that_changes_on_a_day_of_the_week_is_a_change() -> None:
    dearer = PEAKS.replace("input = 0.5", "input = 0.75")
    tables = [PriceTable.from_toml(text, "acme") for text in (PEAKS, dearer)]
    [found] = differences(*tables)
    assert "input 0.5 -> 0.75" in str(found)


@pytest.mark.parametrize("value", ["[]", "[0]", "[8]", '["mon"]', "[true]", "5"])
def test_days_of_the_week_are_numbers(value: str) -> None:
    toml = f"schema = 1\n[models.a]\nprices = [{{ input = 1, weekdays = {value} }}]"
    with pytest.raises(UsageError, match=r"must be a list of days of the week"):
        PriceTable.from_toml(toml, "acme")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("schema = ", "not TOML"),
        ("schema = 2", "schema = 1"),
        ('schema = 1\ncurrency = "EUR"', "USD"),
        ("schema = 1\nprice = 3", "unknown keys: price"),
        ("schema = 1\n[models.a]\nprices = []", "at least one row"),
        ("schema = 1\n[models.a]\nprices = [{ input = -1 }]", "price of input is"),
        ('schema = 1\n[models.a]\nprices = [{ input = "1" }]', "price of input is"),
        ("schema = 1\n[models.a]\nprices = [{ inputs = 1 }]", "unknown units: inputs"),
        ("schema = 1\n[models.a]\nprice = [{ input = 1 }]", "unknown keys: price"),
        (
            "schema = 1\n[models.a]\naliases = ['b']\nprices = [{}]\n[models.b]\nprices = [{}]",
            "'b' twice",
        ),
    ],
)
def test_tables_that_do_not_follow_the_format(toml: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        PriceTable.from_toml(toml, "acme")
    assert "acme" in str(caught.value)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("schema = 1\nx = " + "1" * 5000, r"can't be read: .*\(at line 2\)"),
        ("schema = 1\nx = " + "[" * 5000, r"nests values too deeply \(at line 2\)"),
        ("schema = 1\n\nd = 2020-02-31", "is not TOML: .*at line 3"),
        ("schema = 1\n[models.a]\nprice = 3", r"unknown keys: price \(at line 3\)"),
    ],
)
def test_a_damaged_table_gives_one_line_with_its_place(toml: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        PriceTable.from_toml(toml, "acme")
    assert str(caught.value).startswith("acme: prices.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "count"),
    [(5, 5), (5.0, 5), (True, 0), ("5", 0), (None, 0), (-1, 0), (float("nan"), 0), (1e400, 0)],
)
def test_counts_of_a_server(value: object, count: int) -> None:
    assert token_count(value) == count


def test_common_usage() -> None:
    usage = Usage(
        input_tokens=10,
        output_tokens=5,
        cache_read_tokens=4,
        cache_write_tokens=3,
        reasoning_tokens=2,
    )
    assert usage.total_tokens == 15
    assert usage.counts == {"input": 3, "cache_read": 4, "cache_write": 3, "output": 5}
    assert sum(usage.counts.values()) == usage.total_tokens
    assert usage.to_dict()["reasoning_tokens"] == 2


def test_the_two_times_of_one_reading_are_an_hour_apart() -> None:
    first = datetime.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    second = first.replace(fold=1)
    assert first == second
    assert timestamp(second) - timestamp(first) == 3600
