"""Deadlines of a stream, the same for both ways of calling (E3)."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from mirascope.core import ProviderTimeoutError, StreamTimeoutError, UsageError
from mirascope.core._request._prepared import PreparedCall
from mirascope.core.testing import Hold, Pause, Server, streamed, whole
from mirascope_tests.api import API
from mirascope_tests.chat import DONE, answer, chunk, completion

Serve = Callable[..., Server]
BEGUN = [chunk("", role="assistant"), chunk("Hel"), chunk("lo")]
PINGS: list[Any] = [b": ping\n\n", Pause(0.05)] * 100


def too_late(reading: Any, deadline: str, content: str, seconds: float) -> None:
    error, stream = reading.error, reading.stream
    assert type(error) is StreamTimeoutError
    assert error.deadline == deadline
    assert f"{seconds:g} s" in str(error)
    assert error.stream is stream
    assert error.retryable
    assert error.provider == stream.provider
    assert stream.state == "timed_out"
    assert stream.content == content
    assert stream.message_param == {"role": "assistant", "content": content}


@pytest.mark.parametrize("sdk_iteration", [False, True], ids=["bytes", "sdk"])
@pytest.mark.parametrize(
    ("steps", "timeout", "content"),
    [
        ([Hold()], {"first_chunk": 0.3}, ""),
        ([streamed(Hold())], {"first_chunk": 0.3}, ""),
        ([streamed(*PINGS)], {"first_chunk": 0.3}, ""),
        ([streamed(*BEGUN, Hold())], {"idle": 0.3}, "Hello"),
        ([streamed(*BEGUN, *PINGS)], {"idle": 0.3}, "Hello"),
        ([Hold()], {"total": 0.3}, ""),
        ([streamed(*BEGUN, Hold())], {"total": 0.3}, "Hello"),
        ([streamed(*BEGUN, *PINGS)], 0.3, "Hello"),
        ([streamed(*BEGUN, Hold())], {"first_chunk": 9, "idle": 0.3, "total": 9}, "Hello"),
    ],
    ids=[
        "first, no headers",
        "first, no body",
        "first, pings",
        "idle, silence",
        "idle, pings",
        "total, no headers",
        "total, silence",
        "total as a number, pings",
        "the earliest of three",
    ],
)
async def test_what_comes_too_late(
    api: API, serve: Serve, steps: list[Any], timeout: Any, content: str, sdk_iteration: bool
) -> None:
    if sdk_iteration and api.provider != "openai":
        pytest.skip("this provider has no SDK")
    reply = steps if isinstance(steps[0], Hold) else steps[0]
    server = serve(reply)
    start = time.monotonic()
    reading = await api.read(server, timeout=timeout, sdk_iteration=sdk_iteration)
    took = time.monotonic() - start
    names = timeout if isinstance(timeout, dict) else {"total": timeout}
    deadline = min(names, key=names.__getitem__)
    too_late(reading, deadline, content, 0.3)
    assert 0.3 <= took < 3
    if content:
        await asyncio.to_thread(server.wait_closed)


async def test_chunks_in_time(api: API, serve: Serve) -> None:
    """Each chunk sets the idle deadline anew; the first one has a deadline of its own."""
    steps = [Pause(0.5), chunk("a"), *([Pause(0.15), chunk("b")] * 6), chunk(finish="stop"), DONE]
    reading = await api.read(
        serve(streamed(*steps)), timeout={"first_chunk": 5, "idle": 0.45, "total": 20}
    )
    assert reading.error is None
    assert reading.stream.content == "abbbbbb"


async def test_a_slow_consumer_is_not_idle(api: API, serve: Serve) -> None:
    server = serve(streamed(*BEGUN, Pause(0.05), chunk("!"), chunk(finish="stop"), DONE))
    async with api.connected(server) as connection:
        stream = await api.call(api.ask(**connection, timeout={"idle": 0.3}), "fantasy")
        async for chunk_, _ in api.each(stream):
            if chunk_.content:
                await api.pause(0.4)
    assert stream.state == "completed"
    assert stream.content == "Hello!"


async def test_a_slow_consumer_counts_against_the_total(api: API, serve: Serve) -> None:
    server = serve(streamed(*BEGUN, Pause(0.05), *PINGS))
    async with api.connected(server) as connection:
        stream = await api.call(api.ask(**connection, timeout=0.5), "fantasy")
        with pytest.raises(StreamTimeoutError, match="total"):  # noqa: PT012
            async for chunk_, _ in api.each(stream):
                if chunk_.content == "lo":
                    await api.pause(0.6)
    assert stream.state == "timed_out"


async def test_a_late_end_after_the_answer_is_no_timeout(api: API, serve: Serve) -> None:
    """A finish reason has come: the rest would only have been usage."""
    reading = await api.read(
        serve(streamed(*BEGUN, chunk(finish="stop"), Hold())), timeout={"idle": 0.3}
    )
    assert reading.error is None
    assert reading.stream.state == "completed"


async def test_a_timed_connection_is_reused(api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hello")))
    async with api.connected(server) as connection:
        ask = api.ask(**connection, timeout={"first_chunk": 0.4, "idle": 0.4, "total": 0.4})
        for _ in range(3):
            assert (await api.drain(await api.call(ask, "fantasy"))).error is None
        # The deadlines of streams that have ended end nothing that comes after them.
        await asyncio.sleep(0.5)
        assert (await api.drain(await api.call(ask, "fantasy"))).error is None
    assert [connected.requests for connected in server.connections] == [4]


async def test_a_timeout_of_the_user_is_the_users(serve: Serve, provider: str) -> None:
    """`asyncio.timeout` around a loop stays what it is, whatever deadlines the stream has."""
    api = API(provider, True)
    async with api.connected(serve(streamed(*BEGUN, Hold()))) as connection:
        stream = await api.call(api.ask(**connection, timeout={"idle": 20}), "fantasy")
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.3):
                await stream.collect()
        assert not isinstance(caught.value, StreamTimeoutError)
        assert stream.state == "cancelled"


@pytest.mark.parametrize("reply", [[Hold()], streamed(Hold())], ids=["no headers", "no body"])
async def test_calls_that_are_not_streamed(api: API, serve: Serve, reply: Any) -> None:
    async with api.connected(serve(reply)) as connection:
        start = time.monotonic()
        with pytest.raises(ProviderTimeoutError, match=r"0\.3 s") as caught:
            await api.call(api.ask(**connection, stream=False, timeout=0.3), "fantasy")
        assert time.monotonic() - start < 3
    assert (caught.value.provider, caught.value.model) == (api.provider, "gpt-4o")
    assert caught.value.retryable


async def test_a_call_in_time(api: API, serve: Serve) -> None:
    async with api.connected(serve(whole(completion("Hi")))) as connection:
        response = await api.call(api.ask(**connection, stream=False, timeout=20), "fantasy")
    assert response.content == "Hi"


@pytest.mark.parametrize(
    "timeout",
    [
        0,
        -1,
        math.nan,
        math.inf,
        1e10,
        True,
        "5",
        {"idle": 0},
        {"idle": None},
        {"connect": 5},
        {"total": True},
        {"idle": math.inf},
        [5],
    ],
)
async def test_bad_values(api: API, timeout: Any) -> None:
    with pytest.raises(UsageError, match="timeout"):
        api.ask(timeout=timeout)


async def test_only_the_total_means_something_without_a_stream(api: API) -> None:
    expected = r"without stream=True, timeout is one number \(seconds in total\); 'first_chunk'"
    with pytest.raises(UsageError, match=expected):
        api.ask(stream=False, timeout={"idle": 5})


@pytest.mark.parametrize("timeout", [1e9, {"first_chunk": 1e9, "idle": 9e9}, {"total": 9e9}])
async def test_very_long_deadlines(api: API, serve: Serve, timeout: Any) -> None:
    """As long as a platform can wait for; what else has deadlines goes on having them."""
    server = serve(streamed(*answer("Hello")), streamed(*BEGUN, Hold()))
    async with api.connected(server) as connection:
        stream = await api.call(api.ask(**connection, timeout=timeout), "fantasy")
        reading = await api.drain(stream)
        assert reading.error is None
        stream = await api.call(api.ask(**connection, timeout={"idle": 0.3}), "fantasy")
        too_late(await api.drain(stream), "idle", "Hello", 0.3)


class _TimesOut:
    """A client of the user's whose request raises `TimeoutError` with nothing in it."""

    def __init__(self, *, is_async: bool) -> None:
        async def create_async(**_: Any) -> Any:
            raise TimeoutError

        def create(**_: Any) -> Any:
            raise TimeoutError

        self.chat = SimpleNamespace(
            completions=SimpleNamespace(create=create_async if is_async else create)
        )


