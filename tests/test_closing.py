"""Leaving a stream closes its connection at once, measured at the server (S11, S12).

Garbage collection is off in every test here: closing must not wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import BaseStream, StreamConsumedError, StreamNotExhaustedError
from mirascope.core.testing import Hold, Pause, Server, streamed, streaming
from mirascope_tests.api import API
from mirascope_tests.chat import USAGE, answer, chunk

Serve = Callable[..., Server]
AT_ONCE = 0.2
"""Seconds within which a connection that is not wanted any more must be closed."""


@pytest.fixture(autouse=True)
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def endless() -> Iterator[Any]:
    """A reply that never ends by itself and says its usage early."""

    def steps() -> Iterator[Any]:
        yield chunk("", role="assistant")
        yield chunk("Hel", usage=USAGE)
        yield chunk("lo")
        while True:
            yield Pause(0.01)
            yield chunk(".")

    return streaming(steps())


STALLED = streamed(chunk("", role="assistant"), chunk("Hel", usage=USAGE), chunk("lo"), Hold())


@pytest.fixture(params=["bytes", "sdk"])
def source(request: pytest.FixtureRequest, api: API) -> dict[str, Any]:
    """Each way in which a provider reads a response, as options of a call."""
    if request.param == "sdk" and api.provider != "openai":
        pytest.skip("this provider has no SDK")
    return {"sdk_iteration": request.param == "sdk"}


@contextlib.asynccontextmanager
async def begun(api: API, server: Server, **call: Any) -> AsyncIterator[Any]:
    """A stream of a call to the server."""
    async with api.connected(server) as connection:
        yield await api.call(api.ask(**connection, **call), "fantasy")


async def closed_since(server: Server, start: float, connection: int = 0) -> None:
    """Check that the server saw the connection close at once."""
    closed = await asyncio.to_thread(server.wait_closed, connection)
    assert closed - start < AT_ONCE


def stopped_with(stream: Any, content: str, state: str = "stopped") -> None:
    assert stream.state == state
    assert stream.error is None
    assert stream.content.startswith(content)
    assert stream.message_param == {"role": "assistant", "content": stream.content}
    assert stream.usage is not None
    assert stream.common_usage.input_tokens == 12
    assert stream.finish_reason is None
    assert stream.cost_details is None or not stream.cost_details.exact


@pytest.mark.parametrize("reply", [endless, lambda: STALLED], ids=["flowing", "stalled"])
async def test_break(
    api: API, serve: Serve, source: dict[str, Any], reply: Callable[[], Any]
) -> None:
    server = serve(reply())
    async with begun(api, server, **source) as stream:
        async for chunk_, _ in api.each(stream):
            if chunk_.content == "lo":
                start = time.monotonic()
                break
        # The very next line: nothing has been awaited since.
        stopped_with(stream, "Hello")
        await closed_since(server, start)
    assert stream.state == "stopped"


async def test_an_exception_in_the_loop(api: API, serve: Serve, source: dict[str, Any]) -> None:
    server = serve(endless())
    async with begun(api, server, **source) as stream:
        with pytest.raises(ZeroDivisionError) as caught:  # noqa: PT012
            async for chunk_, _ in api.each(stream):
                if chunk_.content == "lo":
                    start = time.monotonic()
                    1 / 0  # noqa: B018
        stopped_with(stream, "Hello")
        await closed_since(server, start)
        assert caught.value.__context__ is None


async def test_return_from_the_loop(api: API, serve: Serve, source: dict[str, Any]) -> None:
    server = serve(endless())

    async def first_word(stream: Any) -> str:
        async for chunk_, _ in api.each(stream):
            if chunk_.content:
                return str(chunk_)
        raise AssertionError

    async with begun(api, server, **source) as stream:
        assert await first_word(stream) == "Hel"
        start = time.monotonic()
        stopped_with(stream, "Hel")
        await closed_since(server, start)


async def test_break_where_nothing_else_holds_the_stream(api: API, serve: Serve) -> None:
    server = serve(endless())
    async with api.connected(server) as connection:
        ask = api.ask(**connection)
        async for chunk_, _ in api.each(await api.call(ask, "fantasy")):
            if chunk_.content:
                start = time.monotonic()
                break
        await closed_since(server, start)


async def test_leaving_a_with_block(api: API, serve: Serve, source: dict[str, Any]) -> None:
    server = serve(endless())
    async with begun(api, server, **source) as stream:
        async with api.block(stream) as opened:
            assert opened is stream
            assert stream.state == "streaming"
            items = api.each(stream)
            async for chunk_, _ in items:
                if chunk_.content == "lo":
                    break
            start = time.monotonic()
        stopped_with(stream, "Hello")
        await closed_since(server, start)


async def test_a_with_block_that_reads_nothing(api: API, serve: Serve) -> None:
    server = serve(endless())
    async with begun(api, server) as stream:
        async with api.block(stream):
            assert stream.state == "streaming"
            start = time.monotonic()
        assert stream.state == "stopped"
        assert stream.message_param == {"role": "assistant", "content": ""}
        await closed_since(server, start)


@pytest.mark.parametrize("end", ["close", "cancel"])
async def test_ending_it_in_the_loop(
    api: API, serve: Serve, source: dict[str, Any], end: str
) -> None:
    server = serve(endless())
    async with begun(api, server, **source) as stream:
        count = 0
        async for chunk_, _ in api.each(stream):
            assert count == 0, "the loop went on after the stream had ended"
            if chunk_.content == "lo":
                count += 1
                start = time.monotonic()
                await (api.close(stream) if end == "close" else api.cancel(stream))
        assert count == 1
        stopped_with(stream, "Hello", "stopped" if end == "close" else "cancelled")
        await closed_since(server, start)


async def test_ending_it_again_changes_nothing(api: API, serve: Serve) -> None:
    server = serve(endless())
    async with begun(api, server) as stream:
        async for chunk_, _ in api.each(stream):
            if chunk_.content == "lo":
                break
        before = (stream.state, stream.end_time, stream.content)
        for _ in range(2):
            await api.close(stream)
            stream.cancel()
            async with contextlib.AsyncExitStack() as stack:
                with pytest.raises(StreamConsumedError):
                    await stack.enter_async_context(api.block(stream))
        assert (stream.state, stream.end_time, stream.content) == before


@pytest.mark.parametrize("end", ["close", "cancel"])
async def test_ending_it_before_it_began_sends_nothing(api: API, serve: Serve, end: str) -> None:
    server = serve(endless())
    async with begun(api, server) as stream:
        await (api.close(stream) if end == "close" else api.cancel(stream))
        assert stream.state == ("stopped" if end == "close" else "cancelled")
        with pytest.raises(StreamConsumedError):
            api.each(stream).__aiter__()
        with pytest.raises(StreamConsumedError):
            await api.result(stream.open())
        assert stream.usage is None
        assert stream.start_time <= stream.end_time
    assert server.requests == []


@pytest.mark.parametrize("end", ["close", "cancel"])
def test_another_thread_ends_a_blocked_read(serve: Serve, provider: str, end: str) -> None:
    api = API(provider, False)
    server = serve(STALLED)

    async def body() -> None:
        async with begun(api, server) as stream:
            starts: list[float] = []

            def leave() -> None:
                starts.append(time.monotonic())
                getattr(stream, end)()

            timer: threading.Timer | None = None
            for chunk_, _ in stream:
                if chunk_.content == "lo":
                    timer = threading.Timer(0.1, leave)
                    timer.start()
            unblocked = time.monotonic()
            assert timer is not None
            timer.join()
            assert unblocked - starts[0] < AT_ONCE
            stopped_with(stream, "Hello", "stopped" if end == "close" else "cancelled")
            await closed_since(server, starts[0])

    asyncio.run(body())


@pytest.mark.parametrize("sdk_iteration", [False, True], ids=["bytes", "sdk"])
@pytest.mark.parametrize("end", ["aclose", "cancel", "cancel from a thread"])
def test_another_task_ends_a_waiting_read(
    serve: Serve, provider: str, end: str, sdk_iteration: bool
) -> None:
    if sdk_iteration and provider != "openai":
        pytest.skip("this provider has no SDK")
    api = API(provider, True)
    server = serve(STALLED)

    async def body() -> None:
        async with begun(api, server, sdk_iteration=sdk_iteration) as stream:
            waiting = asyncio.Event()

            async def read() -> float:
                async for chunk_, _ in stream:
                    if chunk_.content == "lo":
                        waiting.set()
                return time.monotonic()

            reader = asyncio.create_task(read())
            await waiting.wait()
            await asyncio.sleep(0.05)
            start = time.monotonic()
            if end == "aclose":
                await stream.aclose()
            elif end == "cancel":
                stream.cancel()
            else:
                await asyncio.to_thread(stream.cancel)
            assert await asyncio.wait_for(reader, 5) - start < AT_ONCE
            assert reader.cancelling() == 0
            stopped_with(stream, "Hello", "stopped" if end == "aclose" else "cancelled")
            await closed_since(server, start)

    asyncio.run(body())


@pytest.mark.parametrize("headers", [False, True], ids=["before headers", "in the body"])
@pytest.mark.parametrize("how", ["cancel", "wait_for", "timeout"])
def test_cancelling_the_task(serve: Serve, provider: str, how: str, headers: bool) -> None:
    api = API(provider, True)
    server = serve(STALLED if headers else [Hold()])

    async def body() -> None:
        async with begun(api, server) as stream:
            if how == "cancel":
                task = asyncio.create_task(stream.collect())
                await asyncio.to_thread(server.wait_requests)
                await asyncio.sleep(0.1)
                start = time.monotonic()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert task.cancelled()
            elif how == "wait_for":
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(stream.collect(), 0.3)
                start = time.monotonic()
            else:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.3):
                        await stream.collect()
                start = time.monotonic()
            assert stream.state == "cancelled"
            assert stream.content == ("Hello" if headers else "")
            await closed_since(server, start)

    asyncio.run(body())


def test_cancelling_a_stream_and_its_task_cancels_the_task(serve: Serve, provider: str) -> None:
    api = API(provider, True)
    server = serve(STALLED)

    async def body() -> None:
        async with begun(api, server) as stream:
            task = asyncio.create_task(stream.collect())
            await asyncio.to_thread(server.wait_requests)
            await asyncio.sleep(0.1)
            stream.cancel()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert stream.state == "cancelled"

    asyncio.run(body())


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_cancelling_while_the_server_thinks(serve: Serve, provider: str, is_async: bool) -> None:
    """Most of the waiting for a model comes before the headers of its response."""
    api = API(provider, is_async)
    server = serve([Hold()])

    async def body() -> None:
        async with begun(api, server) as stream:
            starts: list[float] = []

            def leave() -> None:
                server.wait_requests()
                starts.append(time.monotonic())
                stream.cancel()

            thread = threading.Thread(target=leave)
            thread.start()
            items = [item async for item in api.each(stream)]
            assert time.monotonic() - starts[0] < AT_ONCE
            assert items == []
            assert stream.state == "cancelled"
            thread.join()

    asyncio.run(body())


async def test_a_held_iterator_goes_on(api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hel", "lo", "!")))
    async with begun(api, server) as stream:
        iterator = aiter(api.each(stream))
        async for chunk_, _ in iterator:
            if chunk_.content == "Hel":
                break
        assert stream.state == "streaming"
        with pytest.raises(StreamNotExhaustedError):
            _ = stream.usage
        rest = [chunk_.content async for chunk_, _ in iterator if chunk_.content]
        assert rest == ["lo", "!"]
        assert stream.content == "Hello!"
        assert stream.state == "completed"


async def test_two_iterators(api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hel", "lo", "!")))
    async with begun(api, server) as stream:
        first = aiter(api.each(stream))
        early = aiter(api.each(stream))
        await anext(first)
        with pytest.raises(StreamConsumedError, match="iterated already"):
            aiter(api.each(stream))
        with pytest.raises(StreamConsumedError, match="iterated already"):
            await anext(early)
        del early
        assert stream.state == "streaming"
        assert "".join([str(chunk_) async for chunk_, _ in first]) == "Hello!"
        assert stream.state == "completed"


async def test_a_stream_is_read_once(api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hel", "lo")))
    async with begun(api, server) as stream:
        reading = await api.drain(stream)
        assert reading.texts == ["Hel", "lo"]
        for _ in range(2):
            with pytest.raises(StreamConsumedError, match="has ended"):
                aiter(api.each(stream))
            with pytest.raises(StreamConsumedError):
                await api.result(stream.collect())
            with pytest.raises(StreamConsumedError):
                await api.result(stream.open())
        assert stream.content == "Hello"
        assert stream.usage is not None
        assert stream.state == "completed"
    assert len(server.requests) == 1


async def test_an_iterator_that_is_exhausted_stays_exhausted(api: API, serve: Serve) -> None:
    async with begun(api, serve(streamed(*answer("Hi")))) as stream:
        iterator = aiter(api.each(stream))
        assert [str(c) async for c, _ in iterator if c.content] == ["Hi"]
        assert [item async for item in iterator] == []


@pytest.mark.parametrize("sdk_iteration", [False, True], ids=["bytes", "sdk"])
async def test_three_calls_use_one_connection(api: API, serve: Serve, sdk_iteration: bool) -> None:
    if sdk_iteration and not (api.provider == "openai" and api.is_async):
        pytest.skip("the synchronous SDK's own loop never reads the end of a body")
    server = serve(streamed(*answer("Hel", "lo")))
    async with api.connected(server) as connection:
        ask = api.ask(**connection, sdk_iteration=sdk_iteration)
        for _ in range(3):
            reading = await api.drain(await api.call(ask, "fantasy"))
            assert reading.error is None
    assert len(server.requests) == 3
    assert [connected.requests for connected in server.connections] == [3]


async def test_three_calls_of_the_default_client_use_one_connection(api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hel", "lo")))
    for _ in range(3):
        ask = api.ask(base_url=server.url, api_key="k")
        assert (await api.drain(await api.call(ask, "fantasy"))).error is None
    assert [connected.requests for connected in server.connections] == [3]


async def test_a_body_that_goes_on_after_the_end_is_given_up(api: API, serve: Serve) -> None:
    """The connection is closed rather than waited for."""
    server = serve(streamed(*answer("Hello"), Hold()))
    async with begun(api, server) as stream:
        start = time.monotonic()
        reading = await api.drain(stream)
        assert reading.error is None
        assert stream.state == "completed"
        assert time.monotonic() - start < 2
        await asyncio.to_thread(server.wait_closed)


async def test_a_connection_after_an_error_is_closed(api: API, serve: Serve) -> None:
    server = serve(streamed(chunk("Hi"), b'data: {"error": {"message": "no"}}\n\n', Hold()))
    async with begun(api, server) as stream:
        reading = await api.drain(stream)
        start = time.monotonic()
        assert reading.error is not None
        await closed_since(server, start)


def test_an_unread_stream_sends_nothing_and_warns_nothing(serve: Serve, provider: str) -> None:
    server = serve(endless())

    async def body() -> None:
        for api in (API(provider, False), API(provider, True)):
            async with begun(api, server) as stream:
                repr(stream)
                iterator = aiter(api.each(stream))
                del iterator
                assert stream.state == "created"
                del stream

    asyncio.run(body())
    assert server.requests == []
    assert server.connections == []


def test_the_wrong_kind_of_loop(serve: Serve, provider: str) -> None:
    server = serve(endless())

    async def body() -> None:
        async with begun(API(provider, False), server) as stream:
            with pytest.raises(TypeError, match=r"'for chunk, tool in stream'"):
                async for _ in stream:
                    pass
            with pytest.raises(TypeError):
                async with stream:
                    pass
        async with begun(API(provider, True), server) as stream:
            with pytest.raises(TypeError, match=r"'async for chunk, tool in stream'"):
                for _ in stream:
                    pass
            with pytest.raises(TypeError), stream:
                pass

    asyncio.run(body())
    assert server.requests == []


async def test_text(api: API, serve: Serve, source: dict[str, Any]) -> None:
    server = serve(streamed(*answer("Hel", "lo")), endless())
    async with api.connected(server) as connection:
        ask = api.ask(**connection, **source)
        stream = await api.call(ask, "fantasy")
        assert [text async for text in api.texts(stream)] == ["Hel", "lo"]
        assert stream.state == "completed"
        stream = await api.call(ask, "fantasy")
        async for text in api.texts(stream):
            start = time.monotonic()
            assert text == "Hel"
            break
        stopped_with(stream, "Hel")
        number = server.requests[-1].connection
        await closed_since(server, start, number)


async def test_collect(api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hel", "lo")))
    async with begun(api, server) as stream:
        response = await api.result(stream.collect())
    assert response.content == str(response) == "Hello"
    assert response.finish_reasons == ["stop"]
    assert response.common_usage == stream.common_usage
    assert response.cost == stream.cost
    assert response.message_param == stream.message_param
    assert isinstance(stream, BaseStream) is not api.is_async


SCRIPT = """
import asyncio, gc, sys
gc.disable()
from mirascope_{provider} import call_async

@call_async("gpt-4o", base_url=sys.argv[1], api_key="k", stream=True, timeout=30)
async def ask(genre: str):
    '''Recommend a {{genre}} book.'''

async def whole():
    stream = await ask("fantasy")
    async for chunk, _ in stream:
        pass
    assert stream.state == "completed", stream.state

async def left():
    stream = await ask("fantasy")
    async for chunk, _ in stream:
        if chunk.content:
            break
    assert stream.state == "stopped", stream.state

for _ in range(3):
    asyncio.run(whole())
    asyncio.run(left())
print("done")
"""


def test_event_loops_that_come_and_go(serve: Serve, provider: str, tmp_path: Path) -> None:
    """The default client belongs to a loop and ends with it, however its streams were left."""
    server = serve(_slow())
    script = tmp_path / "loops.py"
    script.write_text(SCRIPT.format(provider=provider))
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(script), server.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("done\n", "", 0)
    for number in range(len(server.connections)):
        server.wait_closed(number)


def _slow() -> list[Any]:
    begin, *rest = answer("Hel", "lo")
    return streamed(begin, rest[0], Pause(0.1), *rest[1:])
