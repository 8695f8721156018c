"""However a stream is left, no connection, thread, task or descriptor of it stays."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from mirascope.core import MirascopeError
from mirascope.core.testing import Hold, ReceivedRequest, Reset, Server, whole

from .conftest import LONG, Tried
from .protocols import Protocol, name_of

TIMES = 200 if LONG else 20
MARGIN = 5
"""How many descriptors, threads or connections may differ: what the process keeps for later."""


class Boom(Exception):  # noqa: N818 - a signal
    """What the body of a loop raises."""


def read(stream: Any) -> None:
    for _ in stream:
        pass


def leave(stream: Any) -> None:
    for _ in stream:
        break


def fail(stream: Any) -> None:
    for _ in stream:
        raise Boom


def cancel_inside(stream: Any) -> None:
    for _ in stream:
        stream.cancel()


def cancel_elsewhere(stream: Any) -> None:
    threading.Timer(0.002, stream.cancel).start()
    read(stream)


def close_elsewhere(stream: Any) -> None:
    threading.Timer(0.002, stream.close).start()
    read(stream)


def half_read(stream: Any) -> None:
    next(iter(stream))


def in_block(stream: Any) -> None:
    with stream:
        raise Boom


def in_cycle(stream: Any) -> None:
    box: list[Any] = [stream.open()]
    box.append(box)


WAYS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "read to its end": ("whole", read),
    "collected": ("whole", lambda stream: stream.collect()),
    "its text read": ("whole", lambda stream: list(stream.text())),
    "left by break": ("stalled", leave),
    "left by an exception": ("stalled", fail),
    "left in a with block": ("stalled", in_block),
    "half read": ("stalled", half_read),
    "opened and dropped": ("stalled", lambda stream: stream.open()),
    "opened and dropped in a cycle": ("stalled", in_cycle),
    "opened and closed": ("stalled", lambda stream: stream.open().close()),
    "opened and cancelled": ("stalled", lambda stream: stream.open().cancel()),
    "cancelled in the loop": ("stalled", cancel_inside),
    "cancelled by another thread": ("stalled", cancel_elsewhere),
    "cancelled while it opens": ("late", cancel_elsewhere),
    "closed by another thread": ("stalled", close_elsewhere),
    "closed while it opens": ("late", close_elsewhere),
    "never opened": ("stalled", lambda stream: stream.close()),
    "reset": ("reset", read),
    "truncated": ("truncated", read),
    "refused": ("refused", read),
}


def reply_of(protocol: Protocol) -> Callable[[ReceivedRequest], Any]:
    def reply(request: ReceivedRequest) -> Any:
        steps = protocol.reply("a", "b")
        return {
            "whole": steps,
            "stalled": protocol.reply("a", "b", before_end=(Hold(),)),
            "late": [Hold()],
            "reset": [*steps[:2], Reset()],
            "truncated": [*steps[:2], b"0\r\n\r\n"],
            "refused": whole({"error": {"message": "no"}}, status=400),
        }[name_of(request.body)]

    return reply


def descriptors() -> int:
    """How many descriptors the process has open."""
    return len(os.listdir("/proc/self/fd"))


def threads() -> int:
    """How many threads of the library there are."""
    return sum(each.name == "mirascope-open" for each in threading.enumerate())


def settle(server: Server, before: int) -> tuple[int, int, int]:
    """Wait until nothing of the streams is left, and return what is."""
    gc.collect()
    deadline = time.monotonic() + 10
    while True:
        left = (len(server.open_connections), threads(), (descriptors() - before) // 2)
        if max(left) <= MARGIN or time.monotonic() > deadline:
            return left
        time.sleep(0.01)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="descriptors are counted by /proc")
@pytest.mark.parametrize("way", WAYS)
def test_streams(protocol: Protocol, serve: Callable[..., Server], way: str, tried: Tried) -> None:
    server = serve(reply_of(protocol), path="/v1")
    name, leave_it = WAYS[way]
    before = descriptors()
    for _ in range(TIMES):
        with contextlib.suppress(Boom, MirascopeError):
            leave_it(protocol.ask(name, **protocol.settings(server.url)))
    assert max(settle(server, before)) <= MARGIN
    tried(TIMES)


async def read_async(stream: Any) -> None:
    async for _ in stream:
        pass


async def leave_async(stream: Any) -> None:
    async for _ in stream:
        break


async def cancel_task(stream: Any) -> None:
    task = asyncio.ensure_future(read_async(stream))
    await asyncio.sleep(0.002)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def cancel_async(stream: Any) -> None:
    asyncio.get_running_loop().call_later(0.002, stream.cancel)
    await read_async(stream)


async def open_and_drop(stream: Any) -> None:
    await stream.open()


async def open_and_close(stream: Any) -> None:
    await stream.open()
    await stream.aclose()


ASYNC_WAYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "read to its end": ("whole", read_async),
    "left by break": ("stalled", leave_async),
    "opened and dropped": ("stalled", open_and_drop),
    "opened and closed": ("stalled", open_and_close),
    "its task cancelled": ("stalled", cancel_task),
    "its task cancelled while it opens": ("late", cancel_task),
    "cancelled": ("stalled", cancel_async),
    "cancelled while it opens": ("late", cancel_async),
    "reset": ("reset", read_async),
    "truncated": ("truncated", read_async),
    "refused": ("refused", read_async),
}


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="descriptors are counted by /proc")
@pytest.mark.parametrize("way", ASYNC_WAYS)
def test_asynchronous_streams(
    protocol: Protocol, serve: Callable[..., Server], way: str, tried: Tried
) -> None:
    server = serve(reply_of(protocol), path="/v1")
    name, leave_it = ASYNC_WAYS[way]

    async def main() -> None:
        before, tasks = descriptors(), len(asyncio.all_tasks())
        for _ in range(TIMES):
            stream = await protocol.ask(name, asynchronous=True, **protocol.settings(server.url))
            with contextlib.suppress(MirascopeError):
                await leave_it(stream)
            del stream
        gc.collect()
        deadline = time.monotonic() + 10
        while True:
            await asyncio.sleep(0.01)
            left = (
                len(server.open_connections),
                len(asyncio.all_tasks()) - tasks,
                (descriptors() - before) // 2,
            )
            if max(left) <= MARGIN or time.monotonic() > deadline:
                break
        assert max(left) <= MARGIN, left

    asyncio.run(main())
    tried(TIMES)
