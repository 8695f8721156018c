"""Cells of a comparison: a model, what it used, how and when; and what each side makes of it.

The oracles are handed the same disjoint counts as our tables, so that what is compared is prices,
dates, tiers, sizes and regions. Neither knows all that a cell can have: `knows` says what is asked.
"""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from mirascope.core import PriceTable, Usage
from mirascope.core._prices._calculate import calculate_cost
from mirascope.core.plugins import load_provider

DATES = {
    name: datetime.fromisoformat(name).replace(tzinfo=UTC)
    for name in ("2025-06-01", "2026-03-01", "2026-07-01", "2026-11-28", "2026-12-22", "2027-01-21")
}
TODAY = "2026-11-28"
"""The day on which the tables and the data of both oracles were made."""
USAGES: dict[str, dict[str, Any]] = {
    "plain": {"input_tokens": 1000, "output_tokens": 500},
    "cached": {"input_tokens": 50_000, "output_tokens": 1000, "cache_read_tokens": 40_000},
    "written": {"input_tokens": 50_000, "output_tokens": 1000, "cache_write_tokens": 30_000},
    "written_1h": {
        "input_tokens": 50_000,
        "output_tokens": 1000,
        "cache_write_tokens": 30_000,
        "details": {"cache_write_1h": 20_000},
    },
    "written_12h": {
        "input_tokens": 50_000,
        "output_tokens": 1000,
        "cache_write_tokens": 30_000,
        "details": {"cache_write_12h": 20_000},
    },
    "long": {"input_tokens": 300_000, "output_tokens": 2000, "cache_read_tokens": 100_000},
    "audio": {"input_tokens": 1000, "output_tokens": 500, "details": {"input_audio": 800}},
    "speech": {"input_tokens": 1000, "output_tokens": 500, "details": {"output_audio": 400}},
    "drawn": {"input_tokens": 1000, "output_tokens": 1500, "details": {"output_image": 1400}},
    "searching": {"input_tokens": 1000, "output_tokens": 500, "fees": {"web_search": 3}},
}
CONTEXTS: dict[str, dict[str, str]] = {
    "standard": {},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "ultrafast": {"service_tier": "ultrafast"},
    "batch": {"processing": "batch"},
    "fast": {"speed": "fast"},
}
PLACES: dict[str, dict[str, str]] = {
    "anywhere": {},
    "us": {"inference_geo": "us"},
    "eu": {"region": "eu"},
    "gov": {"region": "gov"},
    "vertex": {"vertex": "regional"},
}
SENSIBLE: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "anthropic": (
        ("plain", "cached", "written", "written_1h", "long", "searching"),
        ("standard", "batch", "fast"),
        ("anywhere", "us"),
    ),
    "openai": (
        ("plain", "cached", "written", "written_12h", "long", "audio", "speech", "searching"),
        ("standard", "flex", "priority", "ultrafast", "batch"),
        ("anywhere", "eu", "gov"),
    ),
    "google": (
        ("plain", "cached", "long", "audio", "drawn", "searching"),
        ("standard", "flex", "priority", "batch"),
        ("anywhere", "vertex"),
    ),
}
"""What each provider's API can report: usages, contexts, places."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One comparison."""

    provider: str
    model: str
    usage: str
    context: str
    place: str
    date: str


def table_of(provider: str) -> PriceTable:
    return load_provider(provider).prices


def names_of(provider: str) -> list[str]:
    return [name for entry in table_of(provider).models.values() for name in entry.names]


def random_cells(count: int, seed: int) -> Iterator[Cell]:
    """Yield cells at random; most of them are of today."""
    chosen = random.Random(seed)
    names = {provider: names_of(provider) for provider in SENSIBLE}
    for _ in range(count):
        provider = chosen.choice(list(SENSIBLE))
        usages, contexts, places = SENSIBLE[provider]
        yield Cell(
            provider=provider,
            model=chosen.choice(names[provider]),
            usage=chosen.choice(usages),
            context=chosen.choice(contexts),
            place=chosen.choice(["anywhere", *places]),
            date=chosen.choice([TODAY, *DATES]),
        )


def all_cells(provider: str, dates: Iterable[str]) -> Iterator[Cell]:
    """Yield every cell of a provider."""
    usages, contexts, places = SENSIBLE[provider]
    names = names_of(provider)
    for name, *rest in itertools.product(names, usages, contexts, places, dates):
        yield Cell(provider, name, *rest)


def usage_of(cell: Cell) -> Usage:
    facts = {**CONTEXTS[cell.context], **PLACES[cell.place]}
    usage = dict(USAGES[cell.usage])
    if cell.provider == "google" and "fees" in usage:
        usage["fees"] = {**usage["fees"], "grounded_prompt": 1}
    return Usage(**usage, facts=facts)


