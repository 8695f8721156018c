"""`mirascope prices`: what models cost, why a response cost what it did, and tables of your own."""

from __future__ import annotations

import datetime
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from ._json import format_json, parse_json
from ._output import note, printable, say, write_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from mirascope.core import Cost, PriceTable
    from mirascope.core._prices._rows import PriceRow

_JUMP: Final = 10
_MOST_BYTES: Final = 5_000_000
_FETCH_SECONDS: Final = 30

prices = typer.Typer(
    name="prices",
    help="Show, explain, check and update what models cost.",
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
    found = cost(
        provider, model, _object(usage, "usage"), context=given, at=_request_time(given), api=api
    )
    if form is PricesFormat.JSON:
        write_line(format_json(_explained(found)))
    elif found is not None:
        _print_cost(found)
    if found is None:
        say(f"no price is known for {provider} model {model!r}")
        raise typer.Exit(1)


@prices.command("lint")
def lint_prices(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Price tables, as TOML.")],
    strict: Annotated[
        bool, typer.Option("--strict", help="Let warnings count as errors too.")
    ] = False,
) -> None:
    """Check price tables; each thing that is wrong is one line with the file and the key."""
    from mirascope.core.prices import lint

    problems = [p for file in files for p in lint(Path(file).read_text("utf-8"), file)]
    for problem in problems:
        write_line(printable(str(problem)))
    if any(strict or problem.is_error for problem in problems):
        raise typer.Exit(1)


@prices.command("update")
def update(
    provider: ProviderName,
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="A price table: a path, or an https:// address."),
    ],
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="Where to write it.")],
    force: Annotated[
        bool, typer.Option("--force", help="Write prices that changed more than tenfold.")
    ] = False,
) -> None:
    """Check a newer price table, show what it changes, and write it to a file of yours.

    Nothing is fetched but SOURCE, and nothing is used by itself: name the file in the environment
    variable MIRASCOPE_PRICES.
    """
    from mirascope.core import PriceTable, UsageError
    from mirascope.core.prices import lint, table

    text = _fetch(source) if "://" in source else Path(source).read_text("utf-8")
    problems = lint(text, source)
    for problem in problems:
        say(str(problem))
    if any(problem.is_error for problem in problems):
        raise typer.Exit(1)
    newer = PriceTable.from_toml(text, source)
    if newer.provider != provider:
        raise UsageError(
            f"{source}: these are the prices of {newer.provider!r}, not of {provider!r}"
        )
    jumps: list[str] = []
    for line, is_jump in _changes(table(provider), newer):
        write_line(printable(line))
        if is_jump:
            jumps.append(line.split("  ")[0].lstrip("~+- "))
    if jumps and not force:
        names = printable(", ".join(jumps))
        say(f"more than tenfold changes: {names}: look at them above, then give --force")
        raise typer.Exit(1)
    Path(to).write_text(text, "utf-8")
    note(f"written to {to}; MIRASCOPE_PRICES={to} puts it over the plugin's own prices")


def _changes(older: PriceTable, newer: PriceTable) -> Iterable[tuple[str, bool]]:
    """Yield how today's standard prices differ, and whether by too much to be believed."""
    before, after = _today(older), _today(newer)
    for model in sorted(before.keys() | after.keys()):
        if model not in after:
            yield f"- {model}", False
        elif model not in before:
            yield f"+ {model}  {_units(after[model])}", False
        else:
            old, new = before[model], after[model]
            for unit in (*old, *(unit for unit in new if unit not in old)):
                was, now = old.get(unit), new.get(unit)
                if was != now:
                    is_jump = bool(was and now and not was / _JUMP <= now <= was * _JUMP)
                    yield f"~ {model}  {unit} {was} -> {now}", is_jump


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
    for name, seconds in (("from", row.start), ("until", row.end)):
        if abs(seconds) != float("inf"):
            moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
            said[name] = moment.isoformat().removesuffix("T00:00:00+00:00")
    return said


def _texts(row: Mapping[str, Decimal]) -> dict[str, str]:
    return {unit: str(price) for unit, price in row.items()}


def _units(row: Mapping[str, Decimal]) -> str:
    return "  ".join(f"{unit} {price}" for unit, price in row.items())


def _explained(found: Cost | None) -> dict[str, Any]:
    from mirascope.core._prices._cost import plain as plain_amount

    if found is None:
        return {"total": None, "exact": False, "lines": [], "notes": ["no price is known"]}
    return {
        "total": plain_amount(found.total),
        "exact": found.exact,
        "basis": found.basis,
        "model": found.model,
        "lines": [
            {
                "model": line.model,
                "unit": line.unit,
                "count": line.count,
                "price": plain_amount(line.price),
                "per": line.per,
                "factor": plain_amount(line.factor),
                "amount": plain_amount(line.amount),
            }
            for line in found.lines
        ],
        "notes": list(found.notes),
    }


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


def _request_time(context: Mapping[str, Any]) -> datetime.datetime | None:
    from mirascope.core import UsageError

    given = context.get("request_time")
    if given is None:
        return None
    try:
        return datetime.datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise UsageError(
            f"request_time is {given!r}, and must be a time such as 2026-11-22T08:00:00Z"
        ) from None


def _fetch(url: str) -> str:
    """Return the document at an address, if it is one of the web's and of a table's size."""
    import urllib.request

    from mirascope.core import UsageError

    if not url.startswith(("https://", "http://")):
        raise UsageError(f"{url!r}: give a path, or an address that begins with https://")
    try:
        with urllib.request.urlopen(url, timeout=_FETCH_SECONDS) as response:  # noqa: S310
            body: bytes = response.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{url!r} can't be fetched: {error}") from error
    if len(body) > _MOST_BYTES:
        raise UsageError(
            f"{url!r} is larger than {_MOST_BYTES} bytes: give the address of a price table"
        )
    return body.decode("utf-8", "replace")
