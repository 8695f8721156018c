"""What is wrong, or looks wrong, with a price table."""

from __future__ import annotations

import datetime
import difflib
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from .._errors import UsageError
from ._cost import plain
from ._entries import ModelPrices
from ._files import decode
from ._lines import Path, line_of, lines_of
from ._reading import read_leniently
from ._rows import PriceRow
from ._table import PriceTable
from ._units import UNITS, total_of

_CHEAPER: Final = (("service_tier", "flex"), ("processing", "batch"))
_DEARER: Final = (("service_tier", "priority"), ("service_tier", "ultrafast"), ("speed", "fast"))
FACTS: Final = (
    *("service_tier", "speed", "processing", "region", "inference_geo", "vertex", "endpoint"),
    *("platform", "search_tool", "host"),
)
"""Facts that first-party plugins send; others may send more, but hardly one spelled almost so."""
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_PER_TOKEN: Final = Decimal("0.0005")
"""No token costs less than this by the million; what does was written by the token."""
_PER_USE: Final = Decimal("0.1")
"""No fee is less than this by the thousand; what is was written by the use."""
_DEAR: Final = Decimal(1000)


@dataclass(frozen=True, slots=True)
class PriceProblem:
    """Something about a price table.

    Attributes:
        where: the file and, where it is known, the line.
        message: what is wrong, with the key.
        is_error: whether the table can't be used; otherwise it only looks wrong.
    """

    where: str
    message: str
    is_error: bool = False

    def __str__(self) -> str:
        return f"{'error' if self.is_error else 'warning'}: {self.where}: {self.message}"


def lint(text: str | bytes, origin: str) -> list[PriceProblem]:
    """Return everything that is wrong with a price table, or looks wrong, in one run.

    Args:
        text: the TOML document, or a file's bytes.
        origin: the file, for the messages.
    """
    if isinstance(text, bytes):
        try:
            text = decode(text, origin)
        except UsageError as error:
            where, _, message = str(error).rpartition(": the file ")
            return [PriceProblem(where, f"the file {message}", is_error=True)]
    table, faults = read_leniently(text, origin, PriceTable)
    lines = lines_of(text)

    def place(path: Path) -> str:
        line = line_of(lines, path)
        return origin if line is None else f"{origin}:{line}"

    start = f"{origin}: prices.toml"
    problems = [
        PriceProblem(
            # A document that is not TOML has no paths, only a line.
            f"{origin}:{fault.line}" if fault.line else place(fault.path),
            fault.message.removeprefix(start).removeprefix(":").strip(),
            is_error=True,
        )
        for fault in faults
    ]
    if table is not None and not re.search(r"^\s*currency\s*=", text, re.MULTILINE):
        # A table of a program's own may leave it out; one that is published says what it is in.
        problems.append(
            PriceProblem(origin, 'the currency is missing: currency = "USD"', is_error=True)
        )
    if table is not None:
        problems += [PriceProblem(place(path), message) for path, message in _of_table(table)]
    return problems


def _of_table(table: PriceTable) -> Iterator[tuple[Path, str]]:
    if not table.provider:
        yield (), 'whose prices these are is missing: provider = "…"'
    if table.source is None:
        yield (), 'where the prices are published is missing: source = "https://…"'
    if table.updated is None:
        yield (), "when they were last checked is missing: updated = 2026-01-31"
    elif (
        _DATE.match(table.updated)
        and table.updated[:10] > datetime.datetime.now(datetime.UTC).date().isoformat()
    ):
        yield ("updated",), f"updated: {table.updated} is in the future"
    if not table.models:
        yield (), "there is no model in it"
    prefixes: dict[str, str] = {}
    for entry in table.models.values():
        path: Path = ("models", entry.name)
        for prefix in entry.prefixes:
            if (other := prefixes.setdefault(prefix, entry.name)) != entry.name:
                yield (
                    (*path, "prefixes"),
                    f"{entry.name}: the prefix {prefix!r} is also one of {other!r}, which gets all",
                )
        for inner, message in _of_model(entry):
            yield (*path, *inner), f"{entry.name}: {message}"


def _of_model(entry: ModelPrices) -> Iterator[tuple[Path, str]]:
    known = {unit for row in entry.rows for unit in row.prices}
    for unit in ("input", "output"):
        parts = any(name == unit or name.startswith(f"{unit}_") for name in known)
        if not entry.extends and not parts and "request" not in known:
            yield (), f"it has no price for {unit}"
    for number, row in enumerate(entry.rows, 1):
        at: Path = ("prices", number)
        if row.prices and (hidden := _hidden_by(row, entry.rows[number:])):
            yield at, f"row {number} never counts: row {number + hidden} has all its prices"
        for message in (*_of_row(row), *_of_facts(row)):
            yield at, f"row {number}: {message}"
    if entry.extends:
        # What it comes after is not here to be compared with.
        return
    for message in dict.fromkeys((*_gaps(entry), *_of_moments(entry), *_of_tiers(entry))):
        yield (), message


def _of_row(row: PriceRow) -> Iterator[str]:
    for unit, price in row.prices.items():
        known = UNITS.get(unit)
        if known is None or not price:
            continue
        if known.is_fee and price < _PER_USE:
            yield f"{unit} = {plain(price)} looks like dollars for one: fees are by the thousand"
        elif not known.is_fee and price < _PER_TOKEN:
            yield f"{unit} = {plain(price)} looks like that of one token: prices are by the million"
        elif not known.is_fee and price > _DEAR and total_of(unit) is not None:
            yield f"{unit} costs {plain(price)} dollars per million tokens"


