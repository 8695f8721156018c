"""`mirascope prices`: what models cost, why a response cost what it did, and tables of your own."""

from __future__ import annotations

import datetime
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ._json import format_json, parse_json
from ._output import note, printable, say, write_line
from ._prices_report import report
from ._prices_update import update

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from mirascope.core import Cost, PriceTable
    from mirascope.core._prices._rows import PriceRow

prices = typer.Typer(
    name="prices",
    help="Show, explain, check, update and report what models cost.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


class PricesFormat(StrEnum):
    """How a cost is printed."""

    TEXT = "text"
    JSON = "json"


Format = Annotated[PricesFormat, typer.Option("--format", help="Lines of text, or JSON.")]
ProviderName = Annotated[str, typer.Argument(metavar="PROVIDER", help="The provider's name.")]


@prices.command("list")
def list_prices(
    provider: Annotated[
        str | None, typer.Argument(metavar="[PROVIDER]", help="One provider; all without it.")
    ] = None,
    form: Format = PricesFormat.TEXT,
) -> None:
    """List the models whose prices are known, with today's standard prices."""
    from mirascope.core.plugins import PluginState, statuses
    from mirascope.core.prices import table

    names = [provider] if provider else [s.name for s in statuses() if s.state is PluginState.OK]
    found = [(name, table(name)) for name in names]
    if form is PricesFormat.JSON:
        write_line(format_json([_listed(name, known) for name, known in found]))
        return
    for name, known in found:
        updated = f", checked {known.updated}" if known.updated else ""
        note(f"{name}: {len(known.models)} models{updated}")
        for model, row in _today(known).items():
            write_line(printable(f"{name}/{model}  {_units(row)}"))


@prices.command("show")
def show_prices(
    provider: ProviderName,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model, by any of its names.")],
    form: Format = PricesFormat.TEXT,
) -> None:
    """Show every price of one model, with when it holds."""
    from mirascope.core.prices import table

    known = table(provider)
    match = known.match(model)
    if match is None:
        say(f"no price is known for {provider} model {model!r}")
        raise typer.Exit(1)
    entry = match.entry
    rows = [{**_conditions(row), **_texts(row.prices)} for row in entry.rows]
    factors = {modifier.name: str(modifier.factor) for modifier in entry.modifiers}
    if form is PricesFormat.JSON:
        record: dict[str, Any] = {
            "provider": provider,
            "model": entry.name,
            "exact": match.exact,
            "names": list(entry.names),
            "prefixes": list(entry.prefixes),
            "rows": rows,
            "modifiers": factors,
            "updated": known.updated,
            "source": known.source,
        }
        write_line(format_json(record))
        return
    write_line(printable(f"{provider}/{entry.name}"))
    for row in rows:
        write_line(printable("  " + "  ".join(f"{name} {value}" for name, value in row.items())))
    for name, factor in factors.items():
        write_line(printable(f"  {name}: tokens x {factor}"))
    note(f"checked {known.updated or 'at no known date'}, {known.source or 'no source'}")


@prices.command("explain")
def explain(
    provider: ProviderName,
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="The model as the response names it.")
    ],
    usage: Annotated[
        str,
        typer.Argument(
            metavar="USAGE.json",
            help="The usage object as the provider sent it. '-' reads it from standard input.",
        ),
    ],
    context: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A JSON object of what else the price depends on: service_tier, base_url, "
            "request_time, processing, tool_usage, …",
        ),
    ] = None,
    api: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="One of the provider's wire APIs, where it has several."),
    ] = None,
    form: Format = PricesFormat.TEXT,
) -> None:
    """Say what a response cost, line by line.

    The exit status is 1 where no price is known.
    """
    from mirascope.core.prices import cost

    given = {} if context is None else _object(context, "the context")
    found = cost(provider, model, _object(usage, "usage"), context=given, api=api)
    if form is PricesFormat.JSON:
        write_line(format_json(_explained(found)))
    elif found is not None:
        _print_cost(found)
    if found is None:
        say(f"no cost is known for {provider} model {model!r}")
        raise typer.Exit(1)


@prices.command("lint")
def lint_prices(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Price tables, as TOML.")],
    strict: Annotated[
        bool, typer.Option("--strict", help="Let warnings count as errors too.")
    ] = False,
) -> None:
    """Check price tables; each thing that is wrong is one line with the file, line and key."""
    from mirascope.core.prices import PriceProblem, lint

    problems: list[PriceProblem] = []
    for file in files:
        try:
            problems += lint(Path(file).read_bytes(), file)
        except OSError as error:
            problems.append(PriceProblem(file, error.strerror or str(error), is_error=True))
    for problem in problems:
        write_line(printable(str(problem)))
    if any(strict or problem.is_error for problem in problems):
        raise typer.Exit(1)


prices.command("update")(update)
prices.command("report")(report)


def _listed(name: str, known: PriceTable) -> dict[str, Any]:
    return {
        "provider": name,
        "updated": known.updated,
        "source": known.source,
        "models": {model: _texts(row) for model, row in _today(known).items()},
    }


def _today(known: PriceTable) -> dict[str, dict[str, Decimal]]:
    """Return the prices that hold today without any condition."""
    now = datetime.datetime.now(datetime.UTC).timestamp()
    return {name: entry.prices({}, 0, now) for name, entry in sorted(known.models.items())}


def _conditions(row: PriceRow) -> dict[str, str]:
    """Return when a row holds, in the words of the table."""
    said = {name: " or ".join(sorted(values)) for name, values in row.when}
    if row.above >= 0:
        said["above"] = str(row.above)
    for name, seconds in (("from", row.start), ("until", row.end), ("recorded", row.recorded)):
        if abs(seconds) != float("inf"):
            moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
            said[name] = moment.isoformat().removesuffix("T00:00:00+00:00")
    if row.hours is not None:
        said["hours"] = "-".join(f"{s // 3600:02}:{s // 60 % 60:02}" for s in row.hours)
    if row.weekdays is not None:
        said["weekdays"] = ", ".join(map(str, sorted(row.weekdays)))
    if row.note:
        said["note"] = row.note
    return said


def _texts(row: Mapping[str, Decimal]) -> dict[str, str]:
    return {unit: str(price) for unit, price in row.items()}


def _units(row: Mapping[str, Decimal]) -> str:
    return "  ".join(f"{unit} {price}" for unit, price in row.items())


def _explained(found: Cost | None) -> dict[str, Any]:
    if found is None:
        return {"total": None, "exact": False, "lines": [], "notes": ["no cost is known"]}
    return found.to_dict()


def _print_cost(found: Cost) -> None:
    from mirascope.core._prices._cost import plain as plain_amount

    for line in found.lines:
        factor = "" if line.factor == 1 else f" x {plain_amount(line.factor)}"
        write_line(
            printable(
                f"{line.model}  {line.unit}  {line.count} x ${plain_amount(line.price)} per "
                f"{line.per}{factor} = ${plain_amount(line.amount)}"
            )
        )
    write_line(f"{'' if found.exact else 'about '}{found} ({found.basis})")
    for text in found.notes:
        note(text)


def _object(file: str, what: str) -> dict[str, Any]:
    from mirascope.core import UsageError

    text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    try:
        value = parse_json(text)
    except ValueError as error:
        raise UsageError(f"{file!r}: {what} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError(f"{file!r}: {what} must be a JSON object")
    return cast("dict[str, Any]", value)
