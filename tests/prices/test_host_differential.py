"""The price tables of the hosts of `compatible` against genai-prices and litellm, model by model.

A host's table has one price where both sources have the same; where only one lists a model, or
they differ, the row's note says so. litellm needs `uv run nox -s differential`.
"""

from __future__ import annotations

import datetime
import os
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import PriceTable, Usage
from mirascope.core._prices._calculate import calculate_cost

from .cells import equal

TABLES = Path(__file__).parents[2] / "providers/compatible/src/mirascope_compatible/prices"
HOSTS = sorted(path.stem for path in TABLES.glob("*.toml"))
USAGES = {
    "input": Usage(input_tokens=1000, output_tokens=0),
    "output": Usage(input_tokens=0, output_tokens=1000),
    "cached": Usage(input_tokens=1000, output_tokens=0, cache_read_tokens=600),
}
AT = datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)
# What litellm fetches at import would not be the data that the tables were made of.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")


def genai(source: str, model: str, usage: Usage) -> Decimal | None:
    import genai_prices

    cached = usage.cache_read_tokens or None
    theirs = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=cached,
    )
    try:
        found = genai_prices.calc_price(
            theirs, model, provider_id=source, genai_request_timestamp=AT
        )
    except LookupError:
        return None
    return found.total_price


def litellm(source: str, model: str, usage: Usage) -> Decimal | None:
    known = pytest.importorskip("litellm").model_cost.get(source + model)
    if known is None or known.get("input_cost_per_token") is None:
        return None
    price = {name: Decimal(str(value)) for name, value in known.items() if type(value) is float}
    whole = price.get("input_cost_per_token", Decimal(0))
    read = price.get("cache_read_input_token_cost", whole)
    fresh = usage.input_tokens - usage.cache_read_tokens
    answer = price.get("output_cost_per_token", Decimal(0))
    return fresh * whole + usage.cache_read_tokens * read + usage.output_tokens * answer


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("oracle", ["genai-prices", "litellm"])
def test_every_price_is_equal_or_has_a_note(host: str, oracle: str) -> None:
    pytest.importorskip(oracle.replace("-", "_"), reason="run: uv run nox -s differential")
    document: dict[str, Any] = tomllib.loads((TABLES / f"{host}.toml").read_text("utf-8"))
    table = PriceTable.from_package("mirascope_compatible", f"prices/{host}.toml")
    ask = genai if oracle == "genai-prices" else litellm
    unexplained: list[str] = []
    compared = 0
    for model, entry in document["models"].items():
        for name, usage in USAGES.items():
            ours = calculate_cost(usage, table, model=model, at=AT)
            assert ours is not None
            names = [model, *(prefix + model for prefix in document.get("strip_prefixes", ()))]
            sources = document.get("sources", {}).get(oracle, ())
            for source, spelt in ((source, spelt) for source in sources for spelt in names):
                theirs = ask(source, spelt, usage)
                if theirs is None:
                    continue
                compared += 1
                noted = entry.get("note") or any("note" in row for row in entry.get("prices", ()))
                if not (equal(ours.total, theirs) or noted or not ours.exact):
                    unexplained.append(f"{model}, {name}: ours {ours.total}, theirs {theirs}")
    print(f"\n{oracle}, {host}: {compared} prices")
    assert compared or not document.get("sources", {}).get(oracle)
    assert not unexplained, f"{len(unexplained)}:\n" + "\n".join(unexplained[:50])
