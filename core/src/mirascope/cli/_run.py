"""`mirascope run`: ask a model and stream its answer."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ._json import parse_json
from ._output import Display, PlainDisplay, note, say

if TYPE_CHECKING:
    from mirascope.core import BaseCallResponseChunk, BaseStream, BaseTool

DEFAULT_MODEL: Final = "local/smollm2-135m"
"""The embedded model, which needs neither a key nor a network."""

_SHORTEST: Final = 0.05
"""Seconds; an answer that was read in less came in one piece, which tells nothing of its speed."""


def run(
    prompt: Annotated[
        str,
        typer.Argument(
            metavar="PROMPT",
            help="What to ask. '-' reads it from standard input.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", metavar="PROVIDER/MODEL", help="Whom to ask, as in openai/gpt-4o."
        ),
    ] = DEFAULT_MODEL,
    api: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="One of the provider's wire protocols, where it has several."
        ),
    ] = None,
    system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A system message before the prompt.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="KEY=VALUE",
            help="A parameter of the provider's API, as in temperature=0.7; the value is JSON, or "
            "else a string. May be repeated.",
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", metavar="URL", help="The server's address."),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="How long the whole answer may take."),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Record the response for 'mirascope replay': in a new FILE, or in one of its own "
            "in the directory FILE.",
        ),
    ] = None,
) -> None:
    """Ask a model and stream its answer.

    The answer goes to standard output: rendered in a terminal, byte for byte into a pipe. It is
    followed by one line on standard error: model, tokens in and out, cost, time to the first
    token, and tokens per second from then on.
    """
    from mirascope.core import Messages, StreamState, call

    parameters = _parameters(param or [])
    if base_url is not None:
        _require_setting("base_url", "--base-url", model, api, parameters)
        parameters["base_url"] = base_url
    text = sys.stdin.buffer.read() if prompt == "-" else prompt
    messages = [Messages.User(_message(text, "prompt"))]
    if system is not None:
        messages.insert(0, Messages.System(_message(system, "system message")))

    # A prompt from the command line is not a template: its braces are text, so it is a message.
    @call(model, stream=True, api=api, call_params=parameters, timeout=timeout, record=record)
    def ask() -> list[Any]:
        return messages

    stream = ask()
    answer = _Answer(stream, _display())
    problem = answer.show()
    for tool in stream.tools:
        note(f"tool call: {tool.tool_call.name}({tool.tool_call.arguments})")
    if stream.refusal:
        note(f"the model declined: {stream.refusal}")
    if problem is not None:
        say(problem)
    if answer.began or stream.state is StreamState.COMPLETED:
        note(answer.summary())
    raise typer.Exit(0 if stream.state is StreamState.COMPLETED else 1)


class _Answer:
    """Shows a stream and takes its times."""

    def __init__(self, stream: BaseStream[Any], display: Display) -> None:
        self._stream = stream
        self._display = display
        self._first: float | None = None
        self._end = 0.0

    @property
    def began(self) -> bool:
        """Whether anything of the answer arrived."""
        return self._first is not None

    def show(self) -> str | None:
        """Read the stream to its end; return why it did not complete, if it did not."""
        from mirascope.core import MirascopeError, ProviderError, StreamState, UsageError

        display = self._display
        problem = None
        # Held, so that the iterator outlives an interrupt in the loop's body: dropping it would
        # stop the stream before it can be cancelled.
        items = iter(self._stream)
        try:
            for chunk, tool in items:
                if self._first is None and _has_output(chunk, tool):
                    self._first = time.time()
                if thinking := chunk.thinking:
                    display.thinking(thinking)
                if chunk.content:
                    display.text(chunk.content)
        except KeyboardInterrupt:
            self._stream.cancel()
            problem = "stopped before the answer was complete"
        except (ProviderError, UsageError):
            raise
        except MirascopeError as error:
            problem = str(error)
        finally:
            self._end = time.time()
            self._stream.close()
            display.close(completed=self._stream.state is StreamState.COMPLETED)
        return problem

    def summary(self) -> str:
        """Return the line with what the answer used, cost and took."""
        from ._summary import summary

        # Of the request, and not of this object: a process first imports its SDK.
        start = self._stream.start_time.timestamp()
        if self._first is None:
            return summary(self._stream, f"no token in {max(0.0, self._end - start):.2f} s")
        timings = [f"first token {max(0.0, self._first - start):.2f} s"]
        usage = self._stream.common_usage
        if usage is not None:
            # Reasoning that stays hidden is counted, but was over before the first token came.
            hidden = 0 if self._stream.thinking else usage.reasoning_tokens
            seconds = self._end - self._first
            if seconds < _SHORTEST:
                seconds = max(self._end - start, 0.001)
            timings.append(f"{(usage.output_tokens - hidden) / seconds:.1f} tokens/s")
        return summary(self._stream, *timings)


def _has_output(chunk: BaseCallResponseChunk[Any], tool: BaseTool | None) -> bool:
    from mirascope.core import ToolCallDelta

    return bool(
        tool is not None
        or chunk.content
        or chunk.thinking
        or chunk.refusal
        or any(type(delta) is ToolCallDelta for delta in chunk.deltas)
    )


def _display() -> Display:
    if not sys.stdout.isatty():
        return PlainDisplay()
    from ._terminal import terminal_display

    return terminal_display()


def _parameters(given: list[str]) -> dict[str, Any]:
    from mirascope.core import UsageError

    parameters: dict[str, Any] = {}
    for item in given:
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise UsageError(f"--param takes KEY=VALUE, as in temperature=0.7, not {item!r}")
        if key in parameters:
            raise UsageError(f"--param {key} is given twice")
        try:
            parameters[key] = parse_json(value)
        except ValueError:
            parameters[key] = value
    return parameters


def _require_setting(
    name: str, option: str, model: str, api: str | None, parameters: dict[str, Any]
) -> None:
    from mirascope.core import UsageError
    from mirascope.core.plugins import load_provider

    if name in parameters:
        raise UsageError(f"{option} and --param {name} mean the same: give one of them")
    provider, slash, _ = model.partition("/")
    # A model without a provider is refused with a better message later.
    if slash and provider and name not in load_provider(provider, api).settings:
        raise UsageError(f"provider {provider!r} takes no {option}")


def _message(text: str | bytes, what: str) -> str:
    """Return a message's text without the last line's end, which `echo` puts there."""
    from mirascope.core import UsageError

    try:
        # Bytes of an argument that are not UTF-8 are surrogates in its string.
        text = text.decode() if isinstance(text, bytes) else text.encode().decode()
    except UnicodeError:
        raise UsageError(f"the {what} must be UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise UsageError(f"the {what} is empty")
    return text
