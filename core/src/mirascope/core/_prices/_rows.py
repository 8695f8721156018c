"""The rows of a model's prices: when each holds, and which prices hold in the end."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Protocol, TypeAlias, TypeVar, cast

from .._errors import UsageError
from ._units import Unit

ValueT = TypeVar("ValueT")
Conditions: TypeAlias = tuple[tuple[str, frozenset[str]], ...]
"""Facts and the values of them that a row or a modifier is for."""

TIERS: Final = ("service_tier", "speed", "processing")
"""Facts that always have to do with the price, so that a value no row is for must be said."""
_DAY: Final = 86_400
_ZERO: Final = Decimal(0)
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
        hours: the times of day (seconds since midnight, UTC) from which and before which the row
            holds, or None for the whole day; the second can be the next day's.
        weekdays: the days of the week (1 is Monday, 7 Sunday; UTC) on which the row holds, or None
            for all of them.
        recorded: the time since which the prices are known; a cost of an earlier request is not
            exact.
        note: what is not certain about the prices; a cost with one of them is not exact.
        tiers: which of the facts that make a tier the row is for.
    """

    prices: Mapping[str, Decimal]
    when: Conditions = ()
    above: int = -1
    start: float = _ALWAYS
    end: float = _FOREVER
    hours: tuple[int, int] | None = None
    weekdays: frozenset[int] | None = None
    recorded: float = _ALWAYS
    note: str = ""
    tiers: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named = frozenset(fact for fact, _ in self.when if fact in TIERS)
        object.__setattr__(self, "tiers", named)

    def holds(self, facts: Mapping[str, str], input_tokens: int, at: float) -> bool:
        """Whether the row is for such a request."""
        if input_tokens <= self.above or not self.start <= at < self.end:
            return False
        if self.hours is not None and not _in_hours(self.hours, at):
            return False
        if self.weekdays is not None and _weekday(at) not in self.weekdays:
            return False
        return not self.when or meets(self.when, facts)

    def doubt(self, at: float) -> str:
        """Return why a cost with these prices is not exact, or `""` where it is.

        Args:
            at: when the request was sent (seconds since 1970).
        """
        if self.note:
            return self.note
        if at < self.recorded:
            day = datetime.datetime.fromtimestamp(self.recorded, datetime.UTC).date()
            return f"the price is known from {day} on: whether it held before is not"
        return ""


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
    # A loop, because a generator costs more than the look-ups.
    for name, values in conditions:  # noqa: SIM110
        if facts.get(name) not in values:
            return False
    return True


class Attempt(Protocol):
    """Reads one value; what becomes of a fault is for whoever reads the table to say."""

    def __call__(
        self, parse: Callable[[Any, str], ValueT], value: Any, what: str, default: ValueT
    ) -> ValueT:
        """Return what `parse` makes of the value, or the default where it is at fault."""
        ...


def at_once(parse: Callable[[Any, str], ValueT], value: Any, what: str, default: ValueT) -> ValueT:
    """Let the first fault raise."""
    return parse(value, what)


def parse_row(
    units: Mapping[str, Unit], row: Any, where: str, attempt: Attempt = at_once
) -> PriceRow:
    """Read a row of a price table.

    Args:
        units: the units that the table knows.
        row: the TOML table.
        where: the row's place, for errors.
        attempt: how each of its values is read.

    Raises:
        UsageError: the row does not follow the format.
    """
    if not isinstance(row, dict):
        raise UsageError(f"{where} is {row!r}, and must be a table of units and prices")
    given = cast("dict[str, Any]", row)
    prices: dict[str, Decimal] = {}
    conditions: dict[str, Any] = {}
    unknown: list[str] = []
    for key, value in given.items():
        if key in units:
            # Nearly every value of a table is one of these: OpenAI's has 1,200 of them.
            is_number = type(value) is int or (type(value) is Decimal and value.is_finite())
            if is_number and value >= 0:
                prices[key] = Decimal(value)
            else:
                prices[key] = attempt(parse_price, value, f"{where}: the price of {key}", _ZERO)
        elif key in _CONDITIONS:
            name, parse, default = _CONDITIONS[key]
            conditions[name] = attempt(parse, value, f"{where}: {key}", default)
        else:
            unknown.append(key)
    if unknown:
        attempt(_unknown_units, unknown, where, None)
    if "at_least" in conditions:
        attempt(_only_one, "above" in conditions, where, None)
        conditions["above"] = conditions.pop("at_least") - 1
    found = PriceRow(prices=prices, **conditions)
    attempt(_in_order, (found.start, found.end), where, None)
    return found


