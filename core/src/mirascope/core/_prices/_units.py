"""What a price can be for: the disjoint units of usage, and which unit stands in for which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Unit:
    """Something that is counted and has a price.

    Attributes:
        name: its name in `Usage.counts` and in price tables.
        per: how many of it a price is for: a million tokens, a thousand of what has a fee.
        fallbacks: the units whose price holds where this one has none, the nearest first.
    """

    name: str
    per: int = 1_000_000
    fallbacks: tuple[str, ...] = ()

    @property
    def is_fee(self) -> bool:
        """Whether it is charged besides tokens: modifiers leave it alone, nothing stands in."""
        return self.per != 1_000_000


_MODALITIES: Final = ("audio", "image", "video")

TOKEN_TOTALS: Final = ("input", "cache_read", "cache_write", "output")
"""The units that every token belongs to; the narrower ones are parts of these."""

_TOKENS: Final = (
    Unit("input"),
    *(Unit(f"input_{kind}", fallbacks=("input",)) for kind in _MODALITIES),
    Unit("cache_read", fallbacks=("input",)),
    *(
        Unit(f"cache_read_{kind}", fallbacks=("cache_read", f"input_{kind}", "input"))
        for kind in _MODALITIES
    ),
    Unit("cache_write", fallbacks=("input",)),
    Unit("cache_write_1h", fallbacks=("cache_write", "input")),
    Unit("cache_write_12h", fallbacks=("cache_write", "input")),
    Unit("output"),
    *(Unit(f"output_{kind}", fallbacks=("output",)) for kind in _MODALITIES),
    Unit("output_reasoning", fallbacks=("output",)),
)
_FEES: Final = tuple(
    Unit(name, per=1000)
    for name in (
        *("web_search", "grounded_prompt", "file_search"),
        *("maps_query", "maps_prompt", "request"),
    )
)

UNITS: Final[Mapping[str, Unit]] = MappingProxyType({unit.name: unit for unit in _TOKENS + _FEES})
"""The units that every price table knows; a table can declare more."""

PER: Final = {size: Decimal(size) for size in (1_000_000, 1000, 1)}
"""What `Unit.per` can be, as decimals."""


def total_of(unit: str) -> str | None:
    """Return the total that a narrower unit is a part of, or None for what is not a part of one."""
    for total in ("cache_read", "cache_write", "input", "output"):
        if unit.startswith(f"{total}_"):
            return total
    return None
