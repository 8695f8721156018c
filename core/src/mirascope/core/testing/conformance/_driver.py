"""Calls of the provider under test, in both ways, against a server that says what is wanted."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import threading
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, cast

from ..._call import AsyncCall, Call
from ..._provider._provider import Provider
from ...plugins._registry import load_provider, provider
from ...plugins._spec import ProviderSpec
from .._replies import streamed, whole
from .._server import Server
from .._steps import Hold, Script, Step
from ._check import NotApplicable
from ._wire import Wire

KEY: Final = "Zq7pLw0aVt3mXk9cRb5nYd2sHf8gJe4uTi6oPl1"
"""A key without a prefix that anybody could know it by, as many APIs give them."""


def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"sunny in {city}"


def get_time(zone: str) -> str:
    """Get the time of a zone."""
    return f"noon in {zone}"


def ping() -> str:
    """Ping."""
    return "pong"


TOOLS: Final[tuple[Any, ...]] = (get_weather, get_time, ping)


@dataclass
class Outcome:
    """What one reading of a stream gave.

    Attributes:
        stream: the stream, or the response of a call that was not streamed; None without one.
        chunks: its chunks.
        tools: the tools that were yielded.
        error: what ended it.
        shown: the error as tracebacks and logs show it.
    """

    stream: Any = None
    chunks: list[Any] = field(default_factory=list[Any])
    tools: list[Any] = field(default_factory=list[Any])
    error: BaseException | None = None
    shown: str = ""

    @property
    def whole(self) -> Any:
        """The stream, which must have ended well."""
        if self.error is not None:
            raise AssertionError(f"the stream ended with {self.error!r}")
        return self.stream


class Driver:
    """How the checks reach the provider; what an author sets is in `ProviderConformance`."""

    provider: ClassVar[str | Provider]
    api: ClassVar[str | None] = None
    model: ClassVar[str]
    wire: ClassVar[Wire]
    expect: ClassVar[Mapping[str, Any]] = {}
    deviations: ClassVar[Mapping[str, str]] = {}
    modes: ClassVar[tuple[bool, ...]] = (False, True)
    url_path: ClassVar[str] = ""

    def connection(self, url: str, key: str | None, *, is_async: bool) -> dict[str, Any]:
        """Return the arguments of a call that send it to a server with a key.

        A provider on an SDK gives a `client=` that sends nothing twice.

        Args:
            url: the server's address.
            key: the key, or None for a call that names none.
            is_async: whether the call is asynchronous.
        """
        settings = {"base_url": url, "api_key": key}
        return {n: v for n, v in settings.items() if n in self.tested.settings and v is not None}

    @property
    def tested(self) -> Provider:
        """The provider."""
        if isinstance(self.provider, Provider):
            return self.provider
        return load_provider(self.provider, self.api)

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.provider if isinstance(self.provider, str) else self.provider.name

    @property
    def spec(self) -> ProviderSpec:
        """The plugin's description of it."""
        if not isinstance(self.provider, str):
            raise NotApplicable("the provider was not given by its name")
        return provider(self.provider)

    def needs(self, part: str) -> Any:
        """Return a part of the wire that a check is about."""
        found = getattr(self.wire, part)
        if not found and found != 0:
            raise NotApplicable(f"the wire has no {part!r}")
        return found

    def serve(self, *scripts: Script) -> Server:
        """Return a server for the provider's calls."""
        return Server(*scripts, path=self.url_path)

    def reply(self, *steps: Step) -> list[Step]:
        """Return a streamed reply of the wire's kind."""
        ids = {"x-request-id": "req-7", "request-id": "req-7"}
        headers = {"content-type": self.wire.content_type, **ids}
        return streamed(*steps, headers=headers)

    def whole_reply(self, body: bytes, status: int = 200, **headers: str) -> list[Step]:
        """Return a reply that is not streamed."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return whole(body, status=status, headers=named)

    def function(
        self, is_async: bool, connection: Mapping[str, Any], result: Any = None, **call: Any
    ) -> Any:
        """Return a decorated function."""
        model = call.pop("model", self.model)
        arguments: dict[str, Any] = {"stream": True, **call, **connection}
        if is_async:

            async def ask_async() -> Any:
                """Say hello."""
                return result

            return AsyncCall(self.tested)(model, **arguments)(ask_async)

        def ask() -> Any:
            """Say hello."""
            return result

        decorate = cast("Any", Call(self.tested)(model, **arguments))
        return decorate(ask)

    def ask(
        self,
        is_async: bool,
        *scripts: Script,
        key: str | None = KEY,
        result: Any = None,
        read: Callable[[Any], bool] | None = None,
        connection: Mapping[str, Any] | None = None,
        **call: Any,
    ) -> Outcome:
        """Call the provider against a server and read the stream to its end.

        Args:
            is_async: whether to call it asynchronously.
            *scripts: what the server answers.
            key: the call's key.
            result: what the decorated function returns.
            read: is given each chunk, and tells whether to read on.
            connection: the arguments that send the call somewhere, in place of a server's.
            **call: more arguments of the decorator.
        """
        outcome = Outcome()
        stack = contextlib.ExitStack()
        with (
            stack,
            _logged(
                {"mirascope", self.name, type(self.tested).__module__.partition(".")[0]}
            ) as log,
        ):
            if connection is None:
                server = stack.enter_context(self.serve(*scripts))
                connection = self.connection(server.url, key, is_async=is_async)
            try:
                if is_async:
                    asyncio.run(self._ask_async(outcome, connection, result, read, call))
                else:
                    self._ask(outcome, connection, result, read, call)
            except Exception as error:
                outcome.error = error
                text = "".join(traceback.format_exception(error))
                outcome.shown = f"{error}\n{error!r}\n{text}"
        outcome.shown += "\n".join(log)
        return outcome

    def answers(self, *events: bytes, **call: Any) -> Iterator[tuple[str, Outcome]]:
        """Read one answer in each way, with how it was called."""
        for is_async in self.modes:
            yield ("async" if is_async else "sync"), self.ask(is_async, self.reply(*events), **call)

    def _ask(
        self, outcome: Outcome, connection: Mapping[str, Any], result: Any, read: Any, call: Any
    ) -> None:
        made = self.function(False, connection, result, **call)()
        outcome.stream = made
        if not call.get("stream", True):
            return
        for chunk, tool in made:
            if not _take(outcome, chunk, tool, read):
                break

    async def _ask_async(
        self, outcome: Outcome, connection: Mapping[str, Any], result: Any, read: Any, call: Any
    ) -> None:
        made = await self.function(True, connection, result, **call)()
        outcome.stream = made
        if not call.get("stream", True):
            return
        async for chunk, tool in made:
            if not _take(outcome, chunk, tool, read):
                break


def _take(outcome: Outcome, chunk: Any, tool: Any, read: Callable[[Any], bool] | None) -> bool:
    outcome.chunks.append(chunk)
    if tool is not None:
        outcome.tools.append(tool)
    return read is None or read(chunk)


class _Lines(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextlib.contextmanager
def _logged(names: set[str]) -> Generator[list[str]]:
    """Take down what the library and the plugin log, at every level, and what they print.

    Args:
        names: the loggers; those of an SDK and of the transport are set up by whoever asks for
            their logs.
    """
    lines: list[str] = []
    handler = _Lines(lines)
    loggers = [logging.getLogger(name) for name in sorted(names)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield lines
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
        lines.append(printed.getvalue())


@contextlib.contextmanager
def held(seconds: float = 3) -> Generator[Hold]:
    """Hold a reply until the block is left, and no longer than so many seconds.

    A provider that waits for what it must not wait for fails its check, and holds up no other.
    """
    gate = threading.Event()
    timer = threading.Timer(seconds, gate.set)
    timer.daemon = True
    timer.start()
    try:
        yield Hold(gate)
    finally:
        timer.cancel()
        gate.set()


def release(hold: Hold) -> None:
    """Let a held reply go on."""
    if hold.until is not None:
        hold.until.set()