def _unknown_units(names: list[str], where: str) -> None:
    raise UsageError(f"{where} has prices for unknown units: {', '.join(sorted(names))}")


def _only_one(both: bool, where: str) -> None:
    if both:
        raise UsageError(f"{where} has both above and at_least: give one of them")


def _in_order(times: tuple[float, float], where: str) -> None:
    if times[0] >= times[1]:
        raise UsageError(f"{where}: from is not before until: the row never holds")


def parse_price(value: Any, what: str) -> Decimal:
    """Return a price or factor: a number that is not negative.

    Raises:
        UsageError: it is something else.
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
        return _midnight(at)
    if at.tzinfo is None:
        at = at.replace(tzinfo=datetime.UTC)
    return at.timestamp()


# A table repeats a few days hundreds of times. Days alone: the two times that have one reading when
# a clock is put back are equal, and a cache would take one for the other.
@functools.lru_cache(maxsize=128)
def _midnight(day: datetime.date) -> float:
    return datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC).timestamp()


def _time(value: Any, what: str) -> float:
    if not isinstance(value, datetime.date):
        raise UsageError(f"{what} is {value!r}, and must be a date such as 2026-11-22")
    return timestamp(value)


def _in_hours(hours: tuple[int, int], at: float) -> bool:
    start, end = hours
    second = at % _DAY
    return start <= second < end if start < end else second >= start or second < end


def _weekday(at: float) -> int:
    # 1970 began on a Thursday.
    return (int(at // _DAY) + 3) % 7 + 1


def _weekdays(value: Any, what: str) -> frozenset[int] | None:
    """Read `[1, 2, 3, 4, 5]`: days of the week, 1 is Monday."""
    days = cast("list[Any]", value) if isinstance(value, list) else []
    if not days or not all(type(day) is int and 1 <= day <= 7 for day in days):
        raise UsageError(
            f"{what} is {value!r}, and must be a list of days of the week, from 1 (Monday) to 7"
        )
    return frozenset(days)


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{what} is {value!r}, and must be text")
    return value


def _hours(value: Any, what: str) -> tuple[int, int] | None:
    """Read `"16:30-00:30"`: times of day, UTC."""
    try:
        start, end = map(datetime.time.fromisoformat, str(value).split("-"))
    except ValueError:
        start = end = datetime.time()
    if start == end or start.tzinfo or end.tzinfo:
        raise UsageError(f'{what} is {value!r}, and must be two times, UTC, such as "16:30-00:30"')
    return _seconds_of_day(start), _seconds_of_day(end)


def _seconds_of_day(time: datetime.time) -> int:
    return time.hour * 3600 + time.minute * 60 + time.second


def _tokens(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"{what} is {value!r}, and must be a number of tokens")
    return value


_CONDITIONS: Final[Mapping[str, tuple[str, Callable[[Any, str], Any], Any]]] = {
    "when": ("when", parse_conditions, ()),
    "above": ("above", _tokens, -1),
    "at_least": ("at_least", _tokens, 0),
    "from": ("start", _time, _ALWAYS),
    "until": ("end", _time, _FOREVER),
    "hours": ("hours", _hours, None),
    "weekdays": ("weekdays", _weekdays, None),
    "recorded": ("recorded", _time, _ALWAYS),
    "note": ("note", _text, ""),
}
"""What a row has besides prices: the field, how it is read, and what stands in for a fault."""
