"""What is wrong, or looks wrong, with a price table."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from .._errors import UsageError
from ._rows import PriceRow, timestamp
from ._table import ModelPrices, PriceTable
from ._units import UNITS, total_of


@dataclass(frozen=True, slots=True)
class PriceProblem:
    """Something about a price table.

    Attributes:
        where: the file and the key.
        message: what is wrong.
        is_error: whether the table can't be used; otherwise it only looks wrong.
    """

    where: str
    message: str
    is_error: bool = False

    def __str__(self) -> str:
        return f"{'error' if self.is_error else 'warning'}: {self.where}: {self.message}"


def lint(text: str, origin: str) -> list[PriceProblem]:
    """Return everything that is wrong with a price table, or looks wrong.

    Args:
        text: the TOML document.
        origin: the file, for the messages.
    """
    try:
        table = PriceTable.from_toml(text, origin)
    except UsageError as error:
        return [PriceProblem(origin, str(error).removeprefix(f"{origin}: "), is_error=True)]
    return list(_of_table(table, origin))


def _of_table(table: PriceTable, origin: str) -> Iterator[PriceProblem]:
    if not table.provider:
        yield PriceProblem(origin, 'whose prices these are is missing: provider = "…"')
    if table.source is None:
        yield PriceProblem(
            origin, 'where the prices are published is missing: source = "https://…"'
        )
    if table.updated is None:
        yield PriceProblem(origin, "when they were last checked is missing: updated = 2026-01-31")
    elif table.updated[:10] > datetime.datetime.now(datetime.UTC).date().isoformat():
        yield PriceProblem(f"{origin}: updated", f"{table.updated} is in the future")
    if not table.models:
        yield PriceProblem(origin, "there is no model in it")
    for entry in table.models.values():
        where = f"{origin}: models.{entry.name!r}"
        for message in _of_model(entry):
            yield PriceProblem(where, message)


def _of_model(entry: ModelPrices) -> Iterator[str]:
    now = timestamp(datetime.datetime.now(datetime.UTC))
    known = {unit for row in entry.rows for unit in row.prices}
    if not entry.extends and "input" not in known and "request" not in known:
        yield "it has no price for input"
    if not entry.extends and "output" not in known and "request" not in known:
        yield "it has no price for output"
    for number, row in enumerate(entry.rows, 1):
        if not row.prices:
            continue
        if hidden := _hidden_by(row, entry.rows[number:]):
            yield f"row {number} never counts: row {number + hidden} has all its prices"
    # What holds without any condition today, and what does in a long request.
    usual = entry.prices({}, 0, now)
    yield from _of_prices(usual, "")
    for size in sorted({row.above + 1 for row in entry.rows if row.above >= 0}):
        long = entry.prices({}, size, now)
        yield from _of_prices(long, f" from {size} tokens on")
        for unit, price in long.items():
            if price < usual.get(unit, Decimal(0)):
                yield f"{unit} gets cheaper from {size} tokens on: {price} after {usual[unit]}"


def _of_prices(prices: Mapping[str, Decimal], when: str) -> Iterator[str]:
    plain = prices.get("input")
    read, write = prices.get("cache_read"), prices.get("cache_write")
    if plain is not None and read is not None and read > plain:
        yield f"cache_read costs more than input{when}: {read} and {plain}"
    if plain is not None and write is not None and write < plain:
        yield f"cache_write costs less than input{when}: {write} and {plain}"
    for unit, price in prices.items():
        if unit in UNITS and total_of(unit) is not None and price > 1000:
            yield f"{unit} costs {price} dollars per million tokens{when}"


def _hidden_by(row: PriceRow, later: tuple[PriceRow, ...]) -> int:
    """Return how many rows later one stands that leaves nothing of a row; 0 if none does."""
    for distance, other in enumerate(later, 1):
        if (
            row.prices.keys() <= other.prices.keys()
            and other.above <= row.above
            and other.start <= row.start
            and other.end >= row.end
            and set(other.when) <= set(row.when)
        ):
            return distance
    return 0
