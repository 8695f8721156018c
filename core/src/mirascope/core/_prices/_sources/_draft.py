"""What a source of prices says of one model, before it is a table's entry."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

Steps: TypeAlias = dict[int, dict[str, Decimal]]
"""Prices by unit, for requests whose input is longer than the key; -1 is for all others."""
Tier: TypeAlias = tuple[str, str]
"""A fact and its value, such as `("service_tier", "flex")`."""
WHOLE: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Prices, and when they hold.

    Attributes:
        steps: the prices.
        start: the day from which they hold, or None.
        end: the day from which they no longer hold, or None.
        hours: the part of the day in which they hold, as `"16:30-00:30"`, or `""` for all of it.
        recorded: the day on which they were written down, where more is not known, or None.
        notes: why the price of a unit is not certain, by step and unit.
    """

    steps: Steps
    start: datetime.date | None = None
    end: datetime.date | None = None
    hours: str = ""
    recorded: datetime.date | None = None
    notes: Mapping[tuple[int, str], str] = field(default_factory=dict[tuple[int, str], str])

    def price(self, unit: str, above: int) -> Decimal | None:
        """Return the price of a unit in requests of a size, or None."""
        known = [step for step, prices in self.steps.items() if step <= above and unit in prices]
        return self.steps[max(known)][unit] if known else None

    def holds_on(self, day: datetime.date) -> bool:
        """Whether the prices hold on a day."""
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)


@dataclass(slots=True, kw_only=True)
class Draft:
    """What is known of one model.

    Attributes:
        aliases: its other names.
        prefixes: what still other names begin with.
        modifiers: the names of the factors that can apply.
        standard: the prices without any tier; later ones have the last word.
        tiers: the prices in each tier.
        source: where the prices are published, where the source says.
    """

    aliases: list[str] = field(default_factory=list[str])
    prefixes: list[str] = field(default_factory=list[str])
    modifiers: list[str] = field(default_factory=list[str])
    standard: list[Period] = field(default_factory=list[Period])
    tiers: dict[Tier, list[Period]] = field(default_factory=dict[Tier, list[Period]])
    source: str = ""

    def standard_on(self, day: datetime.date) -> Period:
        """Return the standard prices of a day, whatever the hour."""
        whole = [period for period in self.standard if not period.hours]
        return next((p for p in reversed(whole) if p.holds_on(day)), whole[0])

    def prices(self) -> Iterator[tuple[str, Decimal]]:
        """Every price that is known, with its unit."""
        for period in (*self.standard, *(p for tier in self.tiers.values() for p in tier)):
            for prices in period.steps.values():
                yield from prices.items()
