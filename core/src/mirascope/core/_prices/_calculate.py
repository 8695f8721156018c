"""Usage times prices, in exact decimal arithmetic, with an audit trail."""

from __future__ import annotations

import datetime
import functools
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from .._caution import caution
from .._errors import MirascopeError
from ._cost import EXACT, ONE, ZERO, Cost, CostBasis, CostLine, decimal_of
from ._entries import Match, ModelPrices
from ._names import UNKNOWN
from ._rows import TIERS, PriceRow, meets, timestamp
from ._table import PriceTable
from ._units import PER, TOKEN_TOTALS, Unit, total_of
from ._usage import Usage, UsagePart

_ORDINARY: Final = frozenset(
    {"default", "auto", "standard", "standard_only", "on_demand", "unspecified", ""}
    | {"traffic_type_unspecified", "service_tier_unspecified"}
)


class UnknownPriceWarning(UserWarning):
    """A cost is None: its model is not in the price table, or its usage can't be read."""


class UnknownPriceError(MirascopeError):
    """A cost is not known, and `prices.strict()` makes that an error."""


_warned: set[str] = set()


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
    """Return what `usage` cost, or None where the usage can't be read or the model is not known.

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
        strict: raise where the cost is not known.

    Raises:
        UnknownPriceError: with `strict`, the cost is not known.
    """
    notes: list[str] = []
    if not (final and usage.final):
        notes.append("the stream ended before its final usage: a lower bound")
    if (reported := _reported(usage)) is not None:
        # What is not certain about counts does not matter here: nothing is multiplied with them.
        notes += usage.cost_notes
        return Cost(
            total=reported, basis="provider", exact=not notes, notes=tuple(notes), model=model
        )
    notes += usage.cost_notes
    host = usage.facts.get("host")
    if table.free and (not host or host in table.hosts):
        if host and (said := table.host_note(host)):
            notes.append(said)
        certain = not notes
        notes.append("the model runs on this machine")
        return Cost(total=ZERO, exact=certain, notes=tuple(notes), model=model)
    if not usage.is_known:
        _warn(
            table,
            f"no cost is known for {table.provider} model {model!r}: its usage has no counter that "
            "can be read",
            strict,
        )
        return None
    found, facts = _find(table, model, requested_model, usage.facts)
    if found is None:
        _warn(
            table,
            f"no price is known for {table.provider} model {model!r}: its cost is None",
            strict,
        )
        return None
    seconds = _seconds(at)
    if not found.exact:
        notes.append(f"{model!r} is priced as {found.model!r}")
    notes += usage.notes
    is_own = basis == "override" or found.entry.is_override
    notes += _about_the_table(table, found.entry, facts, seconds, is_own=is_own)
    bill = _Bill(table, notes, facts, seconds, discount)
    if usage.parts:
        for part in usage.parts:
            served = found if part.model is None else table.match(part.model)
            if served is None:
                bill.leave_out(part, strict)
            else:
                bill.add(served, part.counts)
        bill.add_fees(found, usage.fees)
    else:
        counts = usage.counts
        if usage.cache_read_tokens + usage.cache_write_tokens > usage.input_tokens:
            notes.append("more tokens of a cache than of input are reported: they are cut to it")
        bill.add(found, counts, usage.reasoning_tokens)
        bill.add_fees(found, usage.fees)
    return Cost(
        total=functools.reduce(EXACT.add, (line.amount for line in bill.lines), ZERO),
        lines=tuple(bill.lines),
        exact=not notes,
        basis="override" if discount is not None or is_own else basis,
        notes=tuple(dict.fromkeys(notes)),
        model=found.model,
    )


