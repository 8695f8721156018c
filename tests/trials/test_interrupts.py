"""Whatever comes between any two steps of a stream leaves nothing behind and harms no other one."""

from __future__ import annotations

import contextlib
import gc
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import StreamConsumedError
from mirascope.core.plugins import hookimpl, isolated_registry, register_plugin
from mirascope.core.testing import Hold, ReceivedRequest, Server

from .conftest import PATIENCE, Tried
from .interrupting import (
    DRIVERS,
    HTTPCORE,
    Moment,
    TimeLimit,
    elsewhere,
    interrupt,
    time_limit,
)
from .protocols import Protocol, name_of

TEXTS = ("<a>", "<b>", "<c>")
WHOLE = "".join(TEXTS)


class Ground:
    """A server, and a client with two connections: a neighbour's, and one for what is tried.

    What leaves its connection behind makes the next request fail.
    """

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.release = threading.Event()
        self.server = Server(self._reply, path="/v1")
        self.client: Any = None

    def _reply(self, request: ReceivedRequest) -> Any:
        name = name_of(request.body)
        if name == "late":
            return [Hold(), *self.protocol.reply(*TEXTS)]
        stalls = {"neighbour": (Hold(self.release),), "stalled": (Hold(),)}
        return self.protocol.reply(*TEXTS, before_end=stalls.get(name, ()))

    def __enter__(self) -> Ground:
        self.server.start()
        self.client = self.protocol.client(self.server.url, connections=2)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.server.stop()

    def ask(self, name: str, **options: Any) -> Any:
        """A stream of the answer that has this name."""
        return self.protocol.ask(name, client=self.client, **options)

    @contextlib.contextmanager
    def neighbour(self, moment: Moment) -> Iterator[Any]:
        """Another stream is half read meanwhile, and to its end afterwards."""
        self.release.clear()
        stream = self.ask("neighbour")
        chunks = iter(stream)
        text = ""
        while text != WHOLE:
            text += next(chunks)[0].content
        yield stream
        if stream.state == "cancelled":
            return
        self.release.set()
        text += "".join(chunk.content for chunk, _ in chunks)
        assert (text, str(stream.state)) == (WHOLE, "completed"), moment

    def check(self, moment: Moment) -> None:
        """Nothing runs any more, and the client has a connection for the next request."""
        deadline = time.monotonic() + 10
        while left := [
            t for t in threading.enumerate() if t.name in ("mirascope-open", "elsewhere")
        ]:
            assert time.monotonic() < deadline, (moment, left)
            time.sleep(0.001)
        assert self.ask("control").collect().content == WHOLE, moment


def read_whole(stream: Any) -> None:
    """Read to the end."""
    for _ in stream:
        pass


def leave_loop(stream: Any) -> None:
    """Leave the loop at the first text."""
    for chunk, _ in stream:
        if chunk.content:
            break


def open_and_close(stream: Any) -> None:
    """Open without reading."""
    with stream:
        pass


READ: list[tuple[Callable[[Any], None], dict[str, Any]]] = [
    (read_whole, {}),
    (read_whole, {"timeout": 20}),
    (leave_loop, {}),
    (open_and_close, {}),
]
READ_IDS = ["whole", "deadlines", "break", "with"]


class Observer:
    """A plugin that is told of every stream."""

    @hookimpl
    def mirascope_stream_started(self, stream: Any) -> None:
        repr(stream)

    @hookimpl
    def mirascope_stream_finished(self, stream: Any) -> None:
        repr(stream)


@pytest.fixture(autouse=True)
def _observed() -> Iterator[None]:
    with isolated_registry():
        register_plugin(Observer())
        yield


@pytest.fixture
def ground(protocol: Protocol) -> Iterator[Ground]:
    with Ground(protocol) as ground:
        yield ground


def is_honest(stream: Any) -> bool:
    """Whether a stream's state and its text agree."""
    text = stream.content
    return WHOLE.startswith(text) and (stream.state != "completed" or text == WHOLE)


@pytest.mark.parametrize("action", [interrupt, time_limit])
@pytest.mark.parametrize(("read", "options"), READ, ids=READ_IDS)
def test_what_a_signal_handler_raises(
    ground: Ground,
    read: Callable[[Any], None],
    options: dict[str, Any],
    action: Callable[[], None],
    tried: Tried,
    tmp_path: Path,
) -> None:
    """It passes as it is, and the connection is let go."""
    for moment in tried.moments(DRIVERS | {__file__}, step=5):
        with ground.neighbour(moment):
            path = tmp_path / f"{moment.number}.jsonl"
            stream = ground.ask("tried", record=path if options else None, **options)
            raised = False
            with moment(action):
                try:
                    read(stream)
                except (KeyboardInterrupt, TimeLimit):
                    raised = True
            if moment.place is not None:
                assert raised or moment.lost, moment
            assert is_honest(stream), moment
            assert stream.error is None, moment
            if moment.number % 2:
                stream.close()
                assert stream.state.ended, moment
            else:
                del stream
                gc.collect()
            ground.check(moment)
    assert tried.furthest > 40 or tried.is_over


@pytest.mark.parametrize("place", ["here", "elsewhere"])
@pytest.mark.parametrize("how", ["cancel", "close"])
@pytest.mark.parametrize("name", ["tried", "stalled", "late"])
@pytest.mark.parametrize("timeout", [None, 20], ids=["", "deadlines"])
def test_cancelling(
    ground: Ground, name: str, how: str, place: str, timeout: float | None, tried: Tried
) -> None:
    """Whenever it comes, whoever waits for the stream goes on."""
    files, step = (DRIVERS, 5) if place == "elsewhere" else (DRIVERS | HTTPCORE, 17)
    for moment in tried.moments(files, step=step):
        with ground.neighbour(moment):
            stream = ground.ask(name, timeout=timeout)
            action = getattr(stream, how)
            # Behind the last moment the stream would wait for good.
            late = time.monotonic() + PATIENCE
            last = threading.Timer(PATIENCE, stream.cancel)
            last.start()
            # A stream that ends before its loop begins can't be iterated.
            begun = contextlib.suppress(StreamConsumedError)
            with begun, moment(action if place == "here" else elsewhere(action)):
                read_whole(stream)
            last.cancel()
            moment.is_last = time.monotonic() >= late
            assert not moment.is_last or moment.when == 0 or moment.when >= late, moment
            assert stream.state in ("completed", "cancelled", "stopped"), moment
            assert is_honest(stream), moment
            ground.check(moment)
    assert tried.furthest > 20 or tried.is_over
