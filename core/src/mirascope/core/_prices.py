"""Price tables: what a unit costs, read from a plugin's `prices.toml`.

The format::

    schema = 1
    provider = "acme"
    updated = 2026-11-22            # when the prices were last checked
    currency = "USD"
    source = "https://acme.example/pricing"
    strip_prefixes = ["acme/"]      # accepted in front of a model's name

    [models."acme-large"]
    aliases = ["acme-large-latest"]
    prefixes = ["acme-large-2"]     # dated snapshots; the longest declared prefix wins
    prices = [{ input = 2.5, cache_read = 1.25, output = 10 }]   # US dollars per million tokens

Numbers are read as exact decimals.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final, Self, cast

from ._errors import UsageError

UNITS: Final = ("input", "cache_read", "cache_write", "output")
"""What a price can be for: the disjoint units of `Usage.counts`."""

_FALLBACKS: Final = {"cache_read": "input", "cache_write": "input"}
_DATE: Final = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8})$")


@dataclass(frozen=True, slots=True)
class Match:
    """The price row for a model.

    Attributes:
        model: the name of the table's entry.
        prices: US dollars per million tokens, by unit.
        exact: False where the name was matched by leaving its date away.
    """

    model: str
    prices: Mapping[str, Decimal]
    exact: bool = True

    def price(self, unit: str) -> Decimal | None:
        """Return the price of a million of `unit`; without one of its own, the broader unit's."""
        price = self.prices.get(unit)
        if price is None and (broader := _FALLBACKS.get(unit)):
            return self.prices.get(broader)
        return price


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """The prices of one provider's models.

    Attributes:
        provider: whose prices these are.
        updated: when they were last checked (ISO date), or None.
        free: whether everything costs nothing, such as a model that runs in the process.
    """

    provider: str
    updated: str | None = None
    free: bool = False
    _by_name: Mapping[str, Match] = field(default_factory=dict[str, Match])
    _by_prefix: tuple[tuple[str, Match], ...] = ()
    _strip: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.free or bool(self._by_name)

    @classmethod
    def empty(cls, provider: str) -> Self:
        """A table that knows no model."""
        return cls(provider=provider)

    @classmethod
    def from_package(cls, package: str) -> Self:
        """Read `prices.toml` of an installed package.

        Raises:
            UsageError: the file does not follow the format.
        """
        return cls.from_toml((files(package) / "prices.toml").read_text("utf-8"), package)

    @classmethod
    def from_toml(cls, text: str, origin: str) -> Self:
        """Read a table.

        Args:
            text: the TOML document.
            origin: where it comes from, for errors.

        Raises:
            UsageError: the text does not follow the format.
        """
        try:
            document = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{origin}: prices.toml is no TOML: {error}") from error
        known = {"schema", "provider", "updated", "currency", "source", "strip_prefixes", "models"}
        if unknown := document.keys() - known:
            raise UsageError(
                f"{origin}: prices.toml has unknown keys: {', '.join(sorted(unknown))}"
            )
        if document.get("schema") != 1 or document.get("currency", "USD") != "USD":
            raise UsageError(f'{origin}: prices.toml must have schema = 1 and currency = "USD"')
        by_name: dict[str, Match] = {}
        by_prefix: list[tuple[str, Match]] = []
        for name, entry in document.get("models", {}).items():
            match = Match(name, _row(entry, f"{origin}: prices.toml: {name}"))
            for alias in (name, *entry.get("aliases", ())):
                if alias in by_name:
                    raise UsageError(f"{origin}: prices.toml has {alias!r} twice")
                by_name[alias] = match
            by_prefix += [(prefix, match) for prefix in entry.get("prefixes", ())]
        by_prefix.sort(key=lambda item: -len(item[0]))
        updated = document.get("updated")
        return cls(
            provider=str(document.get("provider", "")),
            updated=None if updated is None else str(updated),
            _by_name=by_name,
            _by_prefix=tuple(by_prefix),
            _strip=tuple(document.get("strip_prefixes", ())),
        )

    def match(self, model: str) -> Match | None:
        """Return the prices for a model's name, or None where the table has none."""
        for prefix in self._strip:
            model = model.removeprefix(prefix)
        if (match := self._by_name.get(model)) is not None:
            return match
        for prefix, match in self._by_prefix:
            if model.startswith(prefix):
                return match
        undated = _DATE.sub("", model)
        if undated != model and (match := self._by_name.get(undated)) is not None:
            return Match(match.model, match.prices, exact=False)
        return None


def _row(entry: Any, where: str) -> dict[str, Decimal]:
    if not isinstance(entry, dict):
        raise UsageError(f"{where} is no table")
    table = cast("dict[str, Any]", entry)
    if unknown := table.keys() - {"aliases", "prefixes", "prices"}:
        raise UsageError(f"{where} has unknown keys: {', '.join(sorted(unknown))}")
    rows = table.get("prices")
    if not isinstance(rows, list) or len(cast("list[Any]", rows)) != 1:
        raise UsageError(f"{where}: prices must be a list of one row")
    row = cast("dict[str, Any]", rows[0])
    if unknown := row.keys() - set(UNITS):
        raise UsageError(f"{where} has prices for unknown units: {', '.join(sorted(unknown))}")
    prices: dict[str, Decimal] = {}
    for unit, price in row.items():
        if isinstance(price, bool) or not isinstance(price, (int, Decimal)) or price < 0:
            raise UsageError(f"{where}: the price of {unit} is {price!r}")
        prices[unit] = Decimal(price)
    return prices