def _find(
    table: PriceTable, model: str, requested: str | None, facts: Mapping[str, str]
) -> tuple[Match | None, Mapping[str, str]]:
    """Return the prices for a response, and its facts with what its model's names say.

    A platform names the plain model in a response, and where it runs only in the request.
    """
    found = table.match(model)
    named: dict[str, str] = {}
    if requested and requested != model:
        other = table.match(requested)
        found = found or other
        if other is not None:
            named.update(other.facts)
    if found is not None:
        named.update(found.facts)
    # What the response or the client says counts more than a name, if they know it.
    said = {fact: value for fact, value in named.items() if facts.get(fact, UNKNOWN) == UNKNOWN}
    return found, {**facts, **said} if said else facts


def _about_the_table(
    table: PriceTable, entry: ModelPrices, facts: Mapping[str, str], at: float, *, is_own: bool
) -> list[str]:
    """Return why the table's prices may not be those of this response."""
    notes: list[str] = []
    host = facts.get("host")
    # One's own prices are for whatever server one has.
    if host and not is_own and (said := table.host_note(host)):
        notes.append(said)
    for fact, known in table.places.items():
        value = facts.get(fact)
        if value and value not in known and fact in entry.conditions:
            notes.append(f"whether {fact} {value!r} changes the price is not known")
    if at > entry.stale_from:
        day = datetime.datetime.fromtimestamp(entry.checked, datetime.UTC).date()
        notes.append(f"the prices were last checked on {day}, long before the request")
    return notes


class _Bill:
    """The lines of a cost as they are found."""

    def __init__(
        self,
        table: PriceTable,
        notes: list[str],
        facts: Mapping[str, str],
        at: float,
        discount: Decimal | None,
    ) -> None:
        self.lines: list[CostLine] = []
        self._table = table
        self._notes = notes
        self._facts = facts
        self._at = at
        self._discount = ONE if discount is None else discount

    def add(self, match: Match, counts: Mapping[str, int], reasoning: int = 0) -> None:
        """Add the lines of one inference."""
        entry, facts = match.entry, self._facts
        # One pass over a few units; generators cost more than the sums.
        size = 0
        for name, count in counts.items():
            if name[:6] != "output" and (name in TOKEN_TOTALS or total_of(name) is not None):
                size += count
        rows = entry.holding(facts, size, self._at)
        if reasoning and any("output_reasoning" in row.prices for row in rows):
            reasoning = min(reasoning, counts.get("output", 0))
            rest = counts.get("output", 0) - reasoning
            counts = {**counts, "output": rest, "output_reasoning": reasoning}
        factor = self._discount
        for modifier in entry.modifiers:
            if meets(modifier.when, facts):
                factor = EXACT.multiply(factor, modifier.factor)
        tiers = self._tiers(entry) if facts else []
        for name, count in counts.items():
            if count <= 0:
                continue
            unit = entry.units.get(name)
            found = None if unit is None else _price(unit, rows)
            if unit is None or found is None:
                self._leave_out(entry, name, count)
                continue
            price, row, used = found
            if tiers and not unit.is_fee:
                self._check_tiers(tiers, rows, row, used)
            if used != name:
                self._check_fallback(entry, rows, name, used)
            self._line(entry, unit, count, price, row, self._discount if unit.is_fee else factor)

    def add_fees(self, match: Match, fees: Mapping[str, int]) -> None:
        """Add what is charged besides tokens, once for a response."""
        entry = match.entry
        if entry.charges_requests and "request" not in fees:
            fees = {**fees, "request": 1}
        if not fees:
            return
        rows = entry.holding(self._facts, 0, self._at)
        for name, count in fees.items():
            unit = entry.units.get(name)
            found = None if unit is None else _price(unit, rows)
            if count <= 0:
                continue
            if unit is None or found is None:
                self._leave_out(entry, name, count)
            else:
                self._line(entry, unit, count, found[0], found[1], self._discount)

    def leave_out(self, part: UsagePart, strict: bool) -> None:
        """Say that an inference has no price."""
        message = f"no price is known for {part.model!r} ({part.label or 'a part'}): it is left out"
        if strict:
            raise UnknownPriceError(message)
        self._notes.append(message)

    def _leave_out(self, entry: ModelPrices, name: str, count: int) -> None:
        self._notes.append(
            f"{entry.name or 'the call'!r} has no price for {name}: {count} are left out"
        )

    def _line(
        self,
        entry: ModelPrices,
        unit: Unit,
        count: int,
        price: Decimal,
        row: PriceRow,
        factor: Decimal,
    ) -> None:
        if entry.is_doubtful and (doubt := row.doubt(self._at)):
            self._notes.append(f"{unit.name}: {doubt}")
        amount = EXACT.multiply(Decimal(count), price)
        if factor is not ONE:
            amount = EXACT.multiply(amount, factor)
        amount = EXACT.divide(amount, PER[unit.per])
        self.lines.append(CostLine(unit.name, count, price, amount, unit.per, factor, entry.name))

    def _tiers(self, entry: ModelPrices) -> list[str]:
        """Return the facts that put a response into a tier with prices, and say of any other."""
        tiers: list[str] = []
        for fact in TIERS:
            value = self._facts.get(fact)
            if not value or value in _ORDINARY:
                continue
            if value in entry.conditions.get(fact, frozenset()):
                tiers.append(fact)
            else:
                self._notes.append(
                    f"{fact} {value!r} has no price of its own for {entry.name!r}: priced as the "
                    "standard one"
                )
        return tiers

    def _check_tiers(
        self, tiers: list[str], rows: list[PriceRow], chosen: PriceRow, unit: str
    ) -> None:
        """Say where a tier's prices leave this unit, or a request of this size, to others."""
        for fact in tiers:
            # A row of the tier without prices says that it costs what the standard one does.
            if not any(fact in row.tiers and row.prices for row in rows):
                continue
            value = self._facts[fact]
            if fact not in chosen.tiers:
                if chosen.prices[unit]:
                    self._notes.append(
                        f"{unit} has no price of its own at {fact} {value!r}: the standard one is "
                        "taken"
                    )
            elif chosen.above < 0 and any(row.above >= 0 and unit in row.prices for row in rows):
                self._notes.append(
                    f"{unit} has no price for a request of this size at {fact} {value!r}: that of "
                    "a shorter one is taken"
                )

    def _check_fallback(
        self, entry: ModelPrices, rows: list[PriceRow], name: str, used: str
    ) -> None:
        """Say where another unit's price stands in, unless the provider prices them alike."""
        if name in self._table.same_price:
            kind = name.rpartition("_")[2]
            whole = _newest(rows, "input")
            part = _newest(rows, f"input_{kind}")
            if not name.startswith("cache_read_") or part is None or part == whole:
                return
        self._notes.append(f"{entry.name!r} has no price for {name}: that of {used} is taken")


