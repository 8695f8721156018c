"""A call that is cancelled while its request is under way leaves no connection in the pool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from mirascope.core import compatible
from mirascope.core.testing import Server, streamed, whole
from mirascope_tests.api import TLS
from mirascope_tests.chat import answer, completion

STEPS = [
    "connect_tcp.started",
    "connect_tcp.complete",
    "send_request_headers.started",
    "send_request_headers.complete",
    "send_request_body.complete",
    "receive_response_headers.started",
]


class Cancelling:
    """Cancels a task at a step of its request, as httpcore's trace extension tells it."""

    def __init__(self, step: str) -> None:
        self._step = step
        self.task: asyncio.Task[Any] | None = None

    async def __call__(self, request: httpx.Request) -> None:
        given: Any = request.extensions.get("trace")

        async def trace(name: str, info: Any) -> None:
            if self.task is not None and name.endswith(self._step):
                self.task.cancel()
            await given(name, info)

        request.extensions["trace"] = trace


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_cancelled_at_a_step(step: str, stream: bool, serve: Callable[..., Server]) -> None:
    server = serve(streamed(*answer("Hi")) if stream else whole(completion("Hi")))
    cancelling = Cancelling(step)
    async with httpx.AsyncClient(
        base_url=server.url,
        event_hooks={"request": [cancelling]},
        limits=httpx.Limits(max_connections=1),
        timeout=5,
        verify=TLS,
    ) as client:

        @compatible.call_async("m", stream=stream, client=client)
        async def ask() -> str:
            return "Hi"

        async def read() -> str:
            result = await ask()
            return (await result.collect() if stream else result).content

        cancelling.task = asyncio.create_task(read())
        with pytest.raises(asyncio.CancelledError):
            await cancelling.task
        cancelling.task = None
        # The pool has one connection: what was left in it would hold this up.
        assert await read() == "Hi"
