"""`mirascope models`: which models are known, and what they cost."""

from __future__ import annotations

import datetime
import sys
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ._json import format_json
from ._output import note, printable, write_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mirascope.core import PriceTable

_PRICES: Final = 30
"""What the two columns with prices take of the screen, with what stands between them."""


class ModelsFormat(StrEnum):
    """How the models are listed."""

    TEXT = "text"
    JSON = "json"


def models(
    query: Annotated[
        list[str] | None,
        typer.Option(
            "--query",
            "-q",
            metavar="TEXT",
            help="Only models whose name has TEXT in it. May be repeated: all of them are.",
        ),
    ] = None,
    form: Annotated[
        ModelsFormat, typer.Option("--format", help="A table, or a JSON array.")
    ] = ModelsFormat.TEXT,
) -> None:
    """List the known models of all installed providers, with today's prices.

    Prices are US dollars per million tokens. A provider answers for more models than these; any
    name can be given to 'mirascope run -m'.
    """
    words = [word.lower() for word in query or []]
    found = [model for model in _known() if all(word in model["model"].lower() for word in words)]
    if form is ModelsFormat.JSON:
        write_line(format_json(found))
    elif not found:
        note("no model of that name is known; 'mirascope providers' lists who is installed")
    elif sys.stdout.isatty():
        _print_table(found)
    else:
        for model in found:
            prices = (f"{unit} {price}" for unit, price in model["prices"].items())
            write_line(printable("  ".join([model["model"], *prices])))
    raise typer.Exit(0 if found else 1)


def complete_model(incomplete: str) -> list[str]:
    """Return the known models that begin like this, for a shell that completes the name."""
    named = (
        f"{provider}/{model}" for provider, table in _tables() for model in sorted(table.models)
    )
    return [name for name in named if name.startswith(incomplete)]


def _known() -> Iterator[dict[str, Any]]:
    now = datetime.datetime.now(datetime.UTC).timestamp()
    for provider, table in _tables():
        for model, prices in _priced(table, now):
            yield {"model": f"{provider}/{model}", "prices": prices}


def _tables() -> Iterator[tuple[str, PriceTable]]:
    """Yield the price table of every provider that is well, by its name."""
    from mirascope.core.plugins import (
        PluginState,
        host_statuses,
        load_host,
        load_provider,
        statuses,
    )

    for listed, load in ((statuses(), load_provider), (host_statuses(), load_host)):
        for status in listed:
            if status.state is not PluginState.OK:
                continue
            try:
                table = load(status.name).prices
            except Exception as error:
                # A table is a plugin's file, and a broken one must not hide all others.
                note(f"{status.name}: {' '.join(str(error).split())}")
            else:
                yield status.name, table


def _priced(table: PriceTable, now: float) -> Iterator[tuple[str, dict[str, str]]]:
    for name, entry in sorted(table.models.items()):
        prices = entry.prices({}, 0, now)
        yield name, {unit: f"{price.normalize():f}" for unit, price in prices.items()}


def _print_table(found: list[dict[str, Any]]) -> None:
    """Print a table, or where the terminal is too narrow for a name, two lines for each model."""
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    units = ("input", "output")
    rows = [(model["model"], [_amount(model, unit) for unit in units]) for model in found]
    console = Console(highlight=False)
    if max(cell_len(name) for name, _ in rows) + _PRICES > console.width:
        for name, amounts in rows:
            console.print(Text(name, style="bold"))
            known = zip(units, amounts, strict=True)
            priced = [f"{unit} {amount} $/M" for unit, amount in known if amount]
            if priced:
                console.print(Text(f"  {', '.join(priced)}"))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", no_wrap=True)
    for unit in units:
        table.add_column(f"{unit} $/M", justify="right", no_wrap=True)
    for name, amounts in rows:
        table.add_row(Text(name), *map(Text, amounts))
    console.print(table)


def _amount(model: dict[str, Any], unit: str) -> str:
    price = model["prices"].get(unit)
    return "" if price is None else f"{Decimal(price):f}"
