"""Prices of your own, and which of all prices count for a call."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from .. import _observers
from .._errors import UsageError
from .._process import ProcessLock
from ._calculate import calculate_cost
from ._cost import Cost, decimal_of
from ._files import read_text
from ._table import PriceTable
from ._usage import Usage

ENVIRONMENT: Final = "MIRASCOPE_PRICES"
"""The environment variable that names price files, separated as in `PATH`."""


@dataclass(slots=True)
class _State:
    registered: dict[str, list[PriceTable]] = field(default_factory=dict[str, list[PriceTable]])
    discounts: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    is_strict: bool = False
    # By provider: what the table was made of, and the table.
    tables: dict[str, tuple[object, PriceTable]] = field(
        default_factory=dict[str, tuple[object, PriceTable]]
    )
    version: int = 0


_logger = logging.getLogger("mirascope.plugins")
_state = _State()
_lock = ProcessLock()
_files: dict[str, list[PriceTable]] = {}


def register(provider: str, prices: PriceTable | str | os.PathLike[str]) -> None:
    """Put prices over those of a provider; see `mirascope.core.prices.register`.

    Raises:
        UsageError: the file does not follow the format, or says that it is another provider's.
        OSError: the file can't be read.
    """
    table = prices if isinstance(prices, PriceTable) else _read(Path(prices))
    if table.provider and table.provider != provider:
        raise UsageError(f"these are prices of {table.provider!r}, not of {provider!r}")
    with _lock:
        _state.registered.setdefault(provider, []).append(table)
        _state.version += 1


def unregister(provider: str) -> None:
    """Forget every price and the discount that were registered for a provider."""
    with _lock:
        _state.registered.pop(provider, None)
        _state.discounts.pop(provider, None)
        _state.version += 1


def discount(provider: str, factor: Decimal | int | str) -> None:
    """Multiply a provider's prices; see `mirascope.core.prices.discount`.

    Raises:
        UsageError: the factor is not a number between 0 and 1.
    """
    given = decimal_of(factor)
    if given is None or not 0 <= given <= 1:
        raise UsageError(
            f"the discount of {provider!r} is {factor!r}, and must be what is left of the price: "
            '"0.9" for ten percent off'
        )
    with _lock:
        _state.discounts[provider] = given


def strict(enabled: bool = True) -> None:
    """Say whether an unknown price raises `UnknownPriceError` where it would be None."""
    _state.is_strict = enabled


@contextlib.contextmanager
def isolated() -> Generator[None]:
    """Within the block nothing is registered, and whatever is registered is forgotten after it."""
    global _state
    outer, _state = _state, _State()
    try:
        yield
    finally:
        _state = outer


def table_of(provider: str, bundled: PriceTable) -> PriceTable:
    """Return a provider's prices with everything over them that holds for the whole process.

    Args:
        provider: the provider's name.
        bundled: the prices that its package brings.

    Raises:
        UsageError: a file that the environment names can't be read or does not follow the format.
    """
    named = os.environ.get(ENVIRONMENT, "")
    state = _state
    registered = state.registered.get(provider)
    if not named and not registered:
        return bundled
    made_of = (id(bundled), named, state.version)
    known = state.tables.get(provider)
    if known is not None and known[0] == made_of:
        return known[1]
    table = bundled
    if named:
        # The file that is named first has the last word, as in PATH.
        for found in reversed(_named_tables(named)):
            if found.provider == provider:
                table = table.merged(found)
    for found in registered or ():
        table = table.merged(found)
    state.tables[provider] = (made_of, table)
    return table


def price(
    provider: str,
    usage: Usage,
    *,
    bundled: Callable[[], PriceTable],
    model: str,
    requested_model: str | None = None,
    final: bool = True,
    at: datetime.date | float | None = None,
    prices: PriceTable | None = None,
) -> Cost | None:
    """Return what a response cost by whichever prices count.

    They are, the first of them that knows the model: `prices`, a plugin's `mirascope_cost`, what
    the provider reports, `register`, the files that `MIRASCOPE_PRICES` names, the plugin's own
    (`bundled`, asked only where it counts).

    Raises:
        UsageError: a price file can't be used.
        UnknownPriceError: the price is not known and `strict` is on.
    """
    if prices is not None and (prices.match(model) or prices.match(requested_model or "")):
        return calculate_cost(
            replace(usage, reported_cost=None),
            prices,
            model=model,
            requested_model=requested_model,
            final=final,
            at=at,
            basis="override",
        )
    cost = _plugins_cost(provider, model, usage)
    if cost is not None:
        return cost
    return calculate_cost(
        usage,
        table_of(provider, bundled()),
        model=model,
        requested_model=requested_model,
        final=final,
        at=at,
        discount=_state.discounts.get(provider),
        strict=_state.is_strict,
    )


def _plugins_cost(provider: str, model: str, usage: Usage) -> Cost | None:
    """Ask the plugins for a cost; None where none of them has an opinion."""
    asked = _observers.answers("mirascope_cost", provider=provider, model=model, usage=usage)
    for plugin, cost in asked:
        if isinstance(cost, Cost):
            return cost
        _logger.error(
            "mirascope_cost of the %s returned %r, not a Cost: it is ignored", plugin, cost
        )
    return None


def call_prices(given: object) -> PriceTable | None:
    """Return what a call was given as `prices=`: a table, or prices by unit for any model.

    Raises:
        UsageError: it is neither.
    """
    if given is None or isinstance(given, PriceTable):
        return given
    if isinstance(given, Mapping) and given:
        row: Mapping[str, Any] = dict(given)  # pyright: ignore[reportUnknownArgumentType]
        return PriceTable.of_prices(row, "the call's own prices")
    raise UsageError(
        f'prices must be a PriceTable or prices by unit such as {{"input": 2, "output": 8}} (US '
        f"dollars per million tokens), not {given!r}"
    )


def _named_tables(named: str) -> list[PriceTable]:
    if named not in _files:
        _files[named] = [_named(path) for path in named.split(os.pathsep) if path]
    return _files[named]


def _named(path: str) -> PriceTable:
    try:
        table = _read(Path(path))
    except (OSError, ValueError) as error:
        raise UsageError(f"{ENVIRONMENT}: {path!r} can't be used: {error}") from error
    if not table.provider:
        raise UsageError(f'{ENVIRONMENT}: {path!r} does not say whose they are: provider = "…"')
    return table


def _read(path: Path) -> PriceTable:
    return PriceTable.from_toml(read_text(path), str(path))