def ours(cell: Cell) -> tuple[Decimal | None, bool]:
    """Return our cost, and whether we call it exact."""
    with warnings.catch_warnings(action="ignore"):
        cost = calculate_cost(
            usage_of(cell), table_of(cell.provider), model=cell.model, at=DATES[cell.date]
        )
    return (None, False) if cost is None else (cost.total, cost.exact)


def genai(cell: Cell) -> Decimal | str | None:
    """What genai-prices says; None for an unknown model, text for what it is not asked."""
    import genai_prices

    if cell.place != "anywhere" or cell.usage == "written_12h" or cell.context == "ultrafast":
        return "it has no regions, no twelve-hour caches and no ultrafast tier"
    usage = usage_of(cell)
    details = usage.details
    counts = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cache_write_1h_tokens": details.get("cache_write_1h", 0),
        "input_audio_tokens": details.get("input_audio", 0),
        "output_audio_tokens": details.get("output_audio", 0),
        "output_image_tokens": details.get("output_image", 0),
        "web_searches": usage.fees.get("web_search", 0),
    }
    try:
        return genai_prices.calc_price(
            genai_prices.Usage(**{name: count for name, count in counts.items() if count}),
            cell.model,
            provider_id=cell.provider,
            genai_request_timestamp=DATES[cell.date],
            price_context=CONTEXTS[cell.context] or None,
        ).total_price
    except LookupError:
        return None
    except ValueError as error:
        return f"it raises: {error}"


def litellm(cell: Cell) -> Decimal | str | None:
    """What litellm says; None for an unknown model, text for what it is not asked."""
    import litellm as library
    from litellm.litellm_core_utils.llm_cost_calc.utils import generic_cost_per_token
    from litellm.llms.anthropic.cost_calculation import cost_per_token
    from litellm.types import utils

    if cell.date != TODAY:
        return "it has no history"
    if cell.usage == "searching" or cell.context == "batch":
        return "its fees and its batches are priced by other functions, each with gaps of its own"
    prefixes = ("", "openai/") if cell.provider == "openai" else ("", "gemini/", "vertex_ai/")
    if not any(prefix + cell.model in library.model_cost for prefix in prefixes):
        # It would guess, or charge nothing at all.
        return None
    usage = usage_of(cell)
    details = usage.details
    one_hour, twelve = details.get("cache_write_1h", 0), details.get("cache_write_12h", 0)
    written = usage.cache_write_tokens
    plain = usage.input_tokens - usage.cache_read_tokens - written - details.get("input_audio", 0)
    split = utils.CacheCreationTokenDetails(
        ephemeral_5m_input_tokens=written - one_hour if cell.provider == "anthropic" else None,
        ephemeral_1h_input_tokens=one_hour if cell.provider == "anthropic" else None,
        ephemeral_30m_input_tokens=written - twelve if twelve else None,
        ephemeral_12h_input_tokens=twelve or None,
    )
    made = usage.output_tokens - sum(n for u, n in details.items() if u.startswith("output"))
    given = utils.Usage(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
        prompt_tokens_details=utils.PromptTokensDetailsWrapper(
            cached_tokens=usage.cache_read_tokens,
            cache_creation_tokens=written,
            cache_creation_token_details=split if written else None,
            audio_tokens=details.get("input_audio", 0),
            text_tokens=plain,
        ),
        completion_tokens_details=utils.CompletionTokensDetailsWrapper(
            audio_tokens=details.get("output_audio", 0),
            image_tokens=details.get("output_image", 0),
            text_tokens=made,
        ),
        **({"cache_creation_input_tokens": written} if written else {}),
        **({"cache_read_input_tokens": usage.cache_read_tokens} if usage.cache_read_tokens else {}),
    )
    tier = CONTEXTS[cell.context].get("service_tier")
    try:
        if cell.provider == "anthropic":
            given.speed = CONTEXTS[cell.context].get("speed")  # type: ignore[attr-defined]
            given.inference_geo = PLACES[cell.place].get("inference_geo")  # type: ignore[attr-defined]
            costs = cost_per_token(cell.model, given, tier)
        else:
            name = cell.provider
            if name == "google":
                listed = f"gemini/{cell.model}" in library.model_cost
                name = "gemini" if listed and cell.place != "vertex" else "vertex_ai"
            residency = {"eu": "eu", "gov": "fedramp"}.get(cell.place)
            costs = generic_cost_per_token(
                cell.model,
                given,
                name,
                service_tier=tier,
                data_residency=residency,
                vertex_location="us-central1" if cell.place == "vertex" else None,
            )
    except Exception as error:
        text = str(error)
        return None if "isn't mapped" in text or "not mapped" in text else f"it raises: {text:.60}"
    return Decimal(repr(costs[0])) + Decimal(repr(costs[1]))


def equal(one: Decimal, other: Decimal) -> bool:
    """Whether two amounts are the same but for the rounding of floats."""
    return abs(one - other) <= Decimal("1e-9") * max(one, other)
