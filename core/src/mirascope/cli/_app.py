"""The application: its commands, and what an exception means for the exit status."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import warnings
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup
from typing_extensions import override

from ._models import models
from ._new_provider import new_provider
from ._output import discard_standard_output, say
from ._prices import prices
from ._providers import providers
from ._replay import replay
from ._run import run
from ._wording import at_a_shell

FAILED: Final = 1
"""The exit status where the stream, or the command, did not complete."""
INTERRUPTED: Final = 130
"""The exit status after Ctrl-C, as shells have it: 128 and the number of the signal."""
WRONG_USAGE: Final = 2
"""The exit status where the command line itself can't work."""
_NARROW: Final = 52
"""Terminals of fewer columns are too narrow for the help's own layout."""


class _Commands(TyperGroup):
    """Runs a command and ends with one line on standard error where it fails."""

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        columns = shutil.get_terminal_size().columns
        if columns < _NARROW:
            kwargs["terminal_width"] = columns
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            discard_standard_output()
            where = "" if error.filename is None else f"{os.fsdecode(error.filename)!r}: "
            say(f"{where}{error.strerror or error}")
            sys.exit(FAILED if error.filename is None else WRONG_USAGE)

    @override
    def invoke(self, ctx: Any) -> Any:
        try:
            with warnings.catch_warnings():
                _hide_unknown_prices()
                return super().invoke(ctx)
        except BrokenPipeError:
            # The reader of the output (`head`, a pager) has seen enough, which is nobody's error.
            discard_standard_output()
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            _die_of_interrupt()
        except Exception as error:
            status = _status_of(error)
            if status is None:
                raise
            say(at_a_shell(str(error)))
            raise typer.Exit(status) from None


def _die_of_interrupt() -> NoReturn:
    """End as a program ends that Ctrl-C has stopped: a shell then leaves its loop, too.

    https://www.cons.org/cracauer/sigint.html
    """
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    if os.name == "posix":
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(INTERRUPTED)


def _hide_unknown_prices() -> None:
    """Drop the warning: the line that a command prints reports an unknown cost already."""
    warnings.filterwarnings("ignore", message="no (price|cost) is known for ", category=UserWarning)


def _status_of(error: Exception) -> int | None:
    """Return the exit status for an error of the library, or None for any other."""
    if "mirascope.core" not in sys.modules:
        # typer ends `--help` with an exception too, and that must not cost an import.
        return None
    from mirascope.core import MirascopeError, ProviderError, UsageError

    if isinstance(error, (UsageError, ProviderError)):
        return WRONG_USAGE
    return FAILED if isinstance(error, MirascopeError) else None


app = typer.Typer(
    name="mirascope",
    help="Ask language models, from any provider that is installed.",
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
"""The commands, as a `typer.Typer`."""
app.command()(run)
app.command()(models)
app.command()(new_provider)
app.command()(providers)
app.command()(replay)
app.add_typer(prices)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"mirascope-core {version('mirascope-core')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            callback=_print_version,
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Take the options that stand before the command."""


def run_command_line() -> None:
    """Run the command that the process was started with, and exit with its status."""
    # Python leaves a stream out that was closed when the process began.
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    app(prog_name="mirascope")
