"""A provider's prices out of the public files of genai-prices and litellm."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from .._entries import ModelPrices
from .._rows import TIERS
from .._table import PriceTable
from .._units import UNITS
from . import _genai, _litellm
from ._draft import WHOLE, Draft, Period, Steps
from ._merging import dated, rules_of, supplemented
from ._writing import entry_of

_GENAI: Final = "genai-prices"
_LITELLM: Final = "litellm"
FEES: Final = frozenset(name for name, unit in UNITS.items() if unit.is_fee)


def models_of(data: object, provider: str, known: PriceTable) -> dict[str, dict[str, Any]]:
    """Return entries of a price table for the models of a provider; none where there are none.

    Fees are those that the models have already: how a provider counts them is its plugin's to say.

    Args:
        data: the file's JSON, with its fractions as decimals.
        provider: the provider's name.
        known: the prices in use, which say where the provider stands in the files (`sources`).
    """
    today = datetime.datetime.now(datetime.UTC).date()
    drafts = {name: draft for name, draft in _drafts(data, provider, known) if draft is not None}
    rules = rules_of(drafts.values())
    entries: dict[str, dict[str, Any]] = {}
    for name, draft in drafts.items():
        match = known.match(name)
        entry = match.entry if match is not None and match.exact else None
        fees = {} if entry is None else fees_of(entry.prices({}, 0, _noon(today)))
        for period in draft.standard:
            kept = {u: p for u, p in period.steps[WHOLE].items() if u not in FEES}
            period.steps[WHOLE].clear()
            period.steps[WHOLE].update({**kept, **fees})
        if entry is not None:
            # What this file has no tier, unit or size for stays as it is in use.
            draft = supplemented(draft, draft_in_use(entry, _noon(today)), today)
        own = name if entry is None else entry.name
        if own not in entries:
            made = dated(draft, rules, today)
            # A name that stands elsewhere in the table in use stays there.
            made.aliases = [a for a in made.aliases if _is_free(known, a, own)]
            made.prefixes = [p for p in made.prefixes if entry is None or p in entry.prefixes]
            entries[own] = entry_of(made)
    return entries


def _drafts(data: object, provider: str, known: PriceTable) -> Iterator[tuple[str, Draft | None]]:
    if isinstance(data, list):
        listed = known.sources.get(_GENAI, (provider,))
        for place in listed:
            for model in _genai.models_of(cast("list[Mapping[str, Any]]", data), place):
                yield str(model["id"]), _genai.draft_of(model)
    elif isinstance(data, Mapping):
        entries = cast("Mapping[str, Any]", data)
        for prefix in known.sources.get(_LITELLM, (f"{provider}/",)):
            for key, entry in entries.items():
                named = key.removeprefix(prefix)
                if not key.startswith(prefix) or "/" in named or not isinstance(entry, Mapping):
                    continue
                # Without a prefix only the models that are known: the file has everybody's.
                if prefix or known.match(named) is not None:
                    yield named, _litellm.draft_of(cast("Mapping[str, Any]", entry))


def _is_free(known: PriceTable, alias: str, own: str) -> bool:
    match = known.match(alias)
    return match is None or not match.exact or match.model == own


def _noon(day: datetime.date) -> float:
    return datetime.datetime(day.year, day.month, day.day, 12, tzinfo=datetime.UTC).timestamp()


def draft_in_use(entry: ModelPrices, at: float) -> Draft:
    """Return what an entry of a table charges at a time, as a source would say it."""
    tiers = [
        (fact, value)
        for fact, values in entry.conditions.items()
        for value in sorted(values)
        if fact in TIERS
    ]
    return Draft(
        standard=[Period(steps=_steps(entry, {}, at))],
        tiers={(f, v): [Period(steps=_own(entry, f, v, at))] for f, v in tiers},
    )


def _steps(entry: ModelPrices, facts: Mapping[str, str], at: float) -> Steps:
    steps: Steps = {WHOLE: entry.prices(facts, 0, at)}
    for above in sorted({row.above for row in entry.rows if row.above >= 0}):
        prices = entry.prices(facts, above + 1, at)
        steps[above] = {u: p for u, p in prices.items() if steps[WHOLE].get(u) != p}
    return {above: prices for above, prices in steps.items() if prices}


def _own(entry: ModelPrices, fact: str, value: str, at: float) -> Steps:
    """Return the prices of a tier without those that are just the standard ones."""
    named = {u for row in entry.rows if fact in row.tiers for u in row.prices}
    steps = _steps(entry, {fact: value}, at)
    return {
        above: {u: p for u, p in prices.items() if u in named} for above, prices in steps.items()
    }


def fees_of(prices: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fees among prices."""
    return {unit: price for unit, price in prices.items() if unit in FEES}
