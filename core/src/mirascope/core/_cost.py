"""Usage times prices, in exact decimal arithmetic, with an audit trail."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from ._prices import PriceTable
from ._usage import Usage

_MILLION: Final = Decimal(1_000_000)
_ORDINARY_TIERS: Final = frozenset({"default", "auto", "standard", "on_demand"})


class UnknownPriceWarning(UserWarning):
    """A model is not in its provider's price table: its cost is None."""


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of a cost.

    Attributes:
        unit: what was used (`"input"`, `"cache_read"`, …).
        count: how many tokens.
        price: US dollars per million of them.
        amount: US dollars, not rounded.
    """

    unit: str
    count: int
    price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a response cost, and why.

    Attributes:
        total: US dollars, not rounded.
        lines: one line per unit; they sum to `total`.
        exact: whether `total` is the list price of just this usage; `notes` says why not.
        basis: `"list"` for the table's prices, `"provider"` where the provider reported the cost.
        notes: what one should know about the figure.
        model: the entry of the price table that was used.
    """

    total: Decimal
    lines: tuple[CostLine, ...] = ()
    exact: bool = True
    basis: Literal["list", "provider"] = "list"
    notes: tuple[str, ...] = ()
    model: str = ""

    def __float__(self) -> float:
        return float(self.total)

    def __str__(self) -> str:
        return f"${self.total:f}"


_warned: set[tuple[str, str]] = set()


def calculate_cost(
    usage: Usage,
    table: PriceTable,
    *,
    model: str,
    requested_model: str | None = None,
    final: bool = True,
) -> Cost | None:
    """Return what `usage` cost, or None where the table does not know the model.

    Args:
        usage: the usage of one response.
        table: the provider's prices.
        model: the model as the response names it.
        requested_model: the model that was asked for, tried when the table does not know `model`.
        final: False where the response ended early, so that more may have been used.
    """
    notes: list[str] = []
    if not final:
        notes.append("the stream ended before its final usage: a lower bound")
    if (reported := _reported(usage)) is not None:
        return Cost(total=reported, basis="provider", exact=final, notes=tuple(notes), model=model)
    if table.free:
        notes.append("the model runs on this machine")
        return Cost(total=Decimal(0), notes=tuple(notes), model=model)
    match = table.match(model) or (table.match(requested_model) if requested_model else None)
    if match is None:
        _warn_unknown(table, model)
        return None
    if not match.exact:
        notes.append(f"{model!r} is priced as {match.model!r}")
    tier = usage.facts.get("service_tier")
    if tier and tier not in _ORDINARY_TIERS:
        notes.append(f"service tier {tier!r} is priced as the standard tier")
    lines: list[CostLine] = []
    for unit, count in usage.counts.items():
        if not count:
            continue
        price = match.price(unit)
        if price is None:
            notes.append(f"{match.model!r} has no price for {unit}: {count} are left out")
        else:
            lines.append(CostLine(unit, count, price, count * price / _MILLION))
    return Cost(
        total=sum((line.amount for line in lines), Decimal(0)),
        lines=tuple(lines),
        exact=not notes,
        notes=tuple(notes),
        model=match.model,
    )


def _reported(usage: Usage) -> Decimal | None:
    if usage.reported_cost is None:
        return None
    try:
        cost = Decimal(usage.reported_cost)
    except InvalidOperation:
        return None
    return cost if cost.is_finite() and cost >= 0 else None


def _warn_unknown(table: PriceTable, model: str) -> None:
    # A provider without any table is priced by nobody, which is no surprise worth a warning.
    if not table or (table.provider, model) in _warned:
        return
    _warned.add((table.provider, model))
    warnings.warn(
        f"no price is known for {table.provider} model {model!r}: its cost is None",
        UnknownPriceWarning,
        # calculate_cost, _priced, the property, and then whoever asked.
        stacklevel=5,
    )
