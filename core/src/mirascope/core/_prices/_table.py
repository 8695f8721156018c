"""Price tables: what a unit costs, read from a plugin's `prices.toml`.

The format::

    schema = 1
    provider = "acme"
    updated = 2026-11-22            # when the prices were last checked
    currency = "USD"
    source = "https://acme.example/pricing"
    strip_prefixes = ["acme/"]      # accepted in front of a model's name

    [modifiers.eu]                  # a factor on the prices of tokens; several multiply
    when = { region = "eu" }        # facts of the response, each with a value or a list
    factor = 1.1

    [models."acme-large"]
    aliases = ["acme-large-latest"]
    prefixes = ["acme-large-2"]     # dated snapshots; the longest declared prefix wins
    modifiers = ["eu"]
    prices = [                      # a later row that holds overrides an earlier one, unit by unit
        { input = 2.5, cache_read = 1.25, output = 10, web_search = 10 },
        { above = 200000, input = 5, cache_read = 2.5, output = 15 },
        { when = { service_tier = "flex" }, input = 1.25, output = 5 },
        { from = 2027-01-01, output = 12 },
    ]

Tokens are priced per million, fees per thousand. Numbers are read as exact decimals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Self, cast

from .._errors import UsageError
from ._rows import Modifier, PriceRow, parse_conditions, parse_price, parse_row
from ._units import PER, UNITS, Unit

__all__ = ["UNITS", "Match", "ModelPrices", "PriceTable"]

_DATE: Final = re.compile(r"(?:-\d{4}-\d{2}-\d{2}|-\d{8}|@[\w-]+|-00\d)$")
_KEYS: Final = frozenset(
    {
        *("schema", "provider", "updated", "currency", "source", "strip_prefixes"),
        *("units", "modifiers", "models"),
    }
)
_MODEL_KEYS: Final = frozenset(
    {"aliases", "prefixes", "modifiers", "prices", "extends", "source", "note"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrices:
    """The prices of one model.

    Attributes:
        name: the name of the table's entry.
        rows: the prices and when they hold.
        modifiers: the factors that can apply.
        names: the names that are just this model.
        prefixes: what other names of it begin with.
        conditions: every value of a fact that some row or modifier is for.
        units: the units that the table knows.
        extends: whether the rows come after those of the table that this one overrides.
        origin: the file or package that the entry was read from.
        is_override: whether the prices are not those of the provider's own list.
    """

    name: str
    rows: tuple[PriceRow, ...]
    modifiers: tuple[Modifier, ...] = ()
    names: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    conditions: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    units: Mapping[str, Unit] = field(default_factory=lambda: UNITS)
    extends: bool = False
    origin: str = ""
    is_override: bool = False

    def prices(self, facts: Mapping[str, str], input_tokens: int, at: float) -> dict[str, Decimal]:
        """Return the prices that hold for an inference.

        Args:
            facts: how the request was served.
            input_tokens: the whole input of this one inference, caches included.
            at: when the request was sent (seconds since 1970).
        """
        prices: dict[str, Decimal] = {}
        for row in self.rows:
            if row.holds(facts, input_tokens, at):
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
            names=tuple(dict.fromkeys((*other.names, *self.names))),
            prefixes=tuple(dict.fromkeys((*other.prefixes, *self.prefixes))),
            conditions=_conditions(rows, modifiers),
            units={**other.units, **self.units},
            extends=False,
            is_override=True,
        )


@dataclass(frozen=True, slots=True)
class Match:
    """The prices of a model that was looked up.

    Attributes:
        entry: the table's entry.
        exact: False where the name was matched by leaving its date or version away.
    """

    entry: ModelPrices
    exact: bool = True

    @property
    def model(self) -> str:
        """The name of the table's entry."""
        return self.entry.name


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """The prices of one provider's models.

    Attributes:
        provider: whose prices these are.
        updated: when they were last checked (ISO date), or None.
        source: where they are published, or None.
        free: whether everything costs nothing, such as a model that runs in the process.
        models: the entries, by name.
        strip_prefixes: what is accepted in front of a model's name.
        any_model: the prices of every model there is, or None.
    """

    provider: str
    updated: str | None = None
    source: str | None = None
    free: bool = False
    models: Mapping[str, ModelPrices] = field(default_factory=dict[str, ModelPrices])
    strip_prefixes: tuple[str, ...] = ()
    any_model: ModelPrices | None = None
    _by_name: Mapping[str, ModelPrices] = field(
        default_factory=dict[str, ModelPrices], init=False, repr=False, compare=False
    )
    _by_prefix: tuple[tuple[str, ModelPrices], ...] = field(
        default=(), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        by_name: dict[str, ModelPrices] = {}
        by_prefix: list[tuple[str, ModelPrices]] = []
        for entry in self.models.values():
            for name in entry.names:
                if name in by_name:
                    raise UsageError(
                        f"{entry.origin or self.provider}: prices.toml has {name!r} twice: in "
                        f"{by_name[name].name!r} and in {entry.name!r}"
                    )
                by_name[name] = entry
            by_prefix += [(prefix, entry) for prefix in entry.prefixes]
        by_prefix.sort(key=lambda item: -len(item[0]))
        object.__setattr__(self, "_by_name", by_name)
        object.__setattr__(self, "_by_prefix", tuple(by_prefix))

    def __bool__(self) -> bool:
        return self.free or bool(self.models) or self.any_model is not None

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
        from importlib.resources import files

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
        import tomllib

        try:
            document = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{origin}: prices.toml is no TOML: {error}") from error
        return cls._from_document(document, origin)

    @classmethod
    def of_prices(cls, prices: Mapping[str, Any], origin: str) -> Self:
        """A table of one row, whatever the model: US dollars by unit.

        Args:
            prices: `{"input": 2, "output": "0.5", …}`; numbers, or decimals as text.
            origin: where the prices come from, for errors.

        Raises:
            UsageError: the prices do not follow the format.
        """
        exact = {unit: _decimal(price) for unit, price in prices.items()}
        entry = ModelPrices(name="", rows=(parse_row(exact, UNITS, origin),), origin=origin)
        return cls(provider="", any_model=entry)

    @classmethod
    def _from_document(cls, document: Mapping[str, Any], origin: str) -> Self:
        where = f"{origin}: prices.toml"
        if unknown := document.keys() - _KEYS:
            raise UsageError(f"{where} has unknown keys: {', '.join(sorted(unknown))}")
        if document.get("schema") != 1 or document.get("currency", "USD") != "USD":
            raise UsageError(f'{where} must have schema = 1 and currency = "USD"')
        units = _units(_table(document.get("units", {}), f"{where}: units"), where)
        modifiers = _modifiers(_table(document.get("modifiers", {}), f"{where}: modifiers"), where)
        models = {
            name: _model(name, entry, units, modifiers, origin)
            for name, entry in _table(document.get("models", {}), f"{where}: models").items()
        }
        updated, source = document.get("updated"), document.get("source")
        return cls(
            provider=str(document.get("provider", "")),
            updated=None if updated is None else str(updated),
            source=None if source is None else str(source),
            models=models,
            strip_prefixes=_names(document.get("strip_prefixes", []), f"{where}: strip_prefixes"),
        )

    def match(self, model: str) -> Match | None:
        """Return the prices for a model's name, or None where the table has none.

        A name is found as it is, by the longest declared prefix of it, or without the date or
        version at its end; never because it merely resembles another one.
        """
        if self.any_model is not None:
            return Match(self.any_model)
        for prefix in self.strip_prefixes:
            model = model.removeprefix(prefix)
        if (entry := self._by_name.get(model)) is not None:
            return Match(entry)
        for prefix, entry in self._by_prefix:
            if model.startswith(prefix):
                return Match(entry)
        undated = _DATE.sub("", model)
        if undated != model and (entry := self._by_name.get(undated)) is not None:
            return Match(entry, exact=False)
        return None

    def merged(self, over: PriceTable) -> PriceTable:
        """Return this table with another one's models over it, one by one."""
        taken = {alias: name for name, entry in over.models.items() for alias in entry.names}

        def left(name: str, entry: ModelPrices) -> ModelPrices:
            names = tuple(alias for alias in entry.names if taken.get(alias, name) == name)
            return entry if names == entry.names else replace(entry, names=names)

        models = {name: left(name, entry) for name, entry in self.models.items()}
        for name, entry in over.models.items():
            if name in models:
                entry = entry.over(models[name])
            elif (alias := self._by_name.get(name)) is not None:
                # An alias that is given prices of its own can begin with the shared ones.
                entry = entry.over(replace(alias, names=(), prefixes=()))
            models[name] = replace(entry, is_override=True)
        return PriceTable(
            provider=self.provider or over.provider,
            updated=over.updated or self.updated,
            source=over.source or self.source,
            free=self.free and not over.models,
            models=models,
            strip_prefixes=tuple(dict.fromkeys((*self.strip_prefixes, *over.strip_prefixes))),
        )


def _model(
    name: str,
    entry: Any,
    units: Mapping[str, Unit],
    modifiers: Mapping[str, Modifier],
    origin: str,
) -> ModelPrices:
    where = f"{origin}: prices.toml: {name}"
    table = _table(entry, where)
    if unknown := table.keys() - _MODEL_KEYS:
        raise UsageError(f"{where} has unknown keys: {', '.join(sorted(unknown))}")
    given = table.get("prices")
    if not isinstance(given, list) or not given:
        raise UsageError(f"{where}: prices must be a list of at least one row")
    extends = table.get("extends", False)
    if not isinstance(extends, bool):
        raise UsageError(f"{where}: extends is {extends!r}, and must be true or false")
    used: list[Modifier] = []
    for modifier in _names(table.get("modifiers", []), f"{where}: modifiers"):
        if modifier not in modifiers:
            raise UsageError(f"{where}: there is no modifier {modifier!r}")
        used.append(modifiers[modifier])
    rows = tuple(
        parse_row(row, units, f"{where}: row {number}")
        for number, row in enumerate(cast("list[Any]", given), 1)
    )
    return ModelPrices(
        name=name,
        rows=rows,
        modifiers=tuple(used),
        names=(name, *_names(table.get("aliases", []), f"{where}: aliases")),
        prefixes=_names(table.get("prefixes", []), f"{where}: prefixes"),
        conditions=_conditions(rows, used),
        units=units,
        extends=extends,
        origin=origin,
    )


def _units(given: Mapping[str, Any], where: str) -> Mapping[str, Unit]:
    if not given:
        return UNITS
    units = dict(UNITS)
    for name, entry in given.items():
        table = _table(entry, f"{where}: units.{name}")
        if name in UNITS or table.keys() - {"per", "fallback"}:
            raise UsageError(
                f"{where}: units.{name}: a unit has a name of its own, and of the keys per and "
                "fallback nothing else"
            )
        per, fallback = table.get("per", 1_000_000), table.get("fallback")
        if per not in PER or isinstance(per, bool):
            raise UsageError(f"{where}: units.{name}: per is {per!r}: it is one of {list(PER)}")
        if fallback is not None and fallback not in units:
            raise UsageError(f"{where}: units.{name}: there is no unit {fallback!r}")
        chain = () if fallback is None else (fallback, *units[fallback].fallbacks)
        units[name] = Unit(name, per, chain)
    return units


def _modifiers(given: Mapping[str, Any], where: str) -> dict[str, Modifier]:
    modifiers: dict[str, Modifier] = {}
    for name, entry in given.items():
        place = f"{where}: modifiers.{name}"
        table = _table(entry, place)
        if unknown := table.keys() - {"when", "factor", "source"}:
            raise UsageError(f"{place} has unknown keys: {', '.join(sorted(unknown))}")
        modifiers[name] = Modifier(
            name=name,
            when=parse_conditions(table.get("when"), f"{place}: when"),
            factor=parse_price(table.get("factor"), f"{place}: factor"),
        )
    return modifiers


def _conditions(
    rows: Iterable[PriceRow], modifiers: Iterable[Modifier]
) -> dict[str, frozenset[str]]:
    conditions: dict[str, frozenset[str]] = {}
    for when in (*(row.when for row in rows), *(modifier.when for modifier in modifiers)):
        for name, values in when:
            conditions[name] = conditions.get(name, frozenset()) | values
    return conditions


def _decimal(price: Any) -> Any:
    try:
        return Decimal(price) if isinstance(price, str) else price
    except InvalidOperation:
        return price


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{where} is {value!r}, and must be a table")
    return cast("dict[str, Any]", value)


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(
        isinstance(name, str) and name for name in cast("list[Any]", value)
    ):
        raise UsageError(f"{where} is {value!r}, and must be a list of names")
    return tuple(cast("list[str]", value))