def _of_facts(row: PriceRow) -> Iterator[str]:
    for fact, values in row.when:
        if fact == "service_tier" and "batch" in values:
            yield 'no service_tier is "batch": write processing = "batch"'
        if fact not in FACTS and (near := difflib.get_close_matches(fact, FACTS, 1, 0.8)):
            yield f"no plugin sends {fact!r}: is it {near[0]!r}?"


def _gaps(entry: ModelPrices) -> Iterator[str]:
    """Yield the times at which a unit has no price that it has before and after."""
    bounds = _bounds(entry)
    held = [entry.prices({}, 0, time) for time in (-math.inf, *bounds)]
    for unit in {unit for prices in held for unit in prices}:
        having = [number for number, prices in enumerate(held) if unit in prices]
        for number in range(having[0], having[-1]):
            if unit not in held[number]:
                # Before the first bound there is no gap, so that there is one before this.
                start, end = _day(bounds[number - 1]), _day(bounds[number])
                yield f"{unit} has no price from {start} until {end}"


def _of_moments(entry: ModelPrices) -> Iterator[str]:
    """Yield what looks wrong about the prices without a tier, at each size and time."""
    sizes = sorted({0} | {row.above + 1 for row in entry.rows if row.above >= 0})
    for time in (0.0, *_bounds(entry)):
        usual = entry.prices({}, 0, time)
        for size in sizes:
            prices = entry.prices({}, size, time)
            when = _when(size, time)
            fresh = prices.get("input")
            read, write = prices.get("cache_read"), prices.get("cache_write")
            if fresh is not None and read is not None and read > fresh:
                yield f"cache_read costs more than input{when}: {read} and {fresh}"
            if fresh is not None and write is not None and write < fresh:
                yield f"cache_write costs less than input{when}: {write} and {fresh}"
            for unit, price in prices.items():
                if price < usual.get(unit, Decimal(0)):
                    yield f"{unit} gets cheaper from {size} tokens on: {price} after {usual[unit]}"


def _of_tiers(entry: ModelPrices) -> Iterator[str]:
    """Yield tiers that cost what they can't: more than the standard one, or less than it."""
    sizes = sorted({0} | {row.above + 1 for row in entry.rows if row.above >= 0})
    for (fact, value), sign in (*((t, 1) for t in _CHEAPER), *((t, -1) for t in _DEARER)):
        facts = {fact: value}
        if value not in entry.conditions.get(fact, frozenset()):
            continue
        for size, time in itertools.product(sizes, (0.0, *_bounds(entry))):
            standard = entry.prices({}, size, time)
            rows = entry.holding(facts, size, time)
            prices = entry.prices(facts, size, time)
            for unit, price in prices.items():
                usual = standard.get(unit)
                if usual is None or unit not in UNITS or UNITS[unit].is_fee:
                    continue
                if (price - usual) * sign > 0:
                    than = "more" if sign > 0 else "less"
                    yield (
                        f"{unit} costs {than} at {fact} {value!r} than without"
                        f"{_when(size, time)}: {price} and {usual}"
                    )
            yield from _short(facts, rows, standard, size)
        yield from _undated(entry, facts)


def _short(
    facts: Mapping[str, str], rows: list[PriceRow], standard: Mapping[str, Decimal], size: int
) -> Iterator[str]:
    """Yield the units of a tier that have no price of their own for long requests."""
    [(fact, value)] = facts.items()
    for unit in standard:
        chosen = next((row for row in reversed(rows) if unit in row.prices), None)
        stepped = any(row.above >= 0 and unit in row.prices for row in rows)
        if size and stepped and chosen is not None and fact in chosen.tiers and chosen.above < 0:
            yield f"{unit} has no price at {fact} {value!r} from {size} tokens on"


def _undated(entry: ModelPrices, facts: Mapping[str, str]) -> Iterator[str]:
    """Yield the units whose standard price changes while a tier's stays, or is hidden by it."""
    [(fact, value)] = facts.items()
    for before, after in itertools.pairwise((0.0, *_bounds(entry))):
        old, new = (entry.prices({}, 0, time) for time in (before, after))
        tier_old, tier_new = (entry.prices(facts, 0, time) for time in (before, after))
        for unit in old:
            known = UNITS.get(unit)
            if known is None or known.is_fee or new.get(unit, old[unit]) == old[unit]:
                continue
            if unit in tier_new and tier_old.get(unit) == tier_new[unit]:
                yield f"{unit} changes on {_day(after)}, and does not at {fact} {value!r}"
            elif tier_new.get(unit) == new.get(unit) and any(
                fact in row.tiers and row.prices.get(unit, new.get(unit)) != new.get(unit)
                for row in entry.holding(facts, 0, after)
            ):
                yield (
                    f"{unit} costs the same at {fact} {value!r} as without from {_day(after)} on: "
                    "a row without a condition comes after the tier's"
                )


def _bounds(entry: ModelPrices) -> list[float]:
    return sorted({t for row in entry.rows for t in (row.start, row.end) if math.isfinite(t)})


def _when(size: int, time: float) -> str:
    parts = [f"from {size} tokens on"] if size else []
    if time:
        parts.append(f"from {_day(time)} on")
    return f" ({', '.join(parts)})" if parts else ""


def _day(time: float) -> str:
    moment = datetime.datetime.fromtimestamp(time, datetime.UTC)
    return moment.isoformat().removesuffix("+00:00").removesuffix("T00:00:00")


def _hidden_by(row: PriceRow, later: tuple[PriceRow, ...]) -> int:
    """Return how many rows later one stands that leaves nothing of a row; 0 if none does."""
    for distance, other in enumerate(later, 1):
        if (
            row.prices.keys() <= other.prices.keys()
            and other.above <= row.above
            and other.start <= row.start
            and other.end >= row.end
            and set(other.when) <= set(row.when)
            and other.hours is None
            and other.weekdays is None
        ):
            return distance
    return 0
