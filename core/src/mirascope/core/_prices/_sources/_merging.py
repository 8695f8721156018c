"""One draft of two sources, and the rows of a table that it becomes.

A tier's prices stand to the standard ones in a fixed relation, and only one source has dates, only
for some tiers. So a tier is dated with the standard prices: where these change and nothing is known
of the tier, it changes with them. That is certain where a provider keeps the same relation in all
that it has published (`rules_of`), and has a note where it does not.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, TypeAlias

from .._cost import ONE
from .._units import TOKEN_TOTALS, UNITS
from ._draft import WHOLE, Draft, Period, Steps, Tier

Rules: TypeAlias = Mapping[tuple[Tier, str], Decimal]
"""What a unit costs in a tier, as a factor on the standard price, where it is always the same."""
Row: TypeAlias = dict[str, Any]

_ONE_SOURCE: Final = "only one of two sources has this price"
_SCALED: Final = (
    "what the tier costs at this date is not published: it changes as the standard does"
)
_MOVED: Final = "what it costs at this date is not published: it changes as the others do"
_LONG: Final = "no price of the tier is published for a request of this size: it is scaled"
_ENOUGH: Final = 3
"""How many published prices make a rule."""


def supplemented(draft: Draft, other: Draft, today: datetime.date, doubt: str = "") -> Draft:
    """Return a draft with what only another one knows: units, tiers, sizes.

    Args:
        draft: the draft with dates; what it knows it knows better.
        other: a draft of today's prices.
        today: the day on which these hold.
        doubt: why these may not hold for what the draft is of, or `""`.

    Returns:
        The draft as it is where the other one has another price for input: it is of something else.
    """
    [known] = other.standard
    now = draft.standard_on(today)
    if known.steps[WHOLE].get("input") != now.steps[WHOLE].get("input"):
        return draft
    standard = [_with_units(period, known, now, doubt) for period in draft.standard]
    tiers = {tier: list(periods) for tier, periods in draft.tiers.items()}
    for tier, periods in other.tiers.items():
        if tier not in tiers:
            tiers[tier] = [_doubted(period, doubt) for period in periods]
            continue
        [theirs] = periods
        current = next((p for p in reversed(tiers[tier]) if p.holds_on(today)), tiers[tier][-1])
        tiers[tier] = [
            _with_tier_units(p, theirs, now, doubt) if p is current else p for p in tiers[tier]
        ]
    return replace(draft, standard=standard, tiers=tiers, source=draft.source or other.source)


def _with_units(period: Period, known: Period, now: Period, doubt: str) -> Period:
    """Add units and sizes that a period lacks, moved with the unit that they are a part of."""
    steps = {above: dict(prices) for above, prices in period.steps.items()}
    notes = dict(period.notes)
    whole = period.steps[WHOLE]
    for above, prices in known.steps.items():
        for unit, price in prices.items():
            if unit in period.steps.get(above, {}):
                continue
            if unit in now.steps[WHOLE] and unit not in whole:
                # It has a price by now, and had none then.
                continue
            if unit in (whole if above != WHOLE else ("cache_read", "cache_write")):
                notes[above, unit] = _ONE_SOURCE
            elif doubt:
                notes[above, unit] = doubt
            factor = ONE if UNITS[unit].is_fee else _moved(period, now, unit, above)
            if factor != ONE:
                notes[above, unit] = _MOVED
            steps.setdefault(above, {})[unit] = price * factor
    return replace(period, steps=steps, notes=notes)


def _with_tier_units(period: Period, known: Period, now: Period, doubt: str) -> Period:
    steps = {above: dict(prices) for above, prices in period.steps.items()}
    notes = dict(period.notes)
    for above, prices in known.steps.items():
        for unit, price in prices.items():
            if unit not in steps.setdefault(above, {}):
                steps[above][unit] = price
                if unit in ("cache_read", "cache_write") and unit not in now.steps[WHOLE]:
                    notes[above, unit] = _ONE_SOURCE
                elif doubt:
                    notes[above, unit] = doubt
    whole = {above: prices for above, prices in steps.items() if prices}
    return replace(period, steps=whole, notes=notes)


def _doubted(period: Period, doubt: str) -> Period:
    if not doubt:
        return period
    notes = {(above, unit): doubt for above, prices in period.steps.items() for unit in prices}
    return replace(period, notes=notes)


def _moved(period: Period, now: Period, unit: str, above: int) -> Decimal:
    """Return how much more a unit's whole costs in a period than it does now."""
    for whole in (unit, *UNITS[unit].fallbacks):
        then, current = period.price(whole, above), now.price(whole, above)
        if then is not None and current:
            return then / current
    return ONE


