"""`mirascope replay`: a recorded response through a provider's real decoder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._json import format_json
from ._output import PlainDisplay, note, say, write_line

if TYPE_CHECKING:
    from mirascope.core import BaseStream, BaseTool, Provider


class ReplayFormat(StrEnum):
    """What is printed of a recording."""

    TEXT = "text"
    JSON = "json"


def replay(
    provider: Annotated[
        str, typer.Option(metavar="NAME", help="The provider whose response it is.")
    ],
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="The response's body. '-' reads it from standard input.",
            show_default=False,
        ),
    ] = None,
    api: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="One of the provider's wire protocols, where it has several."
        ),
    ] = None,
    tools_json: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A JSON array of the tools that the request declared: calls of others are "
            "reported on standard error.",
        ),
    ] = None,
    form: Annotated[
        ReplayFormat | None,
        typer.Option(
            "--format", help="The text, or one JSON object.  [default: text]", show_default=False
        ),
    ] = None,
    chunk_bytes: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Feed the body N bytes at a time.")
    ] = None,
    many: Annotated[
        bool,
        typer.Option(
            "--many",
            help="Read file names from standard input, one a line, and print one line of JSON "
            "for each.",
        ),
    ] = False,
) -> None:
    """Replay a recorded response through a provider's decoder.

    FILE holds the body as it came off the wire. Nothing is sent, and no key is needed.
    """
    from mirascope.core import UsageError
    from mirascope.core.plugins import load_provider

    from ._declared_tools import read_declared_tools

    if many and (file is not None or form is ReplayFormat.TEXT):
        raise UsageError(
            "--many reads the names of the files from standard input and prints JSON: leave FILE "
            "and --format text away"
        )
    if not many and file is None:
        raise UsageError("no FILE is given: name one, or '-' for standard input")
    recordings = _Recordings(
        load_provider(provider, api),
        chunk_bytes,
        None if tools_json is None else read_declared_tools(tools_json),
    )
    if many:
        names = (os.fsdecode(line.rstrip(b"\r\n")) for line in sys.stdin.buffer)
        completed = recordings.print_lines(name for name in names if name)
    else:
        body = sys.stdin.buffer.read() if file == "-" else Path(file or "").read_bytes()
        if form is ReplayFormat.JSON:
            completed = recordings.print_object(body)
        else:
            completed = recordings.print_text(body)
    raise typer.Exit(0 if completed else 1)


class _Recordings:
    """Replays recordings of one provider.

    Args:
        provider: whose responses they are.
        chunk_bytes: how many bytes each read gives.
        tools: the tools that the requests declared, or None where that is not known.
    """

    def __init__(
        self, provider: Provider, chunk_bytes: int | None, tools: list[type[BaseTool]] | None
    ) -> None:
        self._provider = provider
        self._chunk_bytes = chunk_bytes
        self._tools = tools

    def print_text(self, body: bytes) -> bool:
        """Print a recording's text as it streams; return whether it is complete."""
        from mirascope.core import MirascopeError, StreamState

        from ._record import event_count
        from ._summary import summary

        stream = self._open(body)
        display = PlainDisplay(visible_controls=sys.stdout.isatty())
        try:
            for chunk, _ in stream:
                display.text(chunk.content)
        except MirascopeError:
            # It is in the stream, where `_report` finds it.
            pass
        completed = stream.state is StreamState.COMPLETED
        display.close(completed=completed)
        for tool in stream.tools:
            note(f"tool call: {tool.tool_call.name}({tool.tool_call.arguments})")
        if stream.refusal:
            note(f"the model declined: {stream.refusal}")
        self._report(stream)
        note(summary(stream, f"{event_count(stream)} events"))
        return completed

    def print_object(self, body: bytes) -> bool:
        """Print what a recording says as one JSON object; return whether it is complete."""
        from ._record import record

        stream = self._read(body)
        write_line(format_json(record(stream)))
        self._report(stream)
        return stream.error is None

    def print_lines(self, names: Iterable[str]) -> bool:
        """Print a line for each file; return whether all of them are complete recordings."""
        from ._record import failure_record, record

        good = True
        for name in names:
            try:
                stream = self._read(Path(name).read_bytes())
                line = format_json({**record(stream), "file": name})
            except (OSError, ValueError, RecursionError) as error:
                line = format_json({**failure_record(error), "file": name})
                good = False
            else:
                self._report(stream, name)
                good = good and stream.error is None
            write_line(line)
        return good

    def _open(self, body: bytes) -> BaseStream[Any]:
        from mirascope.core._replay import replay

        return replay(self._provider, body, chunk_bytes=self._chunk_bytes, tools=self._tools or ())

    def _read(self, body: bytes) -> BaseStream[Any]:
        from mirascope.core import MirascopeError

        stream = self._open(body)
        try:
            for _ in stream:
                pass
        except MirascopeError:
            pass
        return stream

    def _report(self, stream: BaseStream[Any], name: str = "") -> None:
        where = f"{name}: " if name else ""
        if self._tools is not None:
            for tool in stream.tools:
                if tool.error is not None:
                    note(f"{where}{tool.error}")
        if stream.error is not None:
            say(f"{where}{stream.error}")