def _price(unit: Unit, rows: list[PriceRow]) -> tuple[Decimal, PriceRow, str] | None:
    """Return a unit's price, the row that it stands in, and the unit whose price it is."""
    for name in (unit.name, *unit.fallbacks):
        for row in reversed(rows):
            price = row.prices.get(name)
            if price is not None:
                return price, row, name
    return None


def _newest(rows: list[PriceRow], unit: str) -> Decimal | None:
    return next((row.prices[unit] for row in reversed(rows) if unit in row.prices), None)


def _seconds(at: datetime.date | float | None) -> float:
    if at is None:
        return time.time()
    return timestamp(at) if isinstance(at, datetime.date) else float(at)


def _reported(usage: Usage) -> Decimal | None:
    if usage.reported_cost is None:
        return None
    cost = decimal_of(usage.reported_cost)
    return cost if cost is not None and cost >= 0 else None


def _warn(table: PriceTable, text: str, strict: bool) -> None:
    """Warn once that a cost is not known; with `strict`, raise."""
    if strict:
        raise UnknownPriceError(text)
    # A provider without any table is priced by nobody, which is a surprise only where it says so.
    text = text if table else table.lack
    if not text or text in _warned:
        return
    _warned.add(text)
    caution(text, UnknownPriceWarning)
