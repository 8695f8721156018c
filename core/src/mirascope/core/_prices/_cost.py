"""Usage times prices, in exact decimal arithmetic, with an audit trail."""

from __future__ import annotations

import datetime
import functools
import inspect
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import Final, Literal, TypeAlias

from .._errors import MirascopeError
from ._rows import meets, timestamp
from ._table import Match, PriceTable
from ._units import PER, TOKEN_TOTALS, Unit, total_of
from ._usage import Usage, UsagePart

CostBasis: TypeAlias = Literal["list", "provider", "override", "estimated", "mixed"]

# The caller's own context may round, or trap what is not exact. Counts have at most 19 digits,
# prices and factors a few each, so that nothing is ever rounded in this one.
_EXACT: Final = Context(prec=100, traps=[])
_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_TIERS: Final = ("service_tier", "speed", "processing")
"""Facts that always have to do with the price, so that a value no row is for must be said."""
_ORDINARY: Final = frozenset({"default", "auto", "standard", "standard_only", "on_demand", ""})


class UnknownPriceWarning(UserWarning):
    """A model is not in its provider's price table: its cost is None."""


class UnknownPriceError(MirascopeError):
    """A model is not in its provider's price table, and `prices.strict()` makes that an error."""


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of a cost.

    Attributes:
        unit: what was used (`"input"`, `"cache_read"`, `"web_search"`, …).
        count: how many.
        price: US dollars per `per` of them.
        amount: US dollars, not rounded: `count * price * factor / per`.
        per: a million for tokens, a thousand for fees.
        factor: the product of the modifiers (`"us"`, …) and the discount that apply.
        model: the entry of the price table.
    """

    unit: str
    count: int
    price: Decimal
    amount: Decimal
    per: int = 1_000_000
    factor: Decimal = _ONE
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a response cost, and why.

    Costs can be added, and `sum()` adds many: attempts, the calls of a conversation.

    Attributes:
        total: US dollars, not rounded.
        lines: one line per unit; they sum to `total`.
        exact: whether `total` is the list price of just this usage; `notes` says why not.
        basis: `"list"` for the table's prices, `"provider"` where the provider reported the cost,
            `"override"` for prices of your own, `"estimated"` where a source of costs says so,
            `"mixed"` for a sum of several.
        notes: what one should know about the figure.
        model: the entry of the price table that was used; `""` for a sum of several.
    """

    total: Decimal
    lines: tuple[CostLine, ...] = ()
    exact: bool = True
    basis: CostBasis = "list"
    notes: tuple[str, ...] = ()
    model: str = ""

    def __float__(self) -> float:
        return float(self.total)

    def __str__(self) -> str:
        return f"${plain(self.total)}"

    def __add__(self, other: object) -> Cost:
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(
            total=_EXACT.add(self.total, other.total),
            lines=self.lines + other.lines,
            exact=self.exact and other.exact,
            basis=self.basis if self.basis == other.basis else "mixed",
            notes=tuple(dict.fromkeys(self.notes + other.notes)),
            model=self.model if self.model == other.model else "",
        )

    def __radd__(self, other: object) -> Cost:
        return self if other == 0 else NotImplemented


