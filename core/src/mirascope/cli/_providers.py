"""`mirascope providers`: every plugin and how it stands, and every host."""

from __future__ import annotations

import contextlib
import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ._json import format_json
from ._output import note, printable, write_line

if TYPE_CHECKING:
    from mirascope.core.plugins import PluginStatus, ProviderSpec

_COLUMNS: Final = ("name", "title", "distribution", "SDK", "plugin API", "state")
_HOOK_COLUMNS: Final = ("plugin without a provider", "distribution", "state")
_HOST_COLUMNS: Final = ("host", "address", "key", "prices", "distribution", "state")
_GAP: Final = 3
"""Columns of the screen between two of a table."""
_SENTENCE: Final = 30
"""The width in which a sentence can still be read."""
_INDENT: Final = 2


class ProvidersFormat(StrEnum):
    """How the plugins are listed."""

    TEXT = "text"
    JSON = "json"


def providers(
    form: Annotated[
        ProvidersFormat,
        typer.Option(
            "--format",
            help="Tables, or a JSON array: of the plugins, or of the hosts with --hosts.",
        ),
    ] = ProvidersFormat.TEXT,
    only_hosts: Annotated[
        bool, typer.Option("--hosts", help="List the hosts only: the servers that have names.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Exit with 1 if a plugin is broken, incompatible or in conflict; one that was "
            "disabled on purpose does not count.",
        ),
    ] = False,
) -> None:
    """List the provider plugins and how they stand, and the hosts that they know by name."""
    from mirascope.core.plugins import PluginState, hook_statuses, host_statuses, statuses

    # What a plugin prints when it is imported is no part of the list.
    with contextlib.redirect_stdout(sys.stderr):
        found, hosts = [] if only_hosts else statuses(), host_statuses()
        hooks = [] if only_hosts else hook_statuses()
    tables: list[tuple[tuple[str, ...], list[PluginStatus], list[tuple[str, ...]]]] = []
    if found:
        tables.append((_COLUMNS, found, [*map(_cells, found)]))
    if hooks:
        tables.append((_HOOK_COLUMNS, hooks, [*map(_hook_cells, hooks)]))
    if hosts:
        tables.append((_HOST_COLUMNS, hosts, [*map(_host_cells, hosts)]))
    if form is ProvidersFormat.JSON:
        records = map(_host_record, hosts) if only_hosts else map(_record, [*found, *hooks])
        write_line(format_json([*records]))
    elif not tables:
        from mirascope.core.plugins._first_party import install_provider

        note(f"no provider is installed; for one: {install_provider('openai')}")
    elif sys.stdout.isatty():
        for columns, listed, rows in tables:
            _print_table(columns, listed, rows)
    else:
        for columns, _, rows in tables:
            for line in _aligned([columns, *rows]):
                write_line(line)
    good = (PluginState.OK, PluginState.DISABLED)
    if check and any(status.state not in good for status in (*found, *hooks, *hosts)):
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


def _host_record(status: PluginStatus) -> dict[str, Any]:
    spec = status.spec
    return {
        **_record(status),
        "base_url": None if spec is None else spec.base_url,
        "api_key_env": None if spec is None else list(spec.api_key_env),
        "prices": None if spec is None else _prices(spec),
    }


def _prices(spec: ProviderSpec) -> str:
    """Return what is known of a host's prices: `"12 models"`, `"reported"`, `"free"`, or `""`."""
    from mirascope.core.plugins import Capability, load_host

    try:
        table = load_host(spec.name).prices
    except Exception:
        # A table is a plugin's file, and one that is broken must not hide how all others stand.
        return "can't be read"
    if table.free:
        return "free"
    known = ["reported"] if Capability.REPORTED_COST in spec.capabilities else []
    if table:
        known.append(f"{len(table.models)} models")
    return ", ".join(known)


def _host_cells(status: PluginStatus) -> tuple[str, ...]:
    spec = status.spec
    set_ = () if spec is None else [name for name in spec.api_key_env if os.environ.get(name)]
    key = "" if spec is None else next(iter(spec.api_key_env), "none needed")
    cells = (
        status.name,
        "" if spec is None else spec.base_url or "",
        f"{set_[0]} (set)" if set_ else key,
        "" if spec is None else _prices(spec),
        " and ".join(status.distributions),
        _state(status),
    )
    return _shown(cells)


def _state(status: PluginStatus) -> str:
    return f"{status.state}: {status.reason}" if status.reason else str(status.state)


def _cells(status: PluginStatus) -> tuple[str, ...]:
    spec = status.spec
    cells = (
        status.name,
        "" if spec is None else spec.title,
        " and ".join(status.distributions),
        status.sdk,
        "" if spec is None else str(spec.api_version),
        _state(status),
    )
    return _shown(cells)


def _hook_cells(status: PluginStatus) -> tuple[str, ...]:
    return _shown((status.name, " and ".join(status.distributions), _state(status)))


def _shown(cells: tuple[str, ...]) -> tuple[str, ...]:
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


def _print_table(
    columns: tuple[str, ...], found: list[PluginStatus], rows: list[tuple[str, ...]]
) -> None:
    """Print a table, or where the terminal is too narrow for its words, a paragraph for a row."""
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from mirascope.core.plugins import PluginState

    styles = {PluginState.OK: "green", PluginState.DISABLED: "dim"}
    states = [
        Text(row[-1], style=styles.get(status.state, "red"))
        for status, row in zip(found, rows, strict=True)
    ]
    console = Console(highlight=False)
    # The reasons in the last column are sentences, which may be broken between words.
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]
    if sum(widths[:-1]) + _GAP * len(widths) + min(widths[-1], _SENTENCE) > console.width:
        for (name, *cells), state in zip(rows, states, strict=True):
            console.print(Text.assemble((name, "bold"), "  ", state))
            known = zip(columns[1:-1], cells[:-1], strict=True)
            told = [f"{column} {cell}" for column, cell in known if cell != "-"]
            for line in Text(", ".join(told)).wrap(console, max(1, console.width - _INDENT)):
                line.rstrip()
                console.print(Text(" " * _INDENT) + line)
        console.print()
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for (*cells, _), state in zip(rows, states, strict=True):
        table.add_row(*map(Text, cells), state)
    console.print(table)
