"""Every way to leave an answer ends its generation, and a reader that waits."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import mirascope_local as local
import pytest
from mirascope.core import (
    ProviderTimeoutError,
    StreamInterruptedError,
    StreamState,
    StreamTimeoutError,
)

pytestmark = pytest.mark.usefixtures("gguf")

SOON = 15.0
"""Seconds; an answer of this length, or the long prompt, takes more than twice as long."""


@local.call("smollm2-135m", stream=True, max_tokens=4000, ignore_eos=True)
def babble(prompt: str = "Tell me a story") -> None:
    """{prompt}"""


@local.call_async("smollm2-135m", stream=True, max_tokens=4000, ignore_eos=True)
async def babble_async(prompt: str = "Tell me a story") -> None:
    """{prompt}"""


def long_prompt() -> str:
    # The time makes it new: what is in the cache of the server takes no time.
    return f"{time.time_ns()} " + " ".join(f"word{i}" for i in range(900))


def test_break_ends_the_generation(idle: Callable[[], float]) -> None:
    gc.disable()
    try:
        stream = babble()
        for chunk, _ in stream:
            if chunk.content:
                break
        assert stream.state is StreamState.STOPPED
        assert stream.content
        assert idle() < SOON
    finally:
        gc.enable()


def test_break_ends_the_generation_async(idle: Callable[[], float]) -> None:
    async def run() -> Any:
        stream = await babble_async()
        async for chunk, _ in stream:
            if chunk.content:
                break
        assert stream.state is StreamState.STOPPED
        return stream

    assert asyncio.run(run()).content
    assert idle() < SOON


def test_a_server_that_was_left_is_free_for_the_next_call(idle: Callable[[], float]) -> None:
    start = time.monotonic()
    for _ in range(4):
        for chunk, _ in babble():
            if chunk.content:
                break
    assert idle() < SOON
    assert time.monotonic() - start < SOON


def test_cancel_from_another_thread_unblocks_the_reader(idle: Callable[[], float]) -> None:
    stream = babble()
    begun = threading.Event()

    def cancel() -> None:
        begun.wait(60)
        stream.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    for chunk, _ in stream:
        if chunk.content:
            begun.set()
    thread.join()
    assert stream.state is StreamState.CANCELLED
    assert stream.content
    assert idle() < SOON


def test_cancel_while_the_prompt_is_read(idle: Callable[[], float]) -> None:
    stream = babble(long_prompt()).open()
    start = time.monotonic()
    timer = threading.Timer(0.2, stream.cancel)
    timer.start()
    assert list(stream) == []
    assert stream.state is StreamState.CANCELLED
    assert time.monotonic() - start < SOON
    assert idle() < SOON
    timer.join()


def test_cancelling_the_task(idle: Callable[[], float]) -> None:
    streams: list[Any] = []

    async def read() -> None:
        streams.append(await babble_async())
        async for _ in streams[0]:
            pass

    async def run() -> None:
        task = asyncio.create_task(read())
        while not (streams and streams[0].content):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert streams[0].state is StreamState.CANCELLED
    assert streams[0].content
    assert idle() < SOON


def test_cancelling_the_task_while_the_prompt_is_read(idle: Callable[[], float]) -> None:
    async def run() -> Any:
        stream = await babble_async(long_prompt())
        await stream.open()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stream.collect(), 0.2)
        return stream

    assert asyncio.run(run()).state is StreamState.CANCELLED
    assert idle() < SOON


def test_cancelling_a_call_that_waits_for_its_turn(idle: Callable[[], float]) -> None:
    async def run() -> None:
        busy = [await (await babble_async()).open() for _ in range(2)]
        waiting = await babble_async()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting.open(), 0.3)
        assert waiting.state is StreamState.CANCELLED
        for stream in busy:
            assert stream.state is StreamState.STREAMING
            await stream.aclose()

    asyncio.run(run())
    assert idle() < SOON


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_deadline(mode: str, idle: Callable[[], float]) -> None:
    prompt = long_prompt()

    @local.call("smollm2-135m", stream=True, timeout={"first_chunk": 0.5})
    def ask() -> str:
        return prompt

    @local.call_async("smollm2-135m", stream=True, timeout={"first_chunk": 0.5})
    async def ask_async() -> str:
        return prompt

    async def run() -> None:
        await (await ask_async()).collect()

    with pytest.raises(StreamTimeoutError) as caught:
        ask().collect() if mode == "sync" else asyncio.run(run())
    assert caught.value.deadline == "first_chunk"
    assert idle() < SOON


def test_a_whole_answer_that_is_cancelled_stops(idle: Callable[[], float]) -> None:
    @local.call_async("smollm2-135m", max_tokens=4000, ignore_eos=True, timeout=0.5)
    async def ask() -> None:
        """Tell me a story"""

    with pytest.raises(ProviderTimeoutError):
        asyncio.run(ask())
    assert idle() < SOON


def test_a_stream_that_is_opened_and_dropped(idle: Callable[[], float]) -> None:
    stream = babble().open()
    del stream
    assert idle() < SOON


def test_a_loop_that_ends_under_a_stream(idle: Callable[[], float]) -> None:
    kept: list[Any] = []

    async def run() -> None:
        kept.append(await (await babble_async()).open())

    asyncio.run(run())
    assert idle() < SOON


def test_close_ends_answers_and_the_next_call_loads_again(idle: Callable[[], float]) -> None:
    stream = babble()
    items = iter(stream)
    while not next(items)[0].content:
        pass
    local.close()
    with pytest.raises(StreamInterruptedError, match="the model was closed"):
        list(items)
    assert stream.state is StreamState.FAILED
    assert stream.content
    assert idle() < SOON
    for chunk, _ in babble():
        if chunk.content:
            break
    assert idle() < SOON
