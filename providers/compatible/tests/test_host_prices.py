"""What calls of hosts cost: the right table for each, and exact only where two sources agree."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import mirascope_compatible
import pytest
from mirascope.core import UnknownPriceWarning, prices
from mirascope_compatible._presets import presets

TABLES = Path(mirascope_compatible.__file__).parent / "prices"
PRESETS = presets()
PRICED = sorted(name for name, host in PRESETS.items() if host.prices_package)
USAGE = {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000}


def cost(host: str, model: str, usage: Any = USAGE, **more: Any) -> Any:
    return prices.cost(host, model, usage, **{"at": "2026-11-29", **more})


def test_every_table_belongs_to_a_host() -> None:
    assert [path.stem for path in sorted(TABLES.glob("*.toml"))] == PRICED
    assert len(PRICED) == 15


@pytest.mark.parametrize("host", PRICED)
def test_a_table_is_dated_and_has_a_source(host: str) -> None:
    text = (TABLES / f"{host}.toml").read_text("utf-8")
    assert not [problem for problem in prices.lint(text, host) if problem.is_error]
    table = prices.table(host)
    assert table.provider == host
    assert table.updated is not None
    assert table.updated >= "2026-11-29"
    assert (table.source or "").startswith("https://")
    assert table.models


@pytest.mark.parametrize(
    ("host", "model", "total", "exact"),
    [
        # The same model has a price of its own at each host.
        ("cerebras", "gpt-oss-120b", "$1.1", True),
        ("fireworks", "accounts/fireworks/models/gpt-oss-120b", "$0.75", True),
        ("groq", "openai/gpt-oss-120b", "$0.75", True),
        ("novita", "openai/gpt-oss-120b", "$0.3", True),
        ("together", "openai/gpt-oss-120b", "$0.75", True),
        ("deepinfra", "openai/gpt-oss-120b", "$0.207", False),
        ("sambanova", "gpt-oss-120b", "$0.81", False),
        ("moonshot", "kimi-k2.5", "$3.6", True),
        ("deepseek", "deepseek-chat", "$0.7", False),
    ],
)
def test_each_host_has_prices_of_its_own(host: str, model: str, total: str, exact: bool) -> None:
    found = cost(host, model)
    assert (str(found), found.exact, found.basis) == (total, exact, "list")
    assert bool(found.notes) is not exact


@pytest.mark.parametrize(
    ("model", "at", "total", "exact"),
    [
        # A Friday: peak hours are 01:00 to 04:00 and 06:00 to 10:00, but not on a public holiday.
        ("deepseek-flash", "2026-11-27T00:59:59", "$0.75", True),
        ("deepseek-flash", "2026-11-27T01:00:00", "$1.5", False),
        ("deepseek-flash", "2026-11-27T04:00:00", "$0.75", True),
        ("deepseek-flash", "2026-11-27T09:59:59", "$1.5", False),
        # A Saturday and a Sunday.
        ("deepseek-flash", "2026-11-28T02:00:00", "$0.75", True),
        ("deepseek-v4-pro", "2026-11-29T07:00:00", "$2.64", True),
        ("deepseek-v4-pro", "2026-11-30T07:00:00", "$5.28", False),
        ("deepseek-v4-pro", "2026-08-16T15:59:59", "$1.305", True),
        ("deepseek-v4-pro", "2026-08-16T16:00:00", "$2.64", True),
        # Weekends had peak hours for one week.
        ("deepseek-v4-pro", "2026-08-22T07:00:00", "$5.28", True),
        ("deepseek-v4-pro", "2026-08-29T07:00:00", "$2.64", True),
        ("deepseek-v4-flash", "2026-08-20T07:00:00", "$1.76", True),
        ("deepseek-v4-flash", "2026-09-12T07:00:00", "$0.75", True),
        ("deepseek-v4-flash-vision-exp", "2026-11-28T02:00:00", "$0.75", True),
    ],
)
def test_peak_hours_of_deepseek(model: str, at: str, total: str, exact: bool) -> None:
    """https://api-docs.deepseek.com/quick_start/pricing, read on 2026-11-15."""
    found = cost("deepseek", model, at=at)
    assert (str(found), found.exact) == (total, exact)


def test_caches_are_billed_at_their_own_price() -> None:
    usage = {**USAGE, "prompt_cache_hit_tokens": 500_000, "completion_tokens": 0}
    found = cost("deepseek", "deepseek-flash", usage, at="2026-11-28")
    assert (str(found), found.exact) == ("$0.0765", True)
    # Cerebras lists no price for them, which is said.
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 10}}
    assert cost("cerebras", "gpt-oss-120b", usage).exact is False


def test_what_a_host_reports_comes_before_its_table() -> None:
    usage = {**USAGE, "cost_in_usd_ticks": 6_543_500}
    found = cost("xai", "grok-4.5", usage)
    assert (str(found), found.basis, found.exact) == ("$0.00065435", "provider", True)


def test_another_server_s_prices_are_not_the_host_s() -> None:
    own = cost(
        "groq", "openai/gpt-oss-120b", context={"base_url": "https://api.groq.com/openai/v1"}
    )
    assert own.exact
    other = cost("groq", "openai/gpt-oss-120b", context={"base_url": "https://proxy.example/v1"})
    assert (str(other), other.exact) == (str(own), False)


def test_unpriced_models_and_hosts_warn_once() -> None:
    with pytest.warns(UnknownPriceWarning, match="no price is known for groq model 'nobody-1'"):
        assert cost("groq", "nobody-1") is None
    with pytest.warns(UnknownPriceWarning, match="no prices are known for host 'nvidia'"):
        assert cost("nvidia", "nvidia/nemotron") is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cost("groq", "nobody-1") is None
        assert cost("nvidia", "nvidia/other") is None


def test_prices_of_one_s_own_are_for_one_host() -> None:
    table = prices.PriceTable.from_toml(
        'schema = 1\n[models."openai/gpt-oss-120b"]\nprices = [{ input = 0.1, output = 0.2 }]',
        "own",
    )
    with prices.isolated():
        prices.register("groq", table)
        found = cost("groq", "openai/gpt-oss-120b")
        assert (str(found), found.basis) == ("$0.3", "override")
        assert str(cost("together", "openai/gpt-oss-120b")) == "$0.75"
        prices.discount("together", "0.5")
        assert str(cost("together", "openai/gpt-oss-120b")) == "$0.375"
        assert str(cost("novita", "openai/gpt-oss-120b")) == "$0.3"
