"""`mirascope prices update`: newer prices from a table, or from the public data of others."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from ._output import note, printable, say, write_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirascope.core import PriceTable

_MOST_BYTES: Final = 50_000_000
_FETCH_SECONDS: Final = 30


def update(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="The provider's name.")],
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A price table, or the public data of genai-prices (data.json) or of litellm "
            "(model_prices_and_context_window.json): a path, or an https:// address.",
        ),
    ],
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="Where to write it.")],
    force: Annotated[
        bool, typer.Option("--force", help="Write prices that changed more than tenfold.")
    ] = False,
    older: Annotated[
        bool, typer.Option("--older", help="Write a table that is older than the one in use.")
    ] = False,
) -> None:
    """Check newer prices, show every row that they change, and write them to a file of yours.

    Nothing is fetched but SOURCE, and nothing is used by itself: name the file in the environment
    variable MIRASCOPE_PRICES.
    """
    from mirascope.core import PriceTable, UsageError
    from mirascope.core._prices._differences import differences
    from mirascope.core._prices._files import decode
    from mirascope.core.prices import lint, table

    known = table(provider)
    data = _fetch(source) if "://" in source else Path(source).read_bytes()
    text = _converted(data, provider, known, source) or decode(data, source)
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
    if not older and newer.updated and known.updated and newer.updated < known.updated:
        say(
            f"{source} was checked on {newer.updated}, and the table in use on {known.updated}: "
            "give --older to take it all the same"
        )
        raise typer.Exit(1)
    found = [one for one in differences(known, newer) if one.sign != "-"]
    for one in found:
        write_line(printable(str(one)))
    if kept := sorted(known.models.keys() - newer.models.keys()):
        note(f"{len(kept)} models are not in it and keep their prices")
    jumps = dict.fromkeys(one.model for one in found if one.is_jump)
    if jumps and not force:
        names = printable(", ".join(jumps))
        say(f"more than tenfold changes: {names}: look at them above, then give --force")
        raise typer.Exit(1)
    Path(to).write_text(text, "utf-8")
    note(f"written to {to}; MIRASCOPE_PRICES={to} puts it over the plugin's own prices")


def _converted(data: bytes, provider: str, known: PriceTable, source: str) -> str | None:
    """Return a table made of another project's public data, or None where it is none of theirs."""
    if data.lstrip()[:1] not in (b"[", b"{") or b'"' not in data[:1000]:
        return None
    try:
        given: Any = json.loads(data, parse_float=Decimal)
    except ValueError:
        # A table of TOML can begin with a bracket too.
        return None
    from mirascope.core import UsageError
    from mirascope.core._prices._sources._public import models_of
    from mirascope.core._prices._sources._writing import table_text

    models = models_of(given, provider, known)
    if not models:
        raise UsageError(
            f"{source}: there are no prices of {provider!r} in it: it must be a price table, or "
            "the public data of genai-prices or litellm"
        )
    today = datetime.datetime.now(datetime.UTC).date()
    head = (
        f'schema = 1\nprovider = "{provider}"\nupdated = {today}\ncurrency = "USD"\n'
        f"source = {json.dumps(source)}"
    )
    return table_text(head, cast("Mapping[str, Mapping[str, Any]]", models))


def _fetch(url: str) -> bytes:
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
        raise UsageError(f"{url!r} has more than {_MOST_BYTES} bytes, which is not a price table")
    return body
