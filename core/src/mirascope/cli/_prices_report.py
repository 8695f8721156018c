"""`mirascope prices report`: what recorded calls cost, by tag, model and day."""

from __future__ import annotations

import contextlib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ._json import format_json
from ._output import note, printable, say, write_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mirascope.core import Cost
    from mirascope.core.prices import Ledger

_BY: Final = "tag,model,day"


class ReportFormat(StrEnum):
    """How a report is printed."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


def report(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH…", help="Recordings, or folders: every file in them that is a recording."
        ),
    ],
    by: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="What the calls are summed by, with commas: tag, model, provider, day, month, "
            "state.",
        ),
    ] = _BY,
    form: Annotated[
        ReportFormat, typer.Option("--format", help="A table, CSV, or JSON.")
    ] = ReportFormat.TEXT,
) -> None:
    """Report what recorded calls cost, at the prices of the day on which they were recorded.

    A file that can't be read is one line on standard error, and the exit status is 1; the others
    are reported all the same.
    """
    from mirascope.core.prices import Ledger

    names = [name.strip() for name in by.split(",") if name.strip()]
    ledger, failed = Ledger(), False
    for path in _files(paths):
        failed = _take(path, ledger) or failed
    if form is ReportFormat.CSV:
        write_line(ledger.to_csv(by=names).removesuffix("\n"))
    elif form is ReportFormat.JSON:
        write_line(format_json(_record(ledger, names)))
    else:
        _print(ledger, names)
    if failed:
        raise typer.Exit(1)


def _files(paths: Sequence[str]) -> Iterator[Path]:
    """Yield the files that are named, and those below the folders that are."""
    for path in map(Path, paths):
        if path.is_dir():
            yield from (found for found in sorted(path.rglob("*")) if found.is_file())
        else:
            yield path


def _take(path: Path, ledger: Ledger) -> bool:
    """Take the call of a recording in; return whether that failed."""
    from mirascope.core import MirascopeError, stream_from
    from mirascope.core._recording._format import Recording
    from mirascope.core.prices import LedgerEntry

    try:
        recording = Recording.read(path)
        if recording.provider is None:
            # A file that merely lies in the same folder; without a header nobody can price it.
            note(f"{path}: it is not a recording, and left out")
            return False
        stream: Any = stream_from(recording)
        with contextlib.suppress(MirascopeError):
            # However the call ended, what it used until then was charged.
            stream.collect()
        ledger.add(LedgerEntry.of(stream))
    except (OSError, MirascopeError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        say(f"{str(path)!r}: {reason or error}")
        return True
    return False


def _record(ledger: Ledger, names: Sequence[str]) -> dict[str, Any]:
    rows = [
        {**row.key, **_summed(row.cost), "tokens": dict(row.tokens)} for row in ledger.rows(names)
    ]
    return {"rows": rows, "total": ledger.total.to_dict()}


def _summed(cost: Cost) -> dict[str, Any]:
    from mirascope.core._prices._cost import plain

    return {
        "calls": cost.calls,
        "unpriced": cost.unpriced,
        "cost_usd": plain(cost.total),
        "exact": cost.exact,
    }


def _print(ledger: Ledger, names: Sequence[str]) -> None:
    rows = [[*names, "calls", "input", "output", "cost"]]
    for row in ledger.rows(names):
        tokens = (str(row.tokens["input_tokens"]), str(row.tokens["output_tokens"]))
        cells = [*(value or "-" for value in row.key.values()), str(row.cost.calls), *tokens]
        rows.append([printable(cell) for cell in (*cells, _amount(row.cost))])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        write_line("  ".join(padded).rstrip())
    total = ledger.total
    write_line(f"{total.calls} calls: {_amount(total)}")
    for text in total.notes:
        note(text)


def _amount(cost: Cost) -> str:
    return f"{'' if cost.exact else 'about '}{cost}"