def plain(amount: Decimal) -> str:
    """Return an amount in full, without an exponent and without zeros at its end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_warned: set[tuple[str, str]] = set()


def calculate_cost(
    usage: Usage,
    table: PriceTable,
    *,
    model: str,
    requested_model: str | None = None,
    final: bool = True,
    at: datetime.date | float | None = None,
    basis: CostBasis = "list",
    discount: Decimal | None = None,
    strict: bool = False,
) -> Cost | None:
    """Return what `usage` cost, or None where the table does not know the model.

    Args:
        usage: the usage of one response.
        table: the provider's prices.
        model: the model as the response names it.
        requested_model: the model that was asked for, tried when the table does not know `model`.
        final: False where the response ended early, so that more may have been used.
        at: when the request was sent: a date or time (UTC without a zone), or seconds since 1970;
            now if None.
        basis: where the table's prices come from.
        discount: what all prices are multiplied with, such as `Decimal("0.9")`.
        strict: raise where a model's price is not known.

    Raises:
        UnknownPriceError: with `strict`, the table does not know a model.
    """
    notes: list[str] = []
    if not (final and usage.final):
        notes.append("the stream ended before its final usage: a lower bound")
    if (reported := _reported(usage)) is not None:
        return Cost(
            total=reported, basis="provider", exact=not notes, notes=tuple(notes), model=model
        )
    if table.free:
        notes.append("the model runs on this machine")
        return Cost(total=_ZERO, exact=final, notes=tuple(notes), model=model)
    match = table.match(model)
    if match is None and requested_model:
        match = table.match(requested_model)
    if match is None:
        if strict:
            raise UnknownPriceError(_unknown(table, model))
        _warn_unknown(table, model)
        return None
    seconds = _seconds(at)
    bill = _Bill(notes, discount)
    if not match.exact:
        notes.append(f"{model!r} is priced as {match.model!r}")
    notes += usage.notes
    if usage.parts:
        for part in usage.parts:
            found = match if part.model is None else table.match(part.model)
            if found is None:
                bill.leave_out(part, strict)
            else:
                bill.add(found, part.counts, usage.facts, seconds)
        if usage.fees:
            bill.add(match, usage.fees, usage.facts, seconds)
    else:
        counts = usage.counts
        if usage.cache_read_tokens + usage.cache_write_tokens > usage.input_tokens:
            notes.append("more tokens of a cache than of input are reported: they are cut to it")
        if usage.fees:
            counts.update(usage.fees)
        bill.add(match, counts, usage.facts, seconds, usage.reasoning_tokens)
    return Cost(
        total=functools.reduce(_EXACT.add, (line.amount for line in bill.lines), _ZERO),
        lines=tuple(bill.lines),
        exact=not notes,
        basis="override" if discount is not None or match.entry.is_override else basis,
        notes=tuple(dict.fromkeys(notes)),
        model=match.model,
    )


class _Bill:
    """The lines of a cost as they are found."""

    def __init__(self, notes: list[str], discount: Decimal | None) -> None:
        self.lines: list[CostLine] = []
        self._notes = notes
        self._discount = _ONE if discount is None else discount

    def add(
        self,
        match: Match,
        counts: Mapping[str, int],
        facts: Mapping[str, str],
        at: float,
        reasoning: int = 0,
    ) -> None:
        """Add the lines of one inference."""
        entry = match.entry
        # One pass over a few units; generators cost more than the sums.
        size = 0
        for name, count in counts.items():
            if name[:6] != "output" and (name in TOKEN_TOTALS or total_of(name) is not None):
                size += count
        prices = entry.prices(facts, size, at)
        if reasoning and "output_reasoning" in prices:
            reasoning = min(reasoning, counts.get("output", 0))
            rest = counts.get("output", 0) - reasoning
            counts = {**counts, "output": rest, "output_reasoning": reasoning}
        fee_factor = factor = self._discount
        for modifier in entry.modifiers:
            if meets(modifier.when, facts):
                factor = _EXACT.multiply(factor, modifier.factor)
        for fact in _TIERS:
            value = facts.get(fact)
            if (
                value
                and value not in _ORDINARY
                and value not in entry.conditions.get(fact, frozenset())
            ):
                self._notes.append(
                    f"{fact} {value!r} has no price of its own for {entry.name!r}: priced as the "
                    "standard one"
                )
        for name, count in counts.items():
            if count <= 0:
                continue
            unit = entry.units.get(name)
            price = None if unit is None else _price(unit, prices)
            if unit is None or price is None:
                self._notes.append(
                    f"{entry.name or 'the call'!r} has no price for {name}: {count} are left out"
                )
                continue
            applied = fee_factor if unit.is_fee else factor
            amount = _EXACT.multiply(Decimal(count), price)
            if applied is not _ONE:
                amount = _EXACT.multiply(amount, applied)
            amount = _EXACT.divide(amount, PER[unit.per])
            self.lines.append(CostLine(name, count, price, amount, unit.per, applied, entry.name))

    def leave_out(self, part: UsagePart, strict: bool) -> None:
        """Say that an inference has no price."""
        message = f"no price is known for {part.model!r} ({part.label or 'a part'}): it is left out"
        if strict:
            raise UnknownPriceError(message)
        self._notes.append(message)


def _price(unit: Unit, prices: Mapping[str, Decimal]) -> Decimal | None:
    price = prices.get(unit.name)
    if price is None:
        for fallback in unit.fallbacks:
            if (price := prices.get(fallback)) is not None:
                return price
    return price


def _seconds(at: datetime.date | float | None) -> float:
    if at is None:
        return time.time()
    return timestamp(at) if isinstance(at, datetime.date) else float(at)


def _reported(usage: Usage) -> Decimal | None:
    if usage.reported_cost is None:
        return None
    try:
        cost = Decimal(usage.reported_cost)
    except (InvalidOperation, ValueError, TypeError):
        return None
    return cost if cost.is_finite() and cost >= 0 else None


def _unknown(table: PriceTable, model: str) -> str:
    return f"no price is known for {table.provider} model {model!r}: its cost is None"


def _warn_unknown(table: PriceTable, model: str) -> None:
    # A provider without any table is priced by nobody, which is no surprise worth a warning.
    if not table or (table.provider, model) in _warned:
        return
    _warned.add((table.provider, model))
    warnings.warn(
        _unknown(table, model),
        UnknownPriceWarning,
        stacklevel=_level_of_the_caller(),
    )


def _level_of_the_caller() -> int:
    """Return the `stacklevel` that blames the first line outside this library.

    A cost is asked for by properties, by `prices.cost()` and by the command line, each with a
    number of frames of its own between it and here.
    """
    level, frame = 0, inspect.currentframe()
    while frame is not None and _is_ours(frame.f_globals.get("__name__")):
        level, frame = level + 1, frame.f_back
    # This function's own frame counts for the one that warns.
    return level


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] == __name__.partition(".")[0]
