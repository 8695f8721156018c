"""What calls cost, as money: exact amounts with an audit trail, which add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Final, Literal, Self, TypeAlias, overload

from .._errors import UsageError

CostBasis: TypeAlias = Literal["list", "provider", "override", "estimated", "mixed"]

# The caller's own context may round, or trap what is not exact. Counts have at most 19 digits,
# prices and factors a few each, so that nothing is ever rounded in this one.
EXACT: Final = Context(prec=100, traps=[])
ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
_BASES: Final = ("list", "provider", "override", "estimated", "mixed")


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
    factor: Decimal = ONE
    model: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The line for JSON; prices and amounts are text, so that no digit is lost."""
        return {
            "model": self.model,
            "unit": self.unit,
            "count": self.count,
            "price": plain(self.price),
            "per": self.per,
            "factor": plain(self.factor),
            "amount": plain(self.amount),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cost:
    """What a response cost, and why.

    A cost is an amount of money: it compares with other costs and with numbers by its total, can be
    rounded and formatted (`f"{cost:.4f}"`), and multiplied, which gives a `Decimal`. Costs can be
    added; `prices.total` adds many, also where some are None.

    Attributes:
        total: US dollars, not rounded.
        lines: one line per unit; they sum to `total`.
        exact: whether `total` is the list price of just this usage; `notes` says why not.
        basis: `"list"` for the table's prices, `"provider"` where the provider reported the cost,
            `"override"` for prices of your own, `"estimated"` where a source of costs says so,
            `"mixed"` for a sum of several.
        notes: what one should know about the figure.
        model: the entry of the price table that was used; `""` for a sum of several.
        calls: how many calls it is the cost of, those in `unpriced` included.
        unpriced: how many of them had no known price and are left out.
    """

    total: Decimal
    lines: tuple[CostLine, ...] = ()
    exact: bool = True
    basis: CostBasis = "list"
    notes: tuple[str, ...] = ()
    model: str = ""
    calls: int = 1
    unpriced: int = 0

    def __float__(self) -> float:
        return float(self.total)

    def __str__(self) -> str:
        return f"${plain(self.total)}"

    def __format__(self, spec: str) -> str:
        return format(self.total, spec) if spec else str(self)

    @overload
    def __round__(self) -> int: ...
    @overload
    def __round__(self, digits: int) -> Decimal: ...
    def __round__(self, digits: int | None = None) -> Decimal | int:
        return round(self.total) if digits is None else round(self.total, digits)

    def __eq__(self, other: object) -> bool:
        amount = _amount(other)
        return NotImplemented if amount is None else self.total == amount

    def __hash__(self) -> int:
        return hash(self.total)

    def __lt__(self, other: object) -> bool:
        amount = _amount(other)
        return NotImplemented if amount is None else self.total < amount

    def __le__(self, other: object) -> bool:
        amount = _amount(other)
        return NotImplemented if amount is None else self.total <= amount

    def __gt__(self, other: object) -> bool:
        amount = _amount(other)
        return NotImplemented if amount is None else self.total > amount

    def __ge__(self, other: object) -> bool:
        amount = _amount(other)
        return NotImplemented if amount is None else self.total >= amount

    def __add__(self, other: object) -> Cost:
        return total((self, other)) if isinstance(other, Cost) else NotImplemented

    def __radd__(self, other: object) -> Cost:
        # What `sum()` begins with.
        return self if other == 0 else NotImplemented

    def __mul__(self, factor: object) -> Decimal:
        number = None if isinstance(factor, Cost) else _amount(factor)
        return NotImplemented if number is None else EXACT.multiply(self.total, number)

    __rmul__ = __mul__

    def __sub__(self, other: object) -> Decimal:
        amount = _amount(other)
        return NotImplemented if amount is None else EXACT.subtract(self.total, amount)

    def __rsub__(self, other: object) -> Decimal:
        amount = _amount(other)
        return NotImplemented if amount is None else EXACT.subtract(amount, self.total)

    def to_dict(self) -> dict[str, Any]:
        """The cost for JSON; amounts are text, so that no digit is lost."""
        found: dict[str, Any] = {
            "total": plain(self.total),
            "currency": "USD",
            "exact": self.exact,
            "basis": self.basis,
            "model": self.model,
            "lines": [line.to_dict() for line in self.lines],
            "notes": list(self.notes),
        }
        if (self.calls, self.unpriced) != (1, 0):
            found |= {"calls": self.calls, "unpriced": self.unpriced}
        return found

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the cost that `to_dict` wrote.

        Raises:
            UsageError: it is not one.
        """
        try:
            basis = data.get("basis", "list")
            if basis not in _BASES:
                raise ValueError(f"basis is {basis!r}")
            return cls(
                total=Decimal(data["total"]),
                lines=tuple(_line(line) for line in data.get("lines", ())),
                exact=bool(data.get("exact", False)),
                basis=basis,
                notes=tuple(map(str, data.get("notes", ()))),
                model=str(data.get("model", "")),
                calls=int(data.get("calls", 1)),
                unpriced=int(data.get("unpriced", 0)),
            )
        except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError) as error:
            raise UsageError(f"this is not a cost as Cost.to_dict() writes it: {error!r}") from None


def total(costs: Iterable[Cost | None]) -> Cost:
    """Return the sum of costs, which takes time in proportion to their number.

    Lines of the same model, unit, price and factor become one. A cost that is not known (None) is
    counted in `unpriced` and left out, and then the sum is not exact.

    Args:
        costs: the costs, such as `stream.cost_details` of many streams.

    Raises:
        UsageError: one of them is something else, such as the number that `stream.cost` is.
    """
    sums: dict[tuple[Any, ...], list[Any]] = {}
    notes: dict[str, None] = {}
    bases: set[CostBasis] = set()
    models: set[str] = set()
    amount, exact, calls, unpriced = ZERO, True, 0, 0
    for cost in costs:
        if cost is None:
            calls, unpriced = calls + 1, unpriced + 1
            continue
        if not isinstance(cost, Cost):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(
                f"prices.total() adds Cost objects, such as stream.cost_details, and {cost!r} is "
                "not one"
            )
        calls, unpriced = calls + cost.calls, unpriced + cost.unpriced
        amount = EXACT.add(amount, cost.total)
        exact = exact and cost.exact
        bases.add(cost.basis)
        models.add(cost.model)
        if cost.notes:
            notes.update(dict.fromkeys(cost.notes))
        for line in cost.lines:
            key = (line.model, line.unit, line.price, line.per, line.factor)
            known = sums.get(key)
            if known is None:
                sums[key] = [line.count, line.amount]
            else:
                known[0] += line.count
                known[1] = EXACT.add(known[1], line.amount)
    lines = tuple(
        CostLine(unit, count, price, line_amount, per, factor, model)
        for (model, unit, price, per, factor), (count, line_amount) in sums.items()
    )
    said = [note for note in notes if not note.startswith(_UNPRICED)]
    if unpriced:
        said.append(f"{_UNPRICED}{unpriced} of {calls} calls have no known price and are left out")
    return Cost(
        total=amount,
        lines=lines,
        exact=exact and not unpriced,
        basis=bases.pop() if len(bases) == 1 else "mixed" if bases else "list",
        notes=tuple(said),
        model=models.pop() if len(models) == 1 else "",
        calls=calls,
        unpriced=unpriced,
    )


_UNPRICED: Final = "not the whole: "
"""How the note of a sum begins, so that a sum of sums has it once."""


def plain(amount: Decimal) -> str:
    """Return an amount in full, without an exponent and without zeros at its end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal_of(value: object) -> Decimal | None:
    """Return a number as its digits read, or None for what is not one; text counts as well."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _amount(value: object) -> Decimal | None:
    """Return what a cost can be compared with, or None: text is not an amount of money."""
    if isinstance(value, Cost):
        return value.total
    return None if isinstance(value, str) else decimal_of(value)


def _line(data: Mapping[str, Any]) -> CostLine:
    return CostLine(
        unit=str(data["unit"]),
        count=int(data["count"]),
        price=Decimal(data["price"]),
        amount=Decimal(data["amount"]),
        per=int(data.get("per", 1_000_000)),
        factor=Decimal(data.get("factor", 1)),
        model=str(data.get("model", "")),
    )