def rules_of(drafts: Iterable[Draft]) -> Rules:
    """Return the relations that every published price of a tier keeps."""
    found: dict[tuple[Tier, str], set[Decimal]] = {}
    counts: dict[tuple[Tier, str], int] = {}
    for draft in drafts:
        for tier, periods in draft.tiers.items():
            for period in periods:
                day = period.start or period.recorded
                base = draft.standard_on(day) if day else draft.standard[-1]
                if day is None and len(draft.standard) > 1:
                    continue
                for unit, price in period.steps.get(WHOLE, {}).items():
                    standard = base.price(unit, WHOLE)
                    if standard:
                        found.setdefault((tier, unit), set()).add(price / standard)
                        counts[tier, unit] = counts.get((tier, unit), 0) + 1
    return {
        key: factors.pop()
        for key, factors in found.items()
        if len(factors) == 1 and counts[key] >= _ENOUGH
    }


def dated(draft: Draft, rules: Rules, today: datetime.date) -> Draft:
    """Return a draft whose tiers change whenever its standard prices do, and have every size."""
    whole = [period for period in draft.standard if not period.hours]
    tiers: dict[Tier, list[Period]] = {}
    for tier, periods in draft.tiers.items():
        segments = [
            _segment(draft, tier, periods, span, rules, today)
            for span in _spans([*whole, *periods])
        ]
        tiers[tier] = _joined(segments)
    return replace(draft, tiers=tiers)


def _spans(
    periods: Iterable[Period],
) -> Iterator[tuple[datetime.date | None, datetime.date | None]]:
    days = sorted({d for p in periods for d in (p.start, p.end) if d is not None})
    yield from pairwise([None, *days, None])


def _segment(
    draft: Draft,
    tier: Tier,
    periods: list[Period],
    span: tuple[datetime.date | None, datetime.date | None],
    rules: Rules,
    today: datetime.date,
) -> Period:
    """Return what a tier costs between two days on which nothing changes."""
    start, end = span
    day = start or datetime.date.min
    base = draft.standard_on(day)
    published = next((p for p in reversed(periods) if p.holds_on(day)), periods[0])
    # The day on which the tier's price is known to have been this.
    known_on = published.start or published.recorded or today
    reference = draft.standard_on(known_on)
    steps: Steps = {}
    notes: dict[tuple[int, str], str] = {}
    for above in sorted({*published.steps, *base.steps, WHOLE}):
        for unit in published.steps[WHOLE] | published.steps.get(above, {}):
            given = published.steps.get(above, {}).get(unit)
            if given is None and unit not in base.steps.get(above, {}):
                continue
            price = given
            if doubt := published.notes.get((above, unit)):
                notes[above, unit] = doubt
            if price is None:
                # The standard price steps up here, and the tier's is published without a step.
                short, long = reference.price(unit, WHOLE), reference.price(unit, above)
                if not short or long is None:
                    continue
                price = published.steps[WHOLE].get(unit, Decimal(0)) * long / short
                notes[above, unit] = _LONG
            then, now = base.price(unit, above), reference.price(unit, above)
            if then is not None and now and then != now:
                price = price * then / now
                if (tier, unit) not in rules:
                    notes[above, unit] = _SCALED
            steps.setdefault(above, {})[unit] = price
    return Period(
        steps=steps,
        start=start,
        end=end,
        notes=notes,
        recorded=published.recorded if published.recorded and day < published.recorded else None,
    )


def _joined(segments: list[Period]) -> list[Period]:
    """Join neighbours that cost the same."""
    joined: list[Period] = []
    for segment in segments:
        last = joined[-1] if joined else None
        same = last is not None and (last.steps, last.notes, last.recorded) == (
            segment.steps, segment.notes, segment.recorded
        )  # fmt: skip
        if last is not None and same:
            joined[-1] = replace(last, end=segment.end)
        else:
            joined.append(segment)
    return joined


def rows_of(draft: Draft) -> Iterator[Row]:
    """Yield the rows of a table: the standard ones first, tiers after them."""
    for period in draft.standard:
        yield from _rows(period, {})
    # Batch before the others: it is the only one that a response does not name.
    for tier in sorted(draft.tiers):
        fact, value = tier
        for period in draft.tiers[tier]:
            yield from _rows(period, {"when": {fact: value}})


def _rows(period: Period, head: Row) -> Iterator[Row]:
    when: Row = dict(head)
    for key, value in (("from", period.start), ("until", period.end)):
        if value is not None:
            when[key] = value
    if period.hours:
        when["hours"] = period.hours
    if period.recorded is not None:
        when["recorded"] = period.recorded
    for above, prices in sorted(period.steps.items()):
        size: Row = {} if above == WHOLE else {"above": above}
        by_note: dict[str, Row] = {}
        for unit in sorted(prices, key=_order):
            by_note.setdefault(period.notes.get((above, unit), ""), {})[unit] = prices[unit]
        for note, part in sorted(by_note.items()):
            yield {**when, **size, **part, **({"note": note} if note else {})}


def _order(unit: str) -> tuple[int, int]:
    names = list(UNITS)
    return (0 if unit in TOKEN_TOTALS else 1, names.index(unit) if unit in UNITS else len(names))