@pytest.mark.parametrize("timeout", [None, 300], ids=["no deadline", "a far deadline"])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "call"])
async def test_a_timeout_of_the_client_is_not_a_deadline_of_ours(
    openai_api: API, stream: bool, timeout: float | None
) -> None:
    """Without a word in it, it is told from a deadline and from `cancel()` by its class alone."""
    client = _TimesOut(is_async=openai_api.is_async)
    ask = openai_api.ask(client=client, timeout=timeout, stream=stream)
    start = time.monotonic()
    error: BaseException | None
    if stream:
        result = await openai_api.call(ask)
        error = (await openai_api.drain(result)).error
        assert result.state == "failed"
        assert result.error is error
    else:
        with pytest.raises(ProviderTimeoutError) as raised:
            await openai_api.call(ask)
        error = raised.value
    assert type(error) is ProviderTimeoutError
    assert time.monotonic() - start < 5
    assert "300 s" not in str(error)
    assert type(error.__cause__) is TimeoutError


async def test_a_deadline_waits_for_no_plugin(
    api: API, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[PreparedCall] = []
    monkeypatch.setattr(PreparedCall, "known_variables", lambda call: asked.append(call) or ())
    reading = await api.read(serve([Hold()]), timeout=0.2)
    assert type(reading.error) is StreamTimeoutError
    assert asked == []
