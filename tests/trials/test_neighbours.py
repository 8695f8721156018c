"""Many streams at once: each one has its own answer, and a fault of one is nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mirascope.core import StreamInterruptedError
from mirascope.core.testing import ReceivedRequest, Reset, Server

from .conftest import LONG, Tried
from .protocols import Protocol, name_of

THREADS = 64
WHOLE = 3000 if LONG else 320
AT_ONCE = 500 if LONG else 100
PIECES = 20


def is_faulty(number: int) -> bool:
    """Whether the connection of this stream is reset: a tenth of them."""
    return number % 10 == 7


def start(serve: Callable[..., Server], protocol: Protocol, *, faults: bool) -> str:
    """Start a server that answers each request with its name, in many pieces."""

    def reply(request: ReceivedRequest) -> Any:
        name = name_of(request.body)
        steps = protocol.reply(*[f"<{name}>"] * PIECES)
        if faults and is_faulty(int(name)):
            return [*steps[: PIECES // 2], Reset()]
        return steps

    return serve(reply, path="/v1").url


def outcome(number: int, stream: Any, error: Exception | None, *, faults: bool) -> str | None:
    """Return what is wrong about a stream that has ended, or None."""
    piece, text = f"<{number}>", stream.content
    if text.replace(piece, ""):
        return f"{number}: another's text: {text!r}"
    if faults and is_faulty(number):
        right = isinstance(error, StreamInterruptedError) and stream.state == "failed"
        return None if right else f"{number}: a reset, and {stream.state} with {error!r}"
    right = error is None and stream.state == "completed" and text == piece * PIECES
    return None if right else f"{number}: {stream.state} with {error!r}"


def in_threads(protocol: Protocol, url: str, count: int, *, faults: bool) -> list[str]:
    def run(number: int) -> str | None:
        stream = protocol.ask(str(number), **protocol.settings(url))
        error = None
        try:
            for _ in stream:
                pass
        except Exception as raised:
            error = raised
        return outcome(number, stream, error, faults=faults)

    with ThreadPoolExecutor(THREADS) as pool:
        return [wrong for wrong in pool.map(run, range(count)) if wrong]


def test_whole_streams_in_threads(
    protocol: Protocol, serve: Callable[..., Server], tried: Tried
) -> None:
    url = start(serve, protocol, faults=False)
    assert in_threads(protocol, url, WHOLE, faults=False) == []
    tried(WHOLE)


def test_a_tenth_with_faults_in_threads(
    protocol: Protocol, serve: Callable[..., Server], tried: Tried
) -> None:
    url = start(serve, protocol, faults=True)
    assert in_threads(protocol, url, WHOLE // 4, faults=True) == []
    tried(WHOLE // 4)


def test_a_tenth_with_faults_in_one_event_loop(
    protocol: Protocol, serve: Callable[..., Server], tried: Tried
) -> None:
    url = start(serve, protocol, faults=True)

    async def run(number: int) -> str | None:
        stream = await protocol.ask(str(number), asynchronous=True, **protocol.settings(url))
        error = None
        try:
            async for _ in stream:
                pass
        except Exception as raised:
            error = raised
        return outcome(number, stream, error, faults=True)

    async def main() -> list[str | None]:
        return await asyncio.gather(*map(run, range(AT_ONCE)))

    assert [wrong for wrong in asyncio.run(main()) if wrong] == []
    tried(AT_ONCE)
