"""At every moment one stream, or the pool, owns a connection."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import stat
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from mirascope.core import (
    ClientCache,
    RateLimitError,
    Recording,
    StreamConsumedError,
    StreamTimeoutError,
    compatible,
    error_from_status,
    openai,
    stream_from,
)
from mirascope.core.plugins import hookimpl, isolated_registry, register_plugin
from mirascope.core.testing import Hold, Pause, ReceivedRequest, Server, streamed, whole
from mirascope_tests.api import API
from mirascope_tests.chat import DONE, answer, completion
from mirascope_tests.forks import forked

Serve = Callable[..., Server]
KEY = "key-of-the-test"


def echo(request: ReceivedRequest) -> Any:
    """Answer with the name of the model that was asked for, in many chunks."""
    return streamed(*answer(*[f"<{request.json['model']}>"] * 30), DONE)


def ask(server: Server, name: str) -> str:
    """Ask through the default client; return the answer, or what went wrong."""

    @compatible.call(name, stream=True, base_url=server.url, api_key=KEY)
    def hello() -> None:
        """Hi"""

    try:
        return hello().collect().content
    except Exception as error:
        return repr(error)


def test_draining_a_stream_never_ends_another(serve: Serve) -> None:
    """A connection that went back to the pool is not shut down by the stream that had it before."""
    server = serve(echo)
    names = [f"model-{number}" for number in range(600)]
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda name: ask(server, name), names))
    assert answers == [f"<{name}>" * 30 for name in names]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_has_clients_of_its_own(serve: Serve) -> None:
    server = serve(echo)
    assert ask(server, "warm") == "<warm>" * 30
    children = []
    for number in range(3):

        def ask_often(name: str = f"child-{number}") -> None:
            assert all(ask(server, name) == f"<{name}>" * 30 for _ in range(10))

        children.append(forked(ask_often))
    own = Counter(ask(server, "parent") for _ in range(10))
    statuses = [os.waitpid(child, 0)[1] for child in children]
    assert own == {"<parent>" * 30: 10}
    assert statuses == [0, 0, 0]


def test_cancel_may_be_called_by_a_signal_handler() -> None:
    """Between any two lines in which a stream ends: a handler runs in the thread it interrupts."""
    body = b'data: {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}\n\n'
    line, lines = 0, 99
    while line < lines:
        stream: Any = stream_from(
            Recording.of_body(body + b"data: [DONE]\n\n"), provider="compatible"
        )
        seen = 0

        def handler(frame: Any, event: str, _: Any, stream: Any = stream, line: int = line) -> Any:
            nonlocal seen
            if event == "line" and frame.f_code.co_name in ("_finish", "_release", "open"):
                if seen == line:
                    stream.cancel()
                seen += 1
            return handler

        before = sys.gettrace()
        sys.settrace(handler)
        try:
            text = "".join(chunk.content for chunk, _ in stream)
        finally:
            sys.settrace(before)
        assert stream.state in ("completed", "cancelled")
        assert text in ("", "Hi")
        lines, line = seen, line + 1
    assert line > 5


async def test_two_openers_send_one_request(api: API, serve: Serve) -> None:
    server = serve([Pause(0.3), *streamed(*answer("Hi"), DONE)])
    async with api.connected(server) as connection:
        stream = await api.call(api.ask(**connection))

        def in_a_thread() -> Any:
            return stream.open()

        opens = [
            stream.open() if api.is_async else asyncio.to_thread(in_a_thread) for _ in range(4)
        ]
        opened = await asyncio.gather(*opens, return_exceptions=True)
        assert sorted(type(one).__name__ for one in opened if one is not stream) == (
            ["StreamConsumedError"] * 3
        )
        reading = await api.drain(stream)
    assert reading.error is None
    assert stream.content == "Hi"
    assert len(server.requests) == 1


async def test_who_iterates_while_another_opens_ends_nothing(api: API, serve: Serve) -> None:
    sent = threading.Event()
    server = serve([Hold(sent), *streamed(*answer("Hi"), DONE)])
    async with api.connected(server) as connection:
        stream = await api.call(api.ask(**connection))

        def in_a_thread() -> Any:
            return stream.open()

        opening = asyncio.ensure_future(
            stream.open() if api.is_async else asyncio.to_thread(in_a_thread)
        )
        await asyncio.to_thread(server.wait_requests, 1)
        with pytest.raises(StreamConsumedError, match="being opened"):
            await anext(aiter(stream)) if api.is_async else next(iter(stream))
        assert stream.state == "streaming"
        sent.set()
        await opening
        reading = await api.drain(stream)
    assert reading.error is None
    assert (stream.content, stream.state) == ("Hi", "completed")


async def test_a_stream_that_is_cancelled_as_it_begins_sends_nothing(
    api: API, serve: Serve
) -> None:
    class Impatient:
        @hookimpl
        def mirascope_stream_started(self, stream: Any) -> None:
            stream.cancel()

    server = serve(streamed(*answer("Hi"), DONE))
    async with api.connected(server) as connection:
        ask = api.ask(**connection)
        with isolated_registry():
            register_plugin(Impatient())
            reading = await api.drain(await api.call(ask))
    assert reading.error is None
    assert reading.items == []
    assert reading.stream.state == "cancelled"
    assert server.requests == []


async def test_parameters_of_an_api_may_have_any_name(compatible_api: API, serve: Serve) -> None:
    """OpenRouter has one named `provider`; none of them clashes with what is named so inside."""
    names = ("provider", "resolve", "provider_facts", "cls", "settings", "facts")
    server = serve(streamed(*answer("Hi"), DONE))
    reading = await compatible_api.read(server, **dict.fromkeys(names, "x"))
    assert reading.error is None
    assert {name: server.requests[0].json[name] for name in names} == dict.fromkeys(names, "x")


@pytest.mark.parametrize("value", ["-5", "nan", "inf", "-inf", "1e999"])
@pytest.mark.parametrize("name", ["retry-after", "retry-after-ms"])
def test_a_wait_is_one_that_can_be_slept(name: str, value: str) -> None:
    error = error_from_status(429, "slow down", headers={name: value})
    assert isinstance(error, RateLimitError)
    assert error.retry_after is None


def test_a_recording_is_for_its_owner_alone(serve: Serve, tmp_path: Path) -> None:
    server = serve(echo)
    path = tmp_path / "one.jsonl"

    @compatible.call("m", stream=True, base_url=server.url, api_key=KEY, record=path)
    def hello() -> None:
        """Hi"""

    hello().collect()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_stream_that_is_opened_and_dropped_is_closed(api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hi"), Hold()))
    async with api.connected(server) as connection:
        stream = await api.call(api.ask(**connection))
        await api.result(stream.open())
        del stream
        gc.collect()
        await asyncio.sleep(0.05)
        server.wait_closed(0)


def test_an_interrupt_while_the_thread_starts_leaves_nothing(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Thread.start()` waits for the thread, which may have sent the request by then."""
    server = serve(streamed(*answer("Hi"), Hold()))
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        if thread.name == "mirascope-open":
            server.wait_requests()
            raise KeyboardInterrupt

    @compatible.call("m", stream=True, base_url=server.url, api_key=KEY)
    def hello() -> None:
        """Hi"""

    stream = hello()
    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stream.open()
    monkeypatch.undo()
    server.wait_closed(0)
    assert stream.state == "cancelled"


