"""The rows of a model's prices: when each holds, and which prices hold in the end."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias, cast

from .._errors import UsageError
from ._units import Unit

Conditions: TypeAlias = tuple[tuple[str, frozenset[str]], ...]
"""Facts and the values of them that a row or a modifier is for."""

_CONDITIONS: Final = frozenset({"when", "above", "at_least", "from", "until"})
_ALWAYS: Final = float("-inf")
_FOREVER: Final = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """Prices, and when they hold.

    Attributes:
        prices: US dollars by unit.
        when: the facts of the response that the row is for.
        above: the row holds where one inference's whole input has more tokens than this.
        start: the time from which the row holds (seconds since 1970, UTC).
        end: the time at which it no longer holds.
    """

    prices: Mapping[str, Decimal]
    when: Conditions = ()
    above: int = -1
    start: float = _ALWAYS
    end: float = _FOREVER

    def holds(self, facts: Mapping[str, str], input_tokens: int, at: float) -> bool:
        """Whether the row is for such a request."""
        if input_tokens <= self.above or not self.start <= at < self.end:
            return False
        return not self.when or meets(self.when, facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Modifier:
    """A factor on the prices of tokens, never on fees.

    Attributes:
        name: its name in the table.
        when: the facts of the response that it is for.
        factor: what prices are multiplied with.
    """

    name: str
    when: Conditions
    factor: Decimal


def meets(conditions: Conditions, facts: Mapping[str, str]) -> bool:
    """Whether the facts of a response are those that the conditions name."""
    return all(facts.get(name) in values for name, values in conditions)


def parse_row(row: Any, units: Mapping[str, Unit], where: str) -> PriceRow:
    """Read a row of a price table.

    Args:
        row: the TOML table.
        units: the units that the table knows.
        where: the row's place, for errors.

    Raises:
        UsageError: the row does not follow the format.
    """
    if not isinstance(row, dict):
        raise UsageError(f"{where} is {row!r}, and must be a table of units and prices")
    given = cast("dict[str, Any]", row)
    prices: dict[str, Decimal] = {}
    unknown: list[str] = []
    for key, value in given.items():
        if key in units:
            prices[key] = parse_price(value, f"{where}: the price of {key}")
        elif key not in _CONDITIONS:
            unknown.append(key)
    if unknown:
        raise UsageError(f"{where} has prices for unknown units: {', '.join(sorted(unknown))}")
    if len(prices) == len(given):
        return PriceRow(prices=prices)
    if "above" in given and "at_least" in given:
        raise UsageError(f"{where} has both above and at_least: give one of them")
    above = -1
    if "above" in given:
        above = _tokens(given["above"], f"{where}: above")
    elif "at_least" in given:
        above = _tokens(given["at_least"], f"{where}: at_least") - 1
    start = _time(given["from"], f"{where}: from") if "from" in given else _ALWAYS
    end = _time(given["until"], f"{where}: until") if "until" in given else _FOREVER
    if start >= end:
        raise UsageError(f"{where}: from is not before until: the row never holds")
    when = parse_conditions(given["when"], f"{where}: when") if "when" in given else ()
    return PriceRow(prices=prices, when=when, above=above, start=start, end=end)


def parse_price(value: Any, what: str) -> Decimal:
    """Return a price or factor: a number that is not negative.

    Raises:
        UsageError: it is none.
    """
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise UsageError(f"{what} is {value!r}, and must be a number")
    price = Decimal(value)
    if not price.is_finite() or price < 0:
        raise UsageError(f"{what} is {value!r}, and must not be negative")
    return price


def parse_conditions(value: Any, what: str) -> Conditions:
    """Read `when`: facts, each with a value or a list of values.

    Raises:
        UsageError: it does not follow the format.
    """
    if not isinstance(value, dict) or not value:
        raise UsageError(f"{what} is {value!r}, and must be a table of facts and values")
    conditions: list[tuple[str, frozenset[str]]] = []
    for name, wanted in cast("dict[str, Any]", value).items():
        values = cast("list[Any]", wanted) if isinstance(wanted, list) else [wanted]
        if not values or not all(isinstance(item, str) for item in values):
            raise UsageError(f"{what}: {name} is {wanted!r}, and must be text, or a list of it")
        conditions.append((name, frozenset(values)))
    return tuple(conditions)


def timestamp(at: datetime.date) -> float:
    """Return a date or time as seconds since 1970; without a time zone it is UTC."""
    if not isinstance(at, datetime.datetime):
        at = datetime.datetime(at.year, at.month, at.day, tzinfo=datetime.UTC)
    elif at.tzinfo is None:
        at = at.replace(tzinfo=datetime.UTC)
    return at.timestamp()


def _time(value: Any, what: str) -> float:
    if not isinstance(value, datetime.date):
        raise UsageError(f"{what} is {value!r}, and must be a date such as 2026-11-22")
    return timestamp(value)


def _tokens(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"{what} is {value!r}, and must be a number of tokens")
    return value
