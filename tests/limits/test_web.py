"""A stream as the body of a web response ends when the browser leaves, without a collection."""

from __future__ import annotations

import gc
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from mirascope.core import StreamState, compatible
from mirascope.core.testing import Pause, Server, streamed
from mirascope_tests.chat import chunk
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

Serve = Callable[..., Server]


class Site:
    """An application on a real server, and the streams that its views made."""

    def __init__(self, url: str) -> None:
        self.streams: list[Any] = []
        slow = compatible.call("m", stream=True, base_url=url)
        slow_async = compatible.call_async("m", stream=True, base_url=url)

        @slow
        def ask() -> str:
            return "Hi"

        @slow_async
        async def ask_async() -> str:
            return "Hi"

        def text(_: Any) -> StreamingResponse:
            self.streams.append(ask())
            return StreamingResponse(self.streams[-1].text(), media_type="text/plain")

        async def text_async(_: Any) -> StreamingResponse:
            self.streams.append(await ask_async())
            return StreamingResponse(self.streams[-1].text(), media_type="text/plain")

        async def body(_: Any) -> StreamingResponse:
            async def pieces() -> Any:
                stream = await ask_async()
                self.streams.append(stream)
                async for piece, _ in stream:
                    yield piece.content

            return StreamingResponse(pieces(), media_type="text/plain")

        routes = [Route("/text", text), Route("/text_async", text_async), Route("/body", body)]
        self.server = uvicorn.Server(
            uvicorn.Config(Starlette(routes=routes), port=0, log_level="error", lifespan="off")
        )
        self._thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> Site:
        self._thread.start()
        end = time.monotonic() + 20
        while not self.server.started:
            assert time.monotonic() < end
            time.sleep(0.01)
        self.port: int = self.server.servers[0].sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()


@pytest.mark.parametrize("view", ["text", "text_async", "body"])
@pytest.mark.usefixtures("no_collection")
class TestBrowser:
    def test_one_that_leaves_ends_the_stream(self, view: str, serve: Serve) -> None:
        steps = [step for i in range(100) for step in (chunk(f"word {i} "), Pause(0.1))]
        model = serve(streamed(*steps))
        with Site(model.url) as site:
            browser = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
            browser.request("GET", f"/{view}")
            response = browser.getresponse()
            assert response.read(4) == b"word"
            browser.close()
            response.close()
            # The server's side of the model: its connection is closed as well.
            model.wait_closed(seconds=5)
            end = time.monotonic() + 5
            while not site.streams[0].state.ended:
                assert time.monotonic() < end
                time.sleep(0.01)
            assert site.streams[0].state in (StreamState.CANCELLED, StreamState.STOPPED)

    def test_one_that_stays_gets_everything(self, view: str, serve: Serve) -> None:
        model = serve(streamed(chunk("Hello "), Pause(0.05), chunk("there", finish="stop")))
        with Site(model.url) as site:
            browser = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
            browser.request("GET", f"/{view}")
            assert browser.getresponse().read() == b"Hello there"
            browser.close()
            assert site.streams[0].state is StreamState.COMPLETED
