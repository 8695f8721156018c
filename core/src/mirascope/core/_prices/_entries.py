"""One model's entry in a price table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from ._rows import TIERS, Modifier, PriceRow
from ._units import UNITS, Unit

NEVER: float = float("inf")
STALE_AFTER_DAYS: Final = 180
"""How long after its last check a table is good where it does not say."""
_UNPLACED: Final = frozenset({*TIERS, "host"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrices:
    """The prices of one model.

    Attributes:
        name: the name of the table's entry.
        rows: the prices and when they hold.
        modifiers: the factors that can apply.
        names: the names that are just this model.
        prefixes: what other names of it begin with.
        units: the units that the table knows.
        extends: whether the rows come after those of the table that this one overrides.
        origin: the file or package that the entry was read from.
        is_override: whether the prices are not those of the provider's own list.
        checked: when the prices were last checked (seconds since 1970); 0 where it is not known.
        stale_from: the time from which requests are too late for prices that were checked then.
        conditions: every value of a fact that some row or modifier is for.
        plain_rows: the rows that need no fact.
        is_doubtful: whether some row has prices that are not certain.
        charges_requests: whether there is a fee for each response.
    """

    name: str
    rows: tuple[PriceRow, ...]
    modifiers: tuple[Modifier, ...] = ()
    names: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    units: Mapping[str, Unit] = field(default_factory=lambda: UNITS)
    extends: bool = False
    origin: str = ""
    is_override: bool = False
    checked: float = 0.0
    stale_from: float = NEVER
    conditions: Mapping[str, frozenset[str]] = field(init=False, repr=False, compare=False)
    plain_rows: tuple[PriceRow, ...] = field(init=False, repr=False, compare=False)
    is_doubtful: bool = field(init=False, repr=False, compare=False)
    charges_requests: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        conditions: dict[str, frozenset[str]] = {}
        for when in (*(row.when for row in self.rows), *(m.when for m in self.modifiers)):
            for name, values in when:
                conditions[name] = conditions.get(name, frozenset()) | values
        object.__setattr__(self, "conditions", conditions)
        object.__setattr__(self, "plain_rows", tuple(r for r in self.rows if not r.when))
        doubtful = any(row.note or row.recorded > -NEVER for row in self.rows)
        object.__setattr__(self, "is_doubtful", doubtful)
        charges = any("request" in row.prices for row in self.rows)
        object.__setattr__(self, "charges_requests", charges)

    def holding(self, facts: Mapping[str, str], input_tokens: int, at: float) -> list[PriceRow]:
        """Return the rows that hold for an inference; a later one has the last word.

        Args:
            facts: how the request was served.
            input_tokens: the whole input of this one inference, caches included.
            at: when the request was sent (seconds since 1970).
        """
        rows = self.rows if facts else self.plain_rows
        return [row for row in rows if row.holds(facts, input_tokens, at)]

    def prices(self, facts: Mapping[str, str], input_tokens: int, at: float) -> dict[str, Decimal]:
        """Return the prices that hold for an inference; the arguments are those of `holding`."""
        prices: dict[str, Decimal] = {}
        for row in self.holding(facts, input_tokens, at):
            prices.update(row.prices)
        return prices

    def over(self, other: ModelPrices) -> ModelPrices:
        """Return this entry in the place of another one of the same name.

        Every name of the other one stays a name of the model. With `extends`, so do its rows,
        before these.
        """
        rows, modifiers = self.rows, self.modifiers
        if self.extends:
            rows = (*other.rows, *rows)
            modifiers = (*other.modifiers, *modifiers)
        return replace(
            self,
            rows=rows,
            modifiers=modifiers,
            names=_union(other.names, self.names),
            prefixes=_union(other.prefixes, self.prefixes),
            units={**other.units, **self.units},
            extends=False,
            is_override=True,
        )


@dataclass(frozen=True, slots=True)
class Match:
    """The prices of a model that was looked up.

    Attributes:
        entry: the table's entry.
        exact: False where the name is not just a name of the entry: its date or version was left
            away, or something follows a prefix that is more than a date.
        facts: what the name says besides the model, such as where it runs.
    """

    entry: ModelPrices
    exact: bool = True
    facts: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def model(self) -> str:
        """The name of the table's entry."""
        return self.entry.name


def _union(*names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))


def merged_values(
    one: Mapping[str, frozenset[str]], other: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    """Return the values by fact of two such mappings together."""
    return {
        fact: one.get(fact, frozenset()) | other.get(fact, frozenset())
        for fact in {**one, **other}
        if fact not in _UNPLACED
    }
