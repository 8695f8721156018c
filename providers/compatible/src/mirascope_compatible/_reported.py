"""The cost that a server reports itself, in the forms that servers have for it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, cast

from mirascope.core import decimal_of
from mirascope.core.json import as_mapping

_TICKS: Final = Decimal(10_000_000_000)
"""xAI's ticks in a dollar. https://docs.x.ai/docs/cost-tracking"""
_ROUNDED: Final = Decimal("0.000001")
"""Two figures for one response that differ by no more are the same one, rounded."""
_TOTALS: Final = ("total_cost", "usd")
"""The whole in a `cost` that is an object: Perplexity's name and Venice's."""
_SHARE: Final = (
    "the request was made with a key of one's own, and what its owner was charged is not reported"
)
_FIELDS: Final = frozenset({"cost_in_usd_ticks", "cost", "estimated_cost"})
_ESTIMATE: Final = "the provider calls the cost an estimate"


def reported_cost(usage: Mapping[str, Any]) -> tuple[str | None, tuple[str, ...]]:
    """Return what the server says that a response cost, and why that is not certain.

    Args:
        usage: `usage` as it was sent. It is read of `cost` (a number, or an object with the whole
            in it), `cost_in_usd_ticks` and `estimated_cost`; with a key of one's own (`is_byok`)
            the upstream's share stands beside OpenRouter's.

    Returns:
        US dollars as they were sent, or None where no cost is reported that can be read.
    """
    if usage.keys().isdisjoint(_FIELDS):
        return None, ()
    found: list[tuple[Decimal, tuple[str, ...]]] = []
    unreadable: list[str] = []
    ticks = usage.get("cost_in_usd_ticks")
    if ticks:  # Azure passes xAI's field on and fills in nothing: a cost of 0 is none.
        count = _amount(ticks)
        if count is None:
            unreadable.append(f"{ticks!r:.60}")
        else:
            found.append((count / _TICKS, ()))
    given = usage.get("cost")
    if isinstance(given, Mapping):
        parts = cast("Mapping[str, Any]", given)
        given = next((parts[name] for name in _TOTALS if parts.get(name) is not None), "")
    if given is not None:
        cost = _amount(given)
        if cost is None:
            unreadable.append(f"{usage['cost']!r:.60}")
        else:
            found.append((cost, ()) if not usage.get("is_byok") else _with_upstream(cost, usage))
    elif not found and (given := usage.get("estimated_cost")) is not None:
        estimate = _amount(given)
        if estimate is None:
            unreadable.append(f"{given!r:.60}")
        else:
            found.append((estimate, (_ESTIMATE,)))
    notes = [f"a cost that the server reports can't be read: {value}" for value in unreadable]
    if not found:
        return None, tuple(notes)
    total, why = found[0]
    if any(abs(other - total) > _ROUNDED for other, _ in found[1:]):
        notes.append(f"the server reports another cost besides: {found[1][0]}")
    return str(total), (*why, *notes)


def _with_upstream(cost: Decimal, usage: Mapping[str, Any]) -> tuple[Decimal, tuple[str, ...]]:
    """Add the upstream's share, which is only a part of the whole with a key of one's own.

    https://openrouter.ai/docs/use-cases/usage-accounting
    """
    upstream = _amount(as_mapping(usage.get("cost_details")).get("upstream_inference_cost"))
    return (cost, (_SHARE,)) if upstream is None else (cost + upstream, ())


def _amount(value: object) -> Decimal | None:
    number = decimal_of(value)
    return number if number is not None and number >= 0 else None
