"""The public data of genai-prices, as its `data.json` has them.

https://github.com/pydantic/genai-prices, MIT License, Copyright Pydantic Services Inc.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, cast

from ._draft import WHOLE, Draft, Period, Steps, Tier

UNITS: Final[Mapping[str, str]] = {
    "input_mtok": "input",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "cache_read_mtok": "cache_read",
    "output_mtok": "output",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cache_read_audio",
    "output_audio_mtok": "output_audio",
    "input_image_mtok": "input_image",
    "cache_image_read_mtok": "cache_read_image",
    "output_image_mtok": "output_image",
    "input_video_mtok": "input_video",
    "output_video_mtok": "output_video",
    "web_searches_kcount": "web_search",
    "storage_searches_kcount": "file_search",
    "requests_kcount": "request",
}
"""Our units by theirs; what a model has besides them is not priced by tokens."""
_FAST_IS_PRIORITY: Final = ("default", "fast")
"""`fast` is what is asked for: the response says `priority`, which stands there as well."""
_NOT_PRICES: Final = "Imported from OpenRouter"
"""How a comment begins that says that the provider itself has published no price."""
_VERIFIED: Final = "Verified against"


def models_of(data: Sequence[Mapping[str, Any]], provider: str) -> Iterator[Mapping[str, Any]]:
    """Yield the models of a provider in the list of providers that the file is."""
    for entry in data:
        if entry.get("id") == provider:
            yield from entry.get("models", ())


def draft_of(model: Mapping[str, Any]) -> Draft | None:
    """Return what the source says of a model, or None where that is not the provider's price."""
    comment = str(model.get("price_comments") or "")
    if comment.startswith(_NOT_PRICES) and _VERIFIED not in comment:
        return None
    given: Any = model.get("prices")
    history = cast("list[Any]", given) if isinstance(given, list) else [{"prices": given}]
    standard = list(_periods(history))
    if not any("input" in steps.get(WHOLE, ()) for steps in (p.steps for p in standard)):
        return None
    named = list(_clauses(model.get("match") or {}))
    return Draft(
        aliases=sorted({name for kind, name in named if kind == "equals"} - {model["id"]}),
        prefixes=[name for kind, name in named if kind == "starts_with"],
        standard=standard,
        tiers=_tiers(model.get("price_variants") or ()),
    )


def _periods(history: Sequence[Mapping[str, Any]]) -> Iterator[Period]:
    constraints: list[Any] = [entry.get("constraint") or {} for entry in history]
    days = [_day(constraint.get("start_date")) for constraint in constraints]
    for index, entry in enumerate(history):
        following = [day for day in days[index + 1 :] if day is not None]
        hours = ""
        if "start_time" in constraints[index]:
            begin, end = (str(constraints[index][key]) for key in ("start_time", "end_time"))
            hours = f"{begin[:5]}-{end[:5]}"
        yield Period(
            steps=steps_of(entry["prices"]),
            start=days[index],
            end=following[0] if following else None,
            hours=hours,
        )


def _tiers(variants: Sequence[Mapping[str, Any]]) -> dict[Tier, list[Period]]:
    tiers: dict[Tier, list[Period]] = {}
    for variant in variants:
        facts = dict(variant["when"])
        if len(facts) != 1 or "search_type" in facts:
            continue
        [tier] = facts.items()
        if tier[0] == "service_tier" and tier[1] in _FAST_IS_PRIORITY:
            continue
        constraint: Any = variant.get("constraint") or {}
        start = _day(constraint.get("start_date"))
        period = Period(steps=steps_of(variant["prices"]), start=start)
        tiers.setdefault(tier, []).append(period)
    for tier, periods in tiers.items():
        periods.sort(key=lambda period: period.start or datetime.date.min)
        # The first date is the day on which the tier was written down, and not when it began.
        first = replace(periods[0], start=None, recorded=periods[0].start)
        ordered = [first, *periods[1:]]
        ends = [period.start for period in ordered[1:]]
        tiers[tier] = [replace(p, end=end) for p, end in zip(ordered, [*ends, None], strict=True)]
    return tiers


def steps_of(prices: Mapping[str, Any]) -> Steps:
    """Return a set of prices by the size of the request."""
    steps: Steps = {WHOLE: {}}
    for name, price in prices.items():
        unit = UNITS.get(name)
        if unit is None or price is None:
            continue
        if not isinstance(price, Mapping):
            steps[WHOLE][unit] = exact(price)
            continue
        stepped = cast("Mapping[str, Any]", price)
        steps[WHOLE][unit] = exact(stepped["base"])
        for step in stepped.get("tiers", ()):
            steps.setdefault(int(step["start"]), {})[unit] = exact(step["price"])
    return steps


def exact(price: Any) -> Decimal:
    """Return a price as its digits read."""
    number = Decimal(repr(price) if isinstance(price, float) else price)
    return number.normalize() if number else Decimal(0)


def _clauses(match: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield names and beginnings of names.

    What else a clause says (a regular expression that leaves some names out) our format leaves to
    the rule that only a date may follow a prefix.
    """
    for kind in ("equals", "starts_with"):
        if (value := match.get(kind)) is not None:
            yield kind, str(value)
    for part in match.get("or") or match.get("and") or ():
        yield from _clauses(part)


def _day(value: Any) -> datetime.date | None:
    return datetime.date.fromisoformat(value) if isinstance(value, str) else value