@pytest.mark.parametrize("provider", ["compatible", "openai"])
def test_what_is_given_up_on_a_connection_of_the_pool_ends(serve: Serve, provider: str) -> None:
    """A trace of httpcore's shows a connection when it is made, and not when it is used again."""
    replies = [streamed(*answer("Hi"), DONE), [Hold()]]
    server = serve(*replies, path="/v1")
    package: Any = {"compatible": compatible, "openai": openai}[provider]

    @package.call("m", stream=True, base_url=server.url, api_key=KEY)
    def hello() -> None:
        """Hi"""

    assert hello().collect().content == "Hi"
    stream = hello()
    threading.Timer(0.3, stream.cancel).start()
    assert list(stream) == []
    server.wait_closed(0)
    assert len(server.connections) == 1


class Dropped:
    """Garbage that only the collector finds, with a stream in it."""

    def __init__(self, stream: Any) -> None:
        self.itself, self.stream = self, stream


@pytest.mark.parametrize("how", ["cancelled", "dropped"])
@pytest.mark.parametrize("in_main_thread", [True, False])
def test_a_stream_may_end_where_the_lock_of_the_pool_is_held(
    serve: Serve, how: str, in_main_thread: bool
) -> None:
    """By a signal handler, or the garbage collector: both come in the middle of anything."""
    server = serve(streamed(*answer("Hi"), Hold()), path="/v1")
    with httpx.Client(base_url=server.url) as client:

        @compatible.call("m", stream=True, client=client)
        def hello() -> None:
            """Hi"""

        lock: Any = client._transport._pool._optional_thread_lock  # type: ignore[attr-defined]

        def end() -> None:
            stream = hello().open()
            dropped = Dropped(stream)
            cancel = stream.cancel
            del stream
            with lock:
                if how == "cancelled":
                    cancel()
                del cancel, dropped
                gc.collect()

        thread = threading.Thread(target=end, daemon=True)
        if in_main_thread:
            end()
        else:
            thread.start()
            thread.join(10)
        server.wait_closed(0)
        assert not thread.is_alive()


