"""The pace at which a recording is replayed (L3)."""

from __future__ import annotations

import asyncio
import math
import threading
import time

import pytest
from mirascope.core import (
    Recording,
    StreamState,
    UsageError,
    stream_from,
    stream_from_async,
)

from .lines import (
    ANSWER,
    Replay,
    ended,
    event,
    read,
    recorded,
    text,
)

PACED = recorded(
    text(0.1, event("a")), text(0.3, event("b", finish="stop")), end=ended("completed")
)


@pytest.mark.parametrize(("speed", "seconds"), [(1, 0.3), (2, 0.15), (0.75, 0.4)])
def test_the_pace_of_a_replay(replayed: Replay, speed: float, seconds: float) -> None:
    start = time.monotonic()
    assert replayed(PACED, speed=speed).content == "ab"
    assert time.monotonic() - start >= seconds


def test_each_read_comes_at_its_time() -> None:
    start = time.monotonic()
    times = [(chunk.content, time.monotonic() - start) for chunk, _ in stream_from(PACED, speed=1)]
    assert [content for content, _ in times] == ["a", "b"]
    assert times[0][1] >= 0.1
    assert times[1][1] >= 0.3
    # Times, and not pauses between the reads: a reader who takes long is not waited for.
    assert [chunk.content for chunk, _ in stream_from(PACED, speed=0)] == ["a", "b"]


def test_without_a_pace_nothing_waits(replayed: Replay) -> None:
    late = recorded(text(3600, event("a", finish="stop")), end=ended("completed"))
    assert replayed(late).content == "a"
    assert replayed(late, speed=1e6).content == "a"


def test_an_error_comes_at_its_time_and_a_stopped_stream_is_not_waited_for(
    replayed: Replay,
) -> None:
    reset = {"class": "StreamInterruptedError", "message": "reset"}
    start = time.monotonic()
    assert replayed(recorded(text(0, event("a")), end=ended("failed", reset)), speed=2).error
    assert time.monotonic() - start >= 0.25
    hours = {"t": 7200, "end": {"state": "stopped"}}
    assert replayed(recorded(text(0, event("a")), end=hours), speed=1).content == "a"


@pytest.mark.parametrize("speed", [-1, -0.001, math.nan, math.inf, True])
def test_a_speed_that_is_none(speed: float) -> None:
    for make in (stream_from, stream_from_async):
        with pytest.raises(UsageError, match="speed must be 0 or a positive number"):
            make(recorded(*ANSWER), speed=speed)


def test_a_wait_ends_when_the_stream_is_cancelled() -> None:
    late = recorded(text(0, event("a")), text(3600, event("b")), end=ended("completed"))
    stream = stream_from(late, speed=1)
    timer = threading.Timer(0.1, stream.cancel)
    timer.start()
    assert "".join(chunk.content for chunk, _ in stream) == "a"
    assert stream.state is StreamState.CANCELLED
    timer.join()

    async def cancel() -> str:
        stream = stream_from_async(late, speed=1)
        asyncio.get_running_loop().call_later(0.1, stream.cancel)
        async for _ in stream:
            pass
        return str(stream.state)

    assert asyncio.run(cancel()) == "cancelled"


def test_other_tasks_get_their_turn() -> None:
    async def take_turns() -> list[str]:
        order: list[str] = []

        async def follow(name: str) -> None:
            async for chunk, _ in stream_from_async(recorded(*ANSWER)):
                order.append(name + chunk.content)

        await asyncio.gather(follow("1"), follow("2"))
        return order

    order = asyncio.run(take_turns())
    assert order[:4] == ["1Grüße, ", "2Grüße, ", "1Welt", "2Welt"]


def test_reads_of_another_size() -> None:
    recording = Recording.parse(recorded(*ANSWER))
    small = recording.rechunked(3)
    assert small.body == recording.body
    assert max(len(read.piece) for read in small.reads) == 3
    assert sorted({read.t for read in small.reads}) == [line["t"] for line in ANSWER[1:]]
    assert read(stream_from(small)).content == "Grüße, Welt"
    with pytest.raises(UsageError, match="chunk_bytes must be at least 1, not 0"):
        recording.rechunked(0)
