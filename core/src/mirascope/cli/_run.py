"""`mirascope run`: ask a model and stream its answer."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ._answer import Answer, LinesDisplay, ValueAnswer
from ._default_model import MODEL_VARIABLE, default_model
from ._input import message_text, user_content
from ._json import parse_json
from ._models import complete_model
from ._output import Display, PlainDisplay

if TYPE_CHECKING:
    from mirascope.core import BaseStream, StructuredStream

_OPTIONS: Final = {
    "model": "name the model with --model",
    "messages": "the messages are PROMPT, --system and --attachment",
    "stream": "an answer is always streamed; --format json prints it whole",
    "tools": "a tool is a function of a program",
    "response_model": "name the type with --schema",
    "response_mode": "give --schema-mode",
    "output_parser": "a parser is a function of a program",
}
"""What is never a parameter of an API, and what gives it."""


class RunFormat(StrEnum):
    """What is printed of an answer."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


class SchemaMode(StrEnum):
    """How a value is asked for."""

    NATIVE = "native"
    TOOL = "tool"
    JSON = "json"


def run(
    prompt: Annotated[
        str | None,
        typer.Argument(
            metavar="PROMPT",
            help="What to ask. What is piped in follows it, or is the prompt where there is none.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="PROVIDER/MODEL",
            help=f"Whom to ask, as in openai/gpt-4o; else ${MODEL_VARIABLE}, a provider whose key "
            "is set, or the embedded model.",
            autocompletion=complete_model,
        ),
    ] = None,
    api: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="One of the provider's wire protocols, where it has several."
        ),
    ] = None,
    system: Annotated[
        str | None,
        typer.Option("--system", "-s", metavar="TEXT", help="A system message before the prompt."),
    ] = None,
    attachment: Annotated[
        list[str] | None,
        typer.Option(
            "--attachment",
            "-a",
            metavar="FILE|URL",
            help="An image, audio or a document that goes with the prompt; '-' reads it from "
            "standard input. May be repeated.",
        ),
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
    schema: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|MODULE:NAME",
            help="Answer with JSON of this type: a file with a JSON schema, or a type of a module, "
            "such as a pydantic model. It is validated at the end.",
        ),
    ] = None,
    schema_mode: Annotated[
        SchemaMode | None,
        typer.Option(
            help="How the model is asked for it: by the API's own parameter, as a tool's "
            "arguments, or in words; by default the best way that the provider has.",
            show_default=False,
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
    form: Annotated[
        RunFormat,
        typer.Option(
            "--format",
            help="The text, one JSON object at the end, or a line of JSON for each piece and one "
            "for the whole.",
        ),
    ] = RunFormat.TEXT,
) -> None:
    """Ask a model and stream its answer.

    The answer goes to standard output: rendered in a terminal, byte for byte into a pipe. It is
    followed by one line on standard error: model, tokens in and out, cost, time to the first
    token, and tokens per second from then on. Keys are read from the environment, as in
    OPENAI_API_KEY.
    """
    from mirascope.core import Messages

    model = model or default_model()
    parameters = _parameters(param or [])
    if base_url is not None:
        _require_setting("base_url", "--base-url", model, api, parameters)
        parameters["base_url"] = base_url
    messages = [Messages.User(user_content(prompt, attachment or []))]
    if system is not None:
        messages.insert(0, Messages.System(message_text(system, "system message")))

    given = {"api": api, "call_params": parameters, "timeout": timeout, "record": record}
    answer = _answer(model, messages, given, _asked_type(schema, schema_mode), form)
    problem = answer.show()
    answer.report(problem)
    if answer.interrupted:
        raise KeyboardInterrupt
    raise typer.Exit(0 if problem is None else 1)


def _answer(
    model: str,
    messages: list[Any],
    given: dict[str, Any],
    asked: dict[str, Any],
    form: RunFormat,
) -> Answer:
    """Return the answer to come: text, or a value where a type was asked for."""
    from mirascope.core import call

    # Whether it streams text or a value only shows at run time.
    decorate: Any = call

    # A prompt from the command line is not a template: its braces are text, so it is a message.
    def ask() -> list[Any]:
        return messages

    made = decorate(model, stream=True, **given, **asked)(ask)()
    if not asked:
        return Answer(made, _display(made, form))
    value: StructuredStream[Any] = made
    return ValueAnswer(value, _display(value.stream, form, value))


def _asked_type(schema: str | None, mode: SchemaMode | None) -> dict[str, Any]:
    """Return what a decorator is told of the type of the answer."""
    from mirascope.core import UsageError

    from ._schema import read_schema

    if schema is None:
        if mode is not None:
            raise UsageError("--schema-mode tells how --schema is asked for: give --schema")
        return {}
    mode_name = None if mode is None else str(mode)
    return {"response_model": read_schema(schema), "response_mode": mode_name}


def _display(
    stream: BaseStream[Any], form: RunFormat, value: StructuredStream[Any] | None = None
) -> Display:
    if form is not RunFormat.TEXT:
        return LinesDisplay(stream, pieces=form is RunFormat.JSONL, value=value)
    if not sys.stdout.isatty():
        return PlainDisplay()
    from ._terminal import terminal_display

    return terminal_display("json" if value is not None else None)


def _parameters(given: list[str]) -> dict[str, Any]:
    from mirascope.core import UsageError

    parameters: dict[str, Any] = {}
    for item in given:
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise UsageError(f"--param takes KEY=VALUE, as in temperature=0.7, not {item!r}")
        if key in _OPTIONS:
            raise UsageError(f"--param can't give {key!r}: {_OPTIONS[key]}")
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
