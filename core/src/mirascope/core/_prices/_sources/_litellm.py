"""The public data of litellm, as `model_prices_and_context_window.json` has them.

https://github.com/BerriAI/litellm, MIT License, Copyright Berri AI. They hold on the day on which
the file was made: there is no history in them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, cast

from ._draft import WHOLE, Draft, Period, Steps, Tier

UNITS: Final[Mapping[str, str]] = {
    "input_cost_per_token": "input",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "cache_creation_input_token_cost_above_12hr": "cache_write_12h",
    "output_cost_per_token": "output",
    "input_cost_per_audio_token": "input_audio",
    "cache_read_input_audio_token_cost": "cache_read_audio",
    "output_cost_per_audio_token": "output_audio",
    "input_cost_per_image_token": "input_image",
    "cache_read_input_image_token_cost": "cache_read_image",
    "output_cost_per_image_token": "output_image",
    "input_cost_per_video_token": "input_video",
    "output_cost_per_video_token": "output_video",
    "output_cost_per_reasoning_token": "output_reasoning",
}
"""Our units by theirs, which are dollars per token."""
SUFFIXES: Final[Mapping[str, Tier]] = {
    "_batches": ("processing", "batch"),
    "_flex": ("service_tier", "flex"),
    "_priority": ("service_tier", "priority"),
    "_ultrafast": ("service_tier", "ultrafast"),
}
_NAME: Final = re.compile(
    rf"({'|'.join(sorted(UNITS, key=len, reverse=True))})"
    r"(?:_above_(\d+)k_tokens)?"
    rf"({'|'.join(SUFFIXES)})?"
)
_MILLION: Final = Decimal(1_000_000)
_THOUSAND: Final = Decimal(1000)


def draft_of(entry: Mapping[str, Any]) -> Draft | None:
    """Return what the source says of a model, or None where it is not priced by tokens."""
    found: dict[Tier | None, Steps] = {}
    for name, price in entry.items():
        match = _NAME.fullmatch(name)
        if match is None or isinstance(price, bool) or not isinstance(price, (int, float)):
            continue
        key, size, suffix = match.groups()
        above = int(size) * 1000 if size else WHOLE
        steps = found.setdefault(SUFFIXES.get(suffix or ""), {WHOLE: {}})
        steps.setdefault(above, {})[UNITS[key]] = exact(price)
    standard = found.pop(None, {})
    if "input" not in standard.get(WHOLE, ()):
        return None
    for steps in (standard, *found.values()):
        _drop_what_says_nothing(steps)
    standard[WHOLE] |= fees_of(entry)
    tiers = {
        tier: [Period(steps=steps)]
        for tier, steps in found.items()
        if tier is not None and "input" in steps[WHOLE]
    }
    return Draft(
        standard=[Period(steps=standard)], tiers=tiers, source=str(entry.get("source") or "")
    )


def _drop_what_says_nothing(steps: Steps) -> None:
    """Leave out prices that are just those of the broader unit, or of a shorter request."""
    whole = steps[WHOLE]
    if whole.get("output_reasoning") == whole.get("output"):
        for prices in steps.values():
            prices.pop("output_reasoning", None)
    for above in [above for above in steps if above != WHOLE]:
        # A longer request that is cheaper, or that has a price where a shorter one has none, is a
        # slip of theirs: both have been seen.
        steps[above] = {
            unit: price for unit, price in steps[above].items() if price > whole.get(unit, price)
        }
        if not steps[above]:
            del steps[above]


def fees_of(entry: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return what is charged besides tokens, in dollars per thousand.

    Google charges grounding by the query or by the prompt that was grounded; both are counted, and
    one of them is free.
    """
    by_size: Any = entry.get("search_context_cost_per_query")
    search = None
    if isinstance(by_size, Mapping):
        search = _thousand(cast("Mapping[str, Any]", by_size), "search_context_size_medium")
    maps = _thousand(entry, "google_maps_grounding_cost_per_query")
    if not str(entry.get("litellm_provider")).startswith(("gemini", "vertex_ai")):
        return {} if search is None else {"web_search": search}
    unit = entry.get("web_search_billing_unit")
    if unit is None:
        # Prompts have cost 35 for a search and 25 for maps, queries 14 for either, ever since.
        unit = "per_prompt" if max(search or 0, maps or 0) >= _PROMPTS_COST else "per_query"
    fees: dict[str, Decimal] = {}
    for price, query, prompt in (
        (search, "web_search", "grounded_prompt"),
        (maps, "maps_query", "maps_prompt"),
    ):
        if price is not None:
            charged, free = (prompt, query) if unit == "per_prompt" else (query, prompt)
            fees |= {charged: price, free: Decimal(0)}
    return fees


_PROMPTS_COST: Final = 20


def _thousand(entry: Mapping[str, Any], name: str) -> Decimal | None:
    price = entry.get(name)
    if isinstance(price, bool) or not isinstance(price, (int, float)):
        return None
    return (Decimal(repr(price)) * _THOUSAND).normalize()


def exact(price: float) -> Decimal:
    """Return dollars per token, a float, as dollars per million: what its digits read."""
    number = Decimal(repr(price)) * _MILLION
    return number.normalize() if number else Decimal(0)
