"""Where a recording is written, when, and what becomes of it under load."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import (
    Recording,
    StreamState,
    StreamTruncatedError,
    UsageError,
    stream_from,
)
from mirascope.core.testing import Hold, streamed
from mirascope_tests.api import API, KEY
from mirascope_tests.chat import answer, chunk
from mirascope_tests.programs import running

from .recordings import RICH, Serve, only, replay, title

# Where it is written


async def test_an_unwritable_path_is_said_before_anything_is_sent(
    api: API, serve: Serve, tmp_path: Path
) -> None:
    server = serve(streamed(*answer("a")))
    file = tmp_path / "there.jsonl"
    file.write_bytes(b"precious")
    (tmp_path / "fifo").touch()
    os.unlink(tmp_path / "fifo")
    os.mkfifo(tmp_path / "fifo")
    for path, why in (
        (file, "exists, and a recording never overwrites anything: name another"),
        (tmp_path / "missing" / "a.jsonl", "can't be written: No such file or directory"),
        (file / "a.jsonl", "can't be written: Not a directory"),
        (tmp_path / "fifo", "can't be written: No such device or address"),
        ("a\0b", "can't be written: embedded null"),
        ("", "can't be written: No such file or directory"),
    ):
        reading = await api.read(server, record=path)
        assert type(reading.error) is UsageError
        assert why in str(reading.error)
        assert repr(str(path)) in str(reading.error)
        assert reading.stream.state is StreamState.FAILED
    assert server.requests == []
    assert file.read_bytes() == b"precious"


async def test_a_file_takes_one_stream_and_a_directory_takes_all(
    api: API, serve: Serve, tmp_path: Path
) -> None:
    server = serve(streamed(*answer("a")))
    async with api.connected(server) as connection:
        once = api.ask(**connection, record=tmp_path / "a.jsonl")
        assert (await api.drain(await api.call(once))).error is None
        first = (tmp_path / "a.jsonl").read_bytes()
        again = await api.drain(await api.call(once))
        assert "exists, and a recording never overwrites anything" in str(again.error)
        assert (tmp_path / "a.jsonl").read_bytes() == first

        directory = tmp_path / "all"
        directory.mkdir()
        each = api.ask("model/with: a path", **connection, record=str(directory))
        for _ in range(3):
            assert (await api.drain(await api.call(each))).error is None
        names = sorted(path.name for path in directory.iterdir())
        assert len(names) == 3
        assert all(name.endswith(f"Z-{api.provider}-model-with-a-path.jsonl") for name in names)


async def test_a_function_says_where(api: API, serve: Serve, tmp_path: Path) -> None:
    paths: list[Any] = [None, tmp_path / "b.jsonl", 7]
    server = serve(streamed(*answer("a")))
    async with api.connected(server) as connection:
        ask = api.ask(**connection, record=lambda: paths.pop(0))
        assert (await api.drain(await api.call(ask))).error is None
        assert list(tmp_path.iterdir()) == []
        assert (await api.drain(await api.call(ask))).error is None
        assert only(tmp_path).name == "b.jsonl"
        with pytest.raises(UsageError, match="record must return a path or None, not 7"):
            await api.call(ask)


def test_a_wrong_record_is_refused_at_decoration(api: API) -> None:
    for record in (7, b"path", ["a"]):
        with pytest.raises(UsageError, match="record must be a path, or a function"):
            api.ask(record=record)
    with pytest.raises(UsageError, match="record needs stream=True"):
        api.ask(stream=False, record="a.jsonl")


async def test_nothing_is_made_for_a_stream_that_is_never_read(
    api: API, serve: Serve, tmp_path: Path
) -> None:
    async with api.connected(serve(streamed(*answer("a")))) as connection:
        stream = await api.call(api.ask(**connection, record=tmp_path))
        await api.close(stream)
    assert list(tmp_path.iterdir()) == []


async def test_a_disk_that_is_full_ends_the_recording_and_not_the_stream(
    api: API, serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "full").symlink_to("/dev/full")
    with caplog.at_level(logging.DEBUG, "mirascope"):
        reading = await api.read(serve(streamed(*RICH)), record=tmp_path / "full", tools=[title])
    assert reading.error is None
    assert reading.stream.state is StreamState.COMPLETED
    assert len(reading.tools) == 2
    (record,) = (record for record in caplog.records if record.name == "mirascope.recording")
    assert record.levelno == logging.WARNING
    assert "the stream goes on: No space left on device" in record.getMessage()


async def test_a_pipe_that_nobody_reads_holds_nothing_up(
    api: API, serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        server = serve(streamed(*answer(*(["x" * 50_000] * 8))))
        reading = await api.read(server, record=tmp_path / "fifo")
        left = os.read(reader, 1 << 20)
    finally:
        os.close(reader)
    assert reading.stream.content == "x" * 400_000
    assert caplog.messages.count(caplog.messages[-1]) == 1
    assert "the pipe is full" in caplog.messages[-1]
    # What was written is good as far as it goes.
    again = await replay(api, left)
    assert again.stream.content == "x" * len(again.stream.content)
    assert "the recording ends here" in str(again.error)


# Under load, and out of it


def test_many_recordings_at_once(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda request: streamed(*answer(request.json["user"], "!", "!")))
    api = API("openai", True)

    async def run() -> None:
        async with api.connected(server) as connection:
            asks = [api.ask(**connection, record=tmp_path, user=f"user {n}") for n in range(20)]
            readings = await asyncio.gather(
                *(api.drain(stream) for stream in [await api.call(ask) for ask in asks])
            )
            assert {str(reading.stream.state) for reading in readings} == {"completed"}

    asyncio.run(run())
    contents: list[str] = []
    for path in tmp_path.iterdir():
        recording = Recording.read(path)
        stream = stream_from(recording)
        contents.append("".join(stream.text()))
        assert contents[-1] == f"{recording.request['user']}!!"
    assert sorted(contents) == sorted(f"user {n}!!" for n in range(20))


def test_many_recordings_from_many_threads(serve: Serve, tmp_path: Path) -> None:
    server = serve(streamed(*answer("a", "b")))
    api = API("compatible", False)
    failures: list[BaseException] = []

    def run(ask: Any) -> None:
        try:
            assert ask().collect().content == "ab"
        except BaseException as error:
            failures.append(error)

    ask = api.ask(base_url=server.url, api_key=KEY, record=tmp_path)
    threads = [threading.Thread(target=run, args=[ask]) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert [stream_from(path).collect().content for path in tmp_path.iterdir()] == ["ab"] * 12


_KILLED = """
import asyncio, sys
from mirascope.core import call

