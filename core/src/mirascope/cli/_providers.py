"""`mirascope providers`: every plugin and how it stands."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ._json import format_json
from ._output import note, printable, write_line

if TYPE_CHECKING:
    from mirascope.core.plugins import PluginStatus

_COLUMNS: Final = ("name", "title", "distribution", "SDK", "plugin API", "state")


class ProvidersFormat(StrEnum):
    """How the plugins are listed."""

    TEXT = "text"
    JSON = "json"


def providers(
    form: Annotated[
        ProvidersFormat, typer.Option("--format", help="A table, or a JSON array.")
    ] = ProvidersFormat.TEXT,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Exit with 1 if a plugin is broken, incompatible or in conflict; one that was "
            "disabled on purpose does not count.",
        ),
    ] = False,
) -> None:
    """List the provider plugins and how they stand."""
    from mirascope.core.plugins import PluginState, statuses

    found = statuses()
    if form is ProvidersFormat.JSON:
        write_line(format_json([_record(status) for status in found]))
    elif not found:
        note('no provider is installed; for one: pip install "mirascope-core[openai]"')
    elif sys.stdout.isatty():
        _print_table(found)
    else:
        for line in _aligned([_COLUMNS, *map(_cells, found)]):
            write_line(line)
    good = (PluginState.OK, PluginState.DISABLED)
    if check and any(status.state not in good for status in found):
        raise typer.Exit(1)


def _record(status: PluginStatus) -> dict[str, Any]:
    spec = status.spec
    return {
        "name": status.name,
        "title": None if spec is None else spec.title,
        "distributions": list(status.distributions),
        "package": None if spec is None else spec.package,
        "sdk": status.sdk or None,
        "api_version": None if spec is None else spec.api_version,
        "apis": None if spec is None else list(spec.apis),
        "capabilities": None if spec is None else sorted(map(str, spec.capabilities)),
        "state": str(status.state),
        "reason": status.reason or None,
    }


def _cells(status: PluginStatus) -> tuple[str, ...]:
    spec = status.spec
    state = f"{status.state}: {status.reason}" if status.reason else str(status.state)
    cells = (
        status.name,
        "" if spec is None else spec.title,
        " and ".join(status.distributions),
        status.sdk,
        "" if spec is None else str(spec.api_version),
        state,
    )
    return tuple(printable(" ".join(cell.split())) or "-" for cell in cells)


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _print_table(found: list[PluginStatus]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from mirascope.core.plugins import PluginState

    styles = {PluginState.OK: "green", PluginState.DISABLED: "dim"}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, overflow="fold")
    for status in found:
        *cells, state = _cells(status)
        table.add_row(*map(Text, cells), Text(state, style=styles.get(status.state, "red")))
    Console(highlight=False).print(table)
