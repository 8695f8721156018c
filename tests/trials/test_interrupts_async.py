"""The same between any two steps of an asynchronous stream."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from mirascope.core import StreamConsumedError
from mirascope.core.testing import Hold, ReceivedRequest, Server

from .conftest import PATIENCE, Tried
from .interrupting import DRIVERS, HTTPCORE, Moment, elsewhere, interrupt
from .protocols import Protocol, name_of

TEXTS = ("<a>", "<b>", "<c>")
WHOLE = "".join(TEXTS)


class Ground:
    """A server, and in each event loop a client with one connection."""

    def __init__(self, protocol: Protocol, server: Server) -> None:
        self.protocol = protocol
        self.server = server
        self.client: Any = None

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Have a client that has a connection in its pool."""
        self.client = self.protocol.client(self.server.url, asynchronous=True, connections=1)
        try:
            yield
        finally:
            client = getattr(self.client, "aio", self.client)
            await (client.aclose() if hasattr(client, "aclose") else client.close())

    async def ask(self, name: str, **options: Any) -> Any:
        """A stream of the answer that has this name."""
        return await self.protocol.ask(name, asynchronous=True, client=self.client, **options)

    async def check(self, moment: Moment) -> None:
        """The client has its connection for the next request."""
        response = await (await self.ask("control")).collect()
        assert response.content == WHOLE, moment


@pytest.fixture
def ground(protocol: Protocol, serve: Callable[..., Server]) -> Ground:
    def reply(request: ReceivedRequest) -> Any:
        name = name_of(request.body)
        if name == "late":
            return [Hold(), *protocol.reply(*TEXTS)]
        return protocol.reply(*TEXTS, before_end=(Hold(),) if name == "stalled" else ())

    return Ground(protocol, serve(reply, path="/v1"))


async def read_whole(stream: Any) -> None:
    """Read to the end."""
    async for _ in stream:
        pass


async def leave_loop(stream: Any) -> None:
    """Leave the loop at the first text."""
    async for chunk, _ in stream:
        if chunk.content:
            break


async def open_and_close(stream: Any) -> None:
    """Open without reading."""
    async with stream:
        pass


READ: list[Any] = [
    pytest.param(read_whole, {}, id="whole"),
    pytest.param(read_whole, {"timeout": 20}, id="deadlines"),
    pytest.param(leave_loop, {}, id="break"),
    pytest.param(open_and_close, {}, id="with"),
]


def is_honest(stream: Any) -> bool:
    """Whether a stream's state and its text agree."""
    text = stream.content
    return WHOLE.startswith(text) and (stream.state != "completed" or text == WHOLE)


@pytest.mark.parametrize("warm", [False, True], ids=["connecting", "connected"])
@pytest.mark.parametrize(("read", "options"), READ)
def test_a_task_that_is_cancelled(
    ground: Ground, read: Any, options: dict[str, Any], warm: bool, tried: Tried
) -> None:
    """Its stream lets the connection go, and so does one that is cancelled while it connects."""

    async def run(moment: Moment) -> None:
        async with ground.connected():
            if warm:
                await ground.check(moment)
            stream = await ground.ask("tried", **options)
            task = asyncio.ensure_future(read(stream))
            # The task begins: what cancels it otherwise comes before there is anything to cancel.
            await asyncio.sleep(0)
            with moment(task.cancel), contextlib.suppress(asyncio.CancelledError):
                await task
            assert is_honest(stream), moment
            assert stream.error is None, moment
            if moment.number % 2:
                await stream.aclose()
                assert stream.state.ended, moment
            else:
                del stream, task
                gc.collect()
            await ground.check(moment)

    for moment in tried.moments(DRIVERS | HTTPCORE, step=19):
        asyncio.run(run(moment))
    assert tried.furthest > 40 or tried.is_over


@pytest.mark.parametrize("how", ["cancel", "cancel elsewhere", "aclose"])
@pytest.mark.parametrize("name", ["tried", "stalled", "late"])
def test_cancelling(ground: Ground, name: str, how: str, tried: Tried) -> None:
    """Whenever it comes, whoever waits for the stream goes on."""

    async def run(moment: Moment) -> None:
        async with ground.connected():
            await ground.check(moment)
            stream = await ground.ask(name)
            closing: list[asyncio.Task[None]] = []
            actions: dict[str, Callable[[], object]] = {
                "cancel": stream.cancel,
                "cancel elsewhere": elsewhere(stream.cancel),
                "aclose": lambda: closing.append(asyncio.ensure_future(stream.aclose())),
            }
            # Behind the last moment the stream would wait for good.
            late = time.monotonic() + PATIENCE
            last = asyncio.get_running_loop().call_later(PATIENCE, stream.cancel)
            with contextlib.suppress(StreamConsumedError), moment(actions[how]):
                await read_whole(stream)
            last.cancel()
            moment.is_last = time.monotonic() >= late
            assert not moment.is_last or moment.when == 0 or moment.when >= late, moment
            for task in closing:
                await task
            assert stream.state in ("completed", "cancelled", "stopped"), moment
            assert is_honest(stream), moment
            await ground.check(moment)

    for moment in tried.moments(DRIVERS | HTTPCORE, step=19):
        asyncio.run(run(moment))
    assert tried.furthest > 20 or tried.is_over


# What is raised through an event loop leaves coroutines and transports that nobody has ended.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("read", "options"), READ)
def test_what_a_signal_handler_raises(
    ground: Ground, read: Any, options: dict[str, Any], tried: Tried
) -> None:
    """It ends the event loop, and the connection with it."""

    async def run(moment: Moment) -> None:
        async with ground.connected():
            stream = await ground.ask("tried", **options)
            with moment(interrupt):
                await read(stream)

    for moment in tried.moments(DRIVERS, step=5):
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(run(moment))
        gc.collect()
        ground.server.wait_open(0)
    assert tried.furthest > 40 or tried.is_over