url, path, way = sys.argv[1:]
options = dict(stream=True, base_url=url, api_key="sk-of-a-process-0123456789", record=path)

if way == "sync":
    @call("openai/gpt-4o", **options)
    def ask():
        '''Go on.'''

    for chunk, _ in ask():
        print(chunk.content, flush=True)
else:
    @call("openai/gpt-4o", **options)
    async def ask():
        '''Go on.'''

    async def run():
        async for chunk, _ in await ask():
            print(chunk.content, flush=True)

    asyncio.run(run())
"""


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_process_that_is_killed_leaves_what_it_has_read(
    serve: Serve, tmp_path: Path, way: str
) -> None:
    server = serve(streamed(chunk("", role="assistant"), chunk("a"), chunk("b"), Hold()))
    path = tmp_path / "killed.jsonl"
    with running(
        subprocess.Popen(
            [sys.executable, "-c", _KILLED, server.url, str(path), way],
            stdout=subprocess.PIPE,
            text=True,
        )
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line == "b\n":
                    break
        finally:
            process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    recording = Recording.read(path)
    assert recording.end is None
    assert recording.cut == "it has no last line, as when the process that wrote it was killed"
    stream = stream_from(recording)
    with pytest.raises(StreamTruncatedError, match="the recording ends here: it has no last line"):
        for _ in stream:
            pass
    assert stream.content == "ab"
    assert b"sk-of-a-process" not in path.read_bytes()