@pytest.mark.parametrize("timeout", [None, 0.3])
def test_what_is_given_up_is_not_sent_again(serve: Serve, timeout: float | None) -> None:
    """An SDK tries again after a 503, also where nobody waits any more."""
    server = serve(lambda _: whole({"error": {"message": "busy"}}, status=503))

    @openai.call("m", stream=True, base_url=server.url, api_key=KEY, timeout=timeout)
    def hello() -> None:
        """Hi"""

    stream = hello()
    if timeout is None:
        threading.Timer(0.3, stream.cancel).start()
        assert list(stream) == []
    else:
        with pytest.raises(StreamTimeoutError):
            list(stream)
    sent = len(server.requests)
    time.sleep(2)
    assert len(server.requests) == sent


class TimeLimit(Exception):  # noqa: N818 - named as task queues do
    """What a task queue raises in a signal handler."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such timer")
@pytest.mark.parametrize("error_class", [TimeLimit, TimeoutError])
@pytest.mark.parametrize("when", ["opening", "reading"])
def test_what_a_signal_handler_raises_passes_as_it_is(
    serve: Serve, error_class: type[Exception], when: str
) -> None:
    server = serve([Hold()] if when == "opening" else streamed(*answer("Hi")[:1], Hold()))

    @compatible.call("m", stream=True, base_url=server.url, api_key=KEY)
    def hello() -> None:
        """Hi"""

    def limit(*_: object) -> None:
        raise error_class("enough")

    stream = hello()
    before = signal.signal(signal.SIGALRM, limit)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(error_class) as caught:
            list(stream)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert type(caught.value) is error_class
    assert stream.state == "cancelled"
    server.wait_closed(0)


def test_default_clients_are_bounded_and_close() -> None:
    closed: list[int] = []

    async def aclose(_: int) -> None: ...

    cache: ClientCache[int, int] = ClientCache(close=closed.append, aclose=aclose)
    for number in range(40):
        assert cache.get(number, lambda number=number: number) == number
    assert closed == list(range(8))
    assert cache.get(8, lambda: -1) == 8


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_is_not_closed_while_a_call_uses_it(serve: Serve, stream: bool) -> None:
    """More keys at once than clients are kept."""
    begun = threading.Event()

    def reply(request: ReceivedRequest) -> Any:
        if stream:
            return streamed(*answer("Hi")[:1], Hold(begun), *answer("Hi"), DONE)
        return [Hold(begun), *whole(completion())]

    server = serve(reply)

    async def ask_with(key: str) -> Any:
        @openai.call_async("m", stream=stream, base_url=server.url, api_key=key)
        async def hello() -> None:
            """Hi"""

        response: Any = await hello()
        return await response.collect() if stream else response

    asked = [asyncio.ensure_future(ask_with(f"key-{number}")) for number in range(40)]
    await asyncio.to_thread(server.wait_requests, 40, 20)
    begun.set()
    answers = await asyncio.gather(*asked)
    assert {each.content for each in answers} == {"Hi"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_leaves_its_parents_stream_alone(serve: Serve) -> None:
    server = serve(streamed(*answer("Hi", "!"), DONE))

    @compatible.call("m", stream=True, base_url=server.url, api_key=KEY)
    def hello() -> None:
        """Hi"""

    stream = hello().open()

    def refused() -> None:
        with pytest.raises(StreamConsumedError):
            list(stream)
        stream.close()

    assert os.waitpid(forked(refused), 0)[1] == 0
    assert "".join(chunk.content for chunk, _ in stream) == "Hi!"
    assert stream.state == "completed"


def test_a_child_reads_nothing_of_a_half_read_stream(serve: Serve) -> None:
    """Bytes that a child takes from the connection are bytes that its parent never sees."""
    forked_now = threading.Event()
    pieces = streamed(*answer(*"abcdef"), DONE)
    server = serve([*pieces[:4], Hold(forked_now), *pieces[4:]])

    @compatible.call("m", stream=True, base_url=server.url, api_key=KEY)
    def hello() -> None:
        """Hi"""

    stream = hello()
    chunks = iter(stream)
    text = next(chunk.content for chunk, _ in chunks if chunk.content)

    def go_on() -> None:
        with pytest.raises(StreamConsumedError, match="its parent reads it"):
            list(chunks)

    child = forked(go_on)
    forked_now.set()
    assert os.waitpid(child, 0)[1] == 0
    assert text + "".join(chunk.content for chunk, _ in chunks) == "abcdef"
    assert stream.state == "completed"
