"""`mirascope replay`: a recording, or a bare body, through a provider's real decoder."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._json import format_json
from ._output import PlainDisplay, note, say, write_line

if TYPE_CHECKING:
    from mirascope.core import BaseStream, BaseTool, MirascopeError, Recording, StructuredStream


class ReplayFormat(StrEnum):
    """What is printed of a recording."""

    TEXT = "text"
    JSON = "json"


def replay(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="A recording, or the body of a response. '-' reads it from standard input.",
            show_default=False,
        ),
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The provider whose response it is. A recording names it; a body does not.",
        ),
    ] = None,
    api: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="One of the provider's wire protocols, where it has several; by default the "
            "recorded one.",
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
    schema: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|MODULE:NAME",
            help="Read the answer as JSON of this type, and validate it: a file with a JSON "
            "schema, or a type of a module.",
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
    speed: Annotated[
        float,
        typer.Option(
            metavar="FACTOR",
            help="How many times as fast as a recording came: 1 is its own pace, 0 does not wait.",
        ),
    ] = 0,
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

    FILE is what 'mirascope run --record' wrote, or a body as it came off the wire. Nothing is
    sent, and no key is needed.
    """
    from mirascope.core import Recording, UsageError
    from mirascope.core.plugins import load_provider

    from ._declared_tools import read_declared_tools
    from ._schema import read_schema

    if many and (file is not None or form is ReplayFormat.TEXT):
        raise UsageError(
            "--many reads the names of the files from standard input and prints JSON: leave FILE "
            "and --format text away"
        )
    if not many and file is None:
        raise UsageError("no FILE is given: name one, or '-' for standard input")
    if provider is not None:
        # A provider that can't be used is reported once, and not for every file.
        load_provider(provider, api)
    player = _Player(
        provider,
        api,
        speed=speed,
        chunk_bytes=chunk_bytes,
        tools=None if tools_json is None else read_declared_tools(tools_json),
        model=None if schema is None else read_schema(schema),
    )
    if many:
        names = (os.fsdecode(line.rstrip(b"\r\n")) for line in sys.stdin.buffer)
        completed = player.print_lines(name for name in names if name)
    else:
        name = file or ""
        body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        recording = Recording.parse(body, name="" if name == "-" else name)
        if form is ReplayFormat.JSON:
            completed = player.print_object(recording)
        else:
            completed = player.print_text(recording)
    raise typer.Exit(0 if completed else 1)


class _Player:
    """Replays recordings.

    Args:
        provider: whose responses they are; None where each recording names its own.
        api: the provider's wire protocol; None for the recorded one, or its default one.
        speed: how many times as fast as they came; 0 is without waiting.
        chunk_bytes: how many bytes each read gives; as recorded if None.
        tools: the tools that the requests declared, or None where that is not known.
        model: the type that the answers are values of, or None.
    """

    def __init__(
        self,
        provider: str | None,
        api: str | None,
        *,
        speed: float,
        chunk_bytes: int | None,
        tools: list[type[BaseTool]] | None,
        model: Any,
    ) -> None:
        self._provider = provider
        self._api = api
        self._speed = speed
        self._chunk_bytes = chunk_bytes
        self._tools = tools
        self._model = model

    def print_text(self, recording: Recording) -> bool:
        """Print a recording's text as it streams; return whether it is complete."""
        from mirascope.core import MirascopeError, StreamState

        from ._summary import summary

        replayed = self._open(recording)
        stream = replayed.stream
        display = PlainDisplay(visible_controls=sys.stdout.isatty())
        try:
            for text in replayed.texts():
                display.text(text)
        except MirascopeError:
            # The stream keeps its error: `_report` prints it after what had arrived.
            pass
        display.close(completed=stream.state is StreamState.COMPLETED)
        for tool in stream.tools:
            note(f"tool call: {tool.tool_call.name}({tool.tool_call.arguments})")
        if stream.refusal:
            note(f"the model declined: {stream.refusal}")
        self._report(recording, replayed)
        note(summary(stream, f"{stream.event_count} events"))
        return replayed.error is None

    def print_object(self, recording: Recording) -> bool:
        """Print a recording as one JSON object; return whether it is complete."""
        replayed = self._open(recording)
        write_line(format_json(replayed.record()))
        self._report(recording, replayed)
        return replayed.error is None

    def print_lines(self, names: Iterable[str]) -> bool:
        """Print a line for each file; return whether all of them are complete recordings."""
        from mirascope.core import ProviderError, Recording

        from ._replay_report import failure_record

        good = True
        for name in names:
            try:
                recording = Recording.read(name)
                replayed = self._open(recording)
                line = format_json({**replayed.record(), "file": name})
            except (OSError, ValueError, RecursionError, ProviderError) as error:
                line = format_json({**failure_record(error), "file": name})
                good = False
            else:
                self._report(recording, replayed, name)
                good = good and replayed.error is None
            write_line(line)
        return good

    def _open(self, recording: Recording) -> _Replayed:
        from mirascope.core import UsageError, stream_from

        if recording.provider is None and self._provider is None:
            what = f"{recording.name!r}" if recording.name else "standard input"
            raise UsageError(
                f"{what} is not a recording: if it is the body of a response, name its provider "
                "with --provider"
            )
        if self._chunk_bytes is not None:
            recording = recording.rechunked(self._chunk_bytes)
        # Which of the two it is only shows at run time.
        replay_as: Any = stream_from
        made = replay_as(
            recording,
            speed=self._speed,
            tools=self._tools or (),
            provider=self._provider,
            api=self._api,
            response_model=self._model,
        )
        return _Replayed(made) if self._model is None else _Replayed(made.stream, made)

    def _report(self, recording: Recording, replayed: _Replayed, name: str = "") -> None:
        where = f"{name}: " if name else ""
        if self._tools is not None:
            for tool in replayed.stream.tools:
                if tool.error is not None:
                    note(f"{where}{tool.error}")
        if replayed.error is not None:
            say(f"{where}{replayed.error}")
        elif recording.cut is not None:
            note(f"{where}the recording ends behind the answer: {recording.cut}")


class _Replayed:
    """A stream that is replayed, and the value that its answer is where a type was named."""

    def __init__(self, stream: BaseStream[Any], value: StructuredStream[Any] | None = None) -> None:
        self.stream = stream
        self._value = value

    @property
    def error(self) -> MirascopeError | None:
        """What is wrong with it once it has ended."""
        return self.stream.error if self._value is None else self._value.error

    def texts(self) -> Iterator[str]:
        """Yield the text, or the value's own JSON.

        Raises:
            MirascopeError: it did not end well.
        """
        if self._value is not None:
            yield from self._value.text()
            return
        for chunk, _ in self.stream:
            yield chunk.content

    def record(self) -> dict[str, Any]:
        """Read it to its end and return what is printed of it."""
        from mirascope.core import MirascopeError

        from ._replay_report import record, value_record

        texts: list[str] = []
        with contextlib.suppress(MirascopeError):
            texts.extend(self.texts())
        made = record(self.stream)
        if self._value is not None:
            made |= value_record(self._value, "".join(texts))
        return made
