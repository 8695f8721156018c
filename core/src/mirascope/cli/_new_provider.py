"""`mirascope new-provider`: a distribution with a provider, whose tests pass as it is written."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ._output import write_line
from .scaffold._kinds import PARTS, Kind


def new_provider(
    name: Annotated[
        str,
        typer.Argument(help="The provider's name, as in NAME/MODEL: 'acme'."),
    ],
    kind: Annotated[
        Kind | None,
        typer.Option(
            help="What it begins as: compatible (a server that speaks chat completions), native (a "
            "wire format of its own), sdk (a provider on an SDK), company (address, key, headers, "
            "prices and audit of a company).",
        ),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            metavar="PATH",
            help="The directory to write: a new or empty one; 'mirascope-NAME' by default.",
        ),
    ] = None,
) -> None:
    """Write a new provider's distribution: package, prices, tests that pass, CI."""
    from mirascope.core import UsageError

    from .scaffold._names import Names
    from .scaffold._write import write_files

    names = Names.checked(name)
    if kind is None:
        kinds = ", ".join(f"{each} ({PARTS[each].about})" for each in Kind)
        raise UsageError(f"give --kind, one of {kinds}")
    place = directory or Path(names.distribution)
    written = write_files(names, kind, place)
    write_line(f"{place}: {len(written)} files")
    for path in written:
        write_line(f"  {path}")
    write_line("Next, in an environment of yours:")
    write_line(f"  cd {shlex.quote(str(place))}")
    write_line("  uv pip install -e . --group dev")
    write_line("  pytest")
