"""Reading price tables: from TOML to `PriceTable`, with every fault of the document."""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeVar, cast

from .._errors import UsageError
from ._entries import NEVER, STALE_AFTER_DAYS, ModelPrices, merged_values
from ._lines import Path, line_of, lines_of
from ._names import Spelling
from ._rows import (
    Attempt,
    Conditions,
    Modifier,
    PriceRow,
    parse_conditions,
    parse_price,
    parse_row,
    timestamp,
)
from ._units import PER, UNITS, Unit

TableT = TypeVar("TableT")
_KEYS: Final = frozenset(
    {
        *("schema", "provider", "updated", "stale_after_days", "currency", "source", "sources"),
        *("strip_prefixes", "same_price", "hosts", "spellings", "units", "modifiers", "models"),
    }
)
_MODEL_KEYS: Final = frozenset(
    {"aliases", "prefixes", "modifiers", "prices", "extends", "source", "note"}
)
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that keeps a document from being a price table.

    Attributes:
        path: where it stands.
        message: what it is, with the place in words.
        line: the line, where it has no path.
    """

    path: Path
    message: str
    line: int = 0


def read_table(text: str, origin: str, make: Callable[..., TableT]) -> TableT:
    """Read a table.

    Args:
        text: the TOML document.
        origin: where it comes from, for errors.
        make: makes a `PriceTable` of its fields.

    Raises:
        UsageError: the text does not follow the format; the message has the first fault and
            its line.
    """
    table, faults = read_leniently(text, origin, make)
    if table is None or faults:
        first = faults[0]
        line = first.line or line_of(lines_of(text), first.path)
        place = f" (at line {line})" if line and f"at line {line}" not in first.message else ""
        raise UsageError(f"{first.message}{place}")
    return table


def read_leniently(
    text: str, origin: str, make: Callable[..., TableT]
) -> tuple[TableT | None, list[Fault]]:
    """Return the table as far as it can be read, and all that is wrong with the document."""
    import tomllib

    where = f"{origin}: prices.toml"
    try:
        # An editor's byte order mark is not a part of the document.
        document = tomllib.loads(text.removeprefix("\ufeff"), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else 0
        return None, [Fault((), f"{where} is not TOML: {error}", line)]
    except RecursionError:
        line = _first_line(r"[\[{]{50}|(?:\.\w+){50}", text)
        return None, [Fault((), f"{where} nests values too deeply", line)]
    except (ValueError, ArithmeticError) as error:
        # tomllib lets these pass: a number of thousands of digits, a date that does not exist.
        line = _first_line(r"\d{1000}|[eE][+-]?\d{5}", text)
        return None, [Fault((), f"{where} can't be read: {error}", line)]
    reader = _Reader(origin, where)
    return reader.table(document, make), reader.faults


def _first_line(pattern: str, text: str) -> int:
    """Return the line of the first place that a pattern matches, or 0; tomllib tells none."""
    found = re.search(pattern, text)
    return 0 if found is None else text.count("\n", 0, found.start()) + 1


@dataclass(slots=True)
class _Reader:
    """Reads one document, and goes on behind each fault."""

    origin: str
    where: str
    faults: list[Fault] = field(default_factory=list[Fault])

    def table(self, document: Mapping[str, Any], make: Callable[..., TableT]) -> TableT | None:
        if unknown := document.keys() - _KEYS:
            self._fault((min(unknown),), f"{self.where} has unknown keys: {_listed(unknown)}")
        if document.get("schema") != 1 or document.get("currency", "USD") != "USD":
            self._fault((), f'{self.where} must have schema = 1 and currency = "USD"')
        units = self._units(self._object(document, "units"))
        modifiers = self._modifiers(self._object(document, "modifiers"))
        checked, stale_from = self._checked(document)
        models: dict[str, ModelPrices] = {}
        for name, entry in self._object(document, "models").items():
            models[name] = self._model(name, entry, units, modifiers, checked, stale_from)
        places: dict[str, frozenset[str]] = {}
        for modifier in modifiers.values():
            places = merged_values(places, dict(modifier.when))
        updated, source = document.get("updated"), document.get("source")
        try:
            return make(
                provider=str(document.get("provider", "")),
                updated=None if updated is None else str(updated),
                source=None if source is None else str(source),
                models=models,
                strip_prefixes=self._names(document, "strip_prefixes", self.where),
                same_price=frozenset(self._names(document, "same_price", self.where)),
                hosts={k: str(v) for k, v in self._object(document, "hosts").items()},
                spellings=self._spellings(document.get("spellings", [])),
                sources=self._sources(self._object(document, "sources")),
                places=places,
            )
        except UsageError as error:
            named = next((n for n in models if repr(n) in str(error).rpartition(" and in ")[2]), "")
            self._fault(("models", named), str(error))
            return None

    def _model(
        self,
        name: str,
        given: Any,
        units: Mapping[str, Unit],
        modifiers: Mapping[str, Modifier],
        checked: float,
        stale_from: float,
    ) -> ModelPrices:
        where, path = f"{self.where}: {name}", ("models", name)
        entry: dict[str, Any] = {"prices": [{}]}
        if isinstance(given, dict):
            entry = cast("dict[str, Any]", given)
        else:
            self._fault(path, f"{where} is {given!r}, and must be a table")
        if unknown := entry.keys() - _MODEL_KEYS:
            self._fault((*path, min(unknown)), f"{where} has unknown keys: {_listed(unknown)}")
        rows = entry.get("prices")
        if not isinstance(rows, list) or not rows:
            self._fault(path, f"{where}: prices must be a list of at least one row")
            rows = []
        extends = entry.get("extends", False)
        if not isinstance(extends, bool):
            message = f"{where}: extends is {extends!r}, and must be true or false"
            self._fault((*path, "extends"), message)
        used: list[Modifier] = []
        for modifier in self._names(entry, "modifiers", where, path):
            if modifier in modifiers:
                used.append(modifiers[modifier])
            else:
                message = f"{where}: there is no modifier {modifier!r}"
                self._fault((*path, "modifiers"), message)
        parsed: list[PriceRow] = []
        for number, row in enumerate(cast("list[Any]", rows), 1):
            place = (*path, "prices", number)
            try:
                parsed.append(parse_row(units, row, f"{where}: row {number}", self._attempt(place)))
            except UsageError as error:
                self._fault(place, str(error))
        return ModelPrices(
            name=name,
            rows=tuple(parsed),
            modifiers=tuple(used),
            names=(name, *self._names(entry, "aliases", where, path)),
            prefixes=self._names(entry, "prefixes", where, path),
            units=units,
            extends=extends is True,
            origin=self.origin,
            checked=checked,
            stale_from=stale_from,
        )

    def _checked(self, document: Mapping[str, Any]) -> tuple[float, float]:
        """Return when the prices were checked, and from when on they are too old."""
        updated, days = document.get("updated"), document.get("stale_after_days", STALE_AFTER_DAYS)
        if isinstance(days, bool) or not isinstance(days, int) or days < 1:
            message = f"{self.where}: stale_after_days is {days!r}, and must be a number of days"
            self._fault(("stale_after_days",), message)
            days = STALE_AFTER_DAYS
        if isinstance(updated, str):
            # As text it is not a date of TOML's; most people's editors will not tell them.
            with contextlib.suppress(ValueError):
                updated = datetime.date.fromisoformat(updated)
        if updated is None:
            return 0.0, NEVER
        if not isinstance(updated, datetime.date):
            message = f"{self.where}: updated is {updated!r}, and must be a date such as 2026-01-31"
            self._fault(("updated",), message)
            return 0.0, NEVER
        checked = timestamp(updated)
        return checked, checked + days * _DAY

    def _units(self, given: Mapping[str, Any]) -> Mapping[str, Unit]:
        if not given:
            return UNITS
        units = dict(UNITS)
        for name, entry in given.items():
            place, path = f"{self.where}: units.{name}", ("units", name)
            table = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {"": entry}
            if name in UNITS or table.keys() - {"per", "fallback"}:
                self._fault(
                    path,
                    f"{place}: a unit has a name of its own, and of the keys per and fallback "
                    "nothing else",
                )
                continue
            per, fallback = table.get("per", 1_000_000), table.get("fallback")
            if per not in PER or isinstance(per, bool):
                self._fault(path, f"{place}: per is {per!r}: it is one of {list(PER)}")
                per = 1_000_000
            if fallback is not None and fallback not in units:
                self._fault(path, f"{place}: there is no unit {fallback!r}")
                fallback = None
            chain = () if fallback is None else (fallback, *units[fallback].fallbacks)
            units[name] = Unit(name, per, chain)
        return units

    def _modifiers(self, given: Mapping[str, Any]) -> dict[str, Modifier]:
        modifiers: dict[str, Modifier] = {}
        for name, entry in given.items():
            place, path = f"{self.where}: modifiers.{name}", ("modifiers", name)
            if not isinstance(entry, dict):
                self._fault(path, f"{place} is {entry!r}, and must be a table")
                continue
            table = cast("dict[str, Any]", entry)
            if unknown := table.keys() - {"when", "factor", "source"}:
                self._fault(path, f"{place} has unknown keys: {_listed(unknown)}")
            attempt = self._attempt(path)
            when: Conditions = ()
            when = attempt(parse_conditions, table.get("when"), f"{place}: when", when)
            factor = attempt(parse_price, table.get("factor"), f"{place}: factor", Decimal(1))
            modifiers[name] = Modifier(name=name, when=when, factor=factor)
        return modifiers

    def _sources(self, given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for name, value in given.items():
            names: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [None]
            if not all(isinstance(item, str) for item in names):
                message = f"{self.where}: sources: {name} is {value!r}, and must be a list of text"
                self._fault(("sources",), message)
                continue
            found[name] = tuple(names)
        return found

    def _spellings(self, given: Any) -> tuple[Spelling, ...]:
        spellings: list[Spelling] = []
        entries = cast("list[Any]", given if isinstance(given, list) else [given])
        for number, entry in enumerate(entries, 1):
            place, path = f"{self.where}: spellings: {number}", ("spellings", number)
            table = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
            facts = table.get("facts", {})
            try:
                pattern = re.compile(str(table.get("pattern", "")))
            except re.error as error:
                self._fault(path, f"{place}: the pattern is not a regular expression: {error}")
                continue
            if (
                "model" not in pattern.groupindex
                or table.keys() - {"pattern", "facts"}
                or not isinstance(facts, dict)
            ):
                self._fault(
                    path,
                    f"{place} must have a pattern with a group 'model', and of other keys only "
                    "facts",
                )
                continue
            given_facts = cast("dict[str, Any]", facts)
            spellings.append(Spelling(pattern, {k: str(v) for k, v in given_facts.items()}))
        return tuple(spellings)

    def _object(self, document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = document.get(key, {})
        if not isinstance(value, dict):
            self._fault((key,), f"{self.where}: {key} is {value!r}, and must be a table")
            return {}
        return cast("dict[str, Any]", value)

    def _names(
        self, table: Mapping[str, Any], key: str, where: str, path: Path = ()
    ) -> tuple[str, ...]:
        value = table.get(key, [])
        names: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [None]
        if not all(isinstance(name, str) and name for name in names):
            message = f"{where}: {key} is {value!r}, and must be a list of names"
            self._fault((*path, key), message)
            return ()
        return tuple(names)

    def _attempt(self, path: Path) -> Attempt:
        def attempt(parse: Any, value: Any, what: str, default: Any) -> Any:
            try:
                return parse(value, what)
            except UsageError as error:
                self._fault(path, str(error))
                return default

        return attempt

    def _fault(self, path: Path, message: str) -> None:
        self.faults.append(Fault(path, message))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
