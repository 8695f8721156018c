r"""Price tables: what a unit costs, read from a plugin's `prices.toml`.

The format::

    schema = 1
    provider = "acme"
    updated = 2026-11-22            # when the prices were last checked
    stale_after_days = 180          # later requests are priced with a note; this is the default
    currency = "USD"
    source = "https://acme.example/pricing"
    sources = { litellm = ["acme/"] }  # where `mirascope prices update` finds it in others' data
    strip_prefixes = ["acme/"]      # accepted in front of a model's name
    same_price = ["input_image"]    # costs what the broader unit does, unless a row says

    [hosts]                         # servers that are not the provider's own, by the fact `host`
    cloud = "its regions cost more" # why a cost is not exact there; "" where it is

    [[spellings]]                   # how a platform names the models; groups become facts
    pattern = '(?P<region>[a-z]+)\.acme\\\\.(?P<model>.+)'
    facts = { platform = "cloud" }

    [modifiers.eu]                  # a factor on the prices of tokens; several multiply
    when = { region = "eu" }        # facts of the response, each with a value or a list
    factor = 1.1

    [models."acme-large"]
    aliases = ["acme-large-latest"]
    prefixes = ["acme-large-2"]     # dated snapshots; the longest declared prefix wins
    modifiers = ["eu"]
    prices = [                      # a later row that holds overrides earlier ones, by unit
        { input = 2.5, cache_read = 1.25, output = 10, web_search = 10 },
        { above = 200000, input = 5, cache_read = 2.5, output = 15 },
        { when = { service_tier = "flex" }, input = 1.25, output = 5, recorded = 2026-10-12 },
        { from = 2027-01-01, output = 12, note = "announced" },
    ]

Tokens are priced per million, fees per thousand. Numbers are read as exact decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from .._errors import UsageError
from ._entries import Match, ModelPrices, merged_values
from ._names import DATED, UNKNOWN, Spelling, continues
from ._reading import read_table
from ._rows import parse_row
from ._units import UNITS

__all__ = ["UNITS", "Match", "ModelPrices", "PriceTable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """The prices of one provider's models.

    Attributes:
        provider: whose prices these are.
        updated: when they were last checked (ISO date), or None.
        source: where they are published, or None.
        free: whether everything costs nothing, such as a model that runs in the process.
        lack: what is said, once, where a table without any price is asked for one; `""` where that
            is no surprise.
        models: the entries, by name.
        strip_prefixes: what is accepted in front of a model's name.
        same_price: the units whose price is that of the broader one where a model has no other.
        hosts: why the prices may not hold at a server that is not the provider's own, by the fact
            `host`; `""` where they do.
        spellings: other ways to write a model's name.
        sources: where the provider stands in the public data of others: its names in genai-prices,
            what stands in front of its models in litellm.
        any_model: the prices of every model there is, or None.
        places: every value of the facts that modifiers are for, by fact.
    """

    provider: str
    updated: str | None = None
    source: str | None = None
    free: bool = False
    lack: str = ""
    models: Mapping[str, ModelPrices] = field(default_factory=dict[str, ModelPrices])
    strip_prefixes: tuple[str, ...] = ()
    same_price: frozenset[str] = frozenset()
    hosts: Mapping[str, str] = field(default_factory=dict[str, str])
    spellings: tuple[Spelling, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    any_model: ModelPrices | None = None
    places: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
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
                if by_name.setdefault(name, entry) is not entry:
                    raise UsageError(
                        f"{entry.origin or self.provider}: prices.toml has {name!r} twice: in "
                        f"{by_name[name].name!r} and in {entry.name!r}"
                    )
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
    def from_package(cls, package: str, file: str = "prices.toml") -> PriceTable:
        """Read the prices of an installed package.

        Args:
            package: the package.
            file: the file in it.

        Raises:
            UsageError: the file does not follow the format.
        """
        from importlib.resources import files

        origin = package if file == "prices.toml" else f"{package}/{file}"
        return cls.from_toml(files(package).joinpath(file).read_text("utf-8"), origin)

    @classmethod
    def from_toml(cls, text: str, origin: str) -> Self:
        """Read a table.

        Args:
            text: the TOML document.
            origin: where it comes from, for errors.

        Raises:
            UsageError: the text does not follow the format.
        """
        return read_table(text, origin, cls)

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
        entry = ModelPrices(name="", rows=(parse_row(UNITS, exact, origin),), origin=origin)
        return cls(provider="", any_model=entry)

    def match(self, model: str) -> Match | None:
        """Return the prices for a model's name, or None where the table has none.

        A name is found as it is, by the longest declared prefix of it, or without the date or
        version at its end; never because it merely resembles another one. Upper and lower case are
        the same.
        """
        if self.any_model is not None:
            return Match(self.any_model)
        for prefix in self.strip_prefixes:
            model = model.removeprefix(prefix)
        if (entry := self._by_name.get(model)) is not None:
            return Match(entry)
        for spelling in self.spellings:
            if (read := spelling.read(model)) is not None:
                found = self._found(read[0])
                return None if found is None else replace(found, facts=read[1])
        return self._found(model)

    def _found(self, model: str) -> Match | None:
        for name in dict.fromkeys((model, model.lower())):
            if (entry := self._by_name.get(name)) is not None:
                return Match(entry)
            for prefix, entry in self._by_prefix:
                if name.startswith(prefix) and (same := continues(prefix, name)) is not None:
                    return Match(entry, exact=same)
            undated = DATED.sub("", name)
            if undated != name and (entry := self._by_name.get(undated)) is not None:
                return Match(entry, exact=False)
        return None

    def host_note(self, host: str) -> str:
        """Return why the prices may not be those of a response; `""` where they are.

        Args:
            host: the fact `host`: whose server answered, where that is not the provider's own.
        """
        if host in self.hosts:
            return self.hosts[host]
        whose = f"the prices are those of {self.provider}"
        if host == UNKNOWN:
            return f"which server answered is not known: {whose}"
        return f"another server than the provider's own answered: {whose}"

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
            same_price=self.same_price | over.same_price,
            hosts={**self.hosts, **over.hosts},
            spellings=(*over.spellings, *self.spellings),
            sources={**self.sources, **over.sources},
            places=merged_values(self.places, over.places),
        )


def _decimal(price: Any) -> Any:
    try:
        return Decimal(price) if isinstance(price, str) else price
    except InvalidOperation:
        return price
