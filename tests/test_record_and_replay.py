"""Streams that are recorded while they are read, and replayed; what must never be written (E4)."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import (
    APIError,
    RateLimitError,
    Recording,
    StreamInterruptedError,
    StreamState,
    StreamTimeoutError,
    StreamTruncatedError,
    UsageError,
    stream_from,
    stream_from_async,
)
from mirascope.core.testing import Hold, Pause, Reset, Server, sse, streamed, whole
from mirascope_tests.api import API, KEY, Reading
from mirascope_tests.chat import DONE, answer, chunk
from mirascope_tests.llama import llama_server
from mirascope_tests.shared import CORPUS, needs_shared

Serve = Callable[..., Server]

USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 4,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 2},
}


def title(name: str = "") -> str:
    """Give the title."""
    return name


CALLS = [
    {"index": 0, "id": "call_1", "function": {"name": "title", "arguments": '{"name": "Dü'}},
    {"index": 1, "id": "call_2", "function": {"name": "other", "arguments": "{"}},
]
RICH = [
    chunk("", role="assistant"),
    chunk(reasoning_content="Hm \u2028."),
    chunk("Grüße,"),
    b": a comment\n\n",
    sse({"choices": [], "later": {"x": 1}}),
    chunk(" \ud83d"),
    chunk("\ude00 Welt\n"),
    chunk(tool_calls=CALLS),
    chunk(tool_calls=[{"index": 0, "function": {"arguments": 'ne"}'}}]),
    chunk(finish="tool_calls"),
    chunk(choices=[], usage=USAGE),
    DONE,
]


async def replay(api: API, recording: Any, **options: Any) -> Reading:
    make = stream_from_async if api.is_async else stream_from
    return await api.drain(make(recording, **options))


def said(reading: Reading) -> dict[str, Any]:
    """Everything that a stream and its chunks say of an answer."""
    stream = reading.stream
    return {
        "class": type(stream).__qualname__,
        "state": stream.state,
        "error": (type(reading.error), str(reading.error)),
        "chunks": [(c.content, c.thinking, c.data, c.chunk) for c, _ in reading.items],
        "tools": [
            tool and (type(tool).__name__, tool.tool_call, tool.args, str(tool.error))
            for _, tool in reading.items
        ],
        "content": stream.content,
        "usage": stream.usage,
        "common_usage": stream.common_usage,
        "cost": stream.cost,
        "cost_details": stream.cost_details,
        "message_param": stream.message_param,
        "user_message_param": stream.user_message_param,
        "messages": stream.messages,
        "call_kwargs": stream.call_kwargs,
        "finish_reasons": stream.finish_reasons,
        "id": stream.id,
        "model": stream.model,
        "events": stream.event_count,
    }


def only(directory: Path) -> Path:
    (path,) = directory.iterdir()
    return path


def without_key(path: Path) -> bytes:
    """The file's bytes, in which no credential may be, however it is written."""
    data = path.read_bytes()
    for secret in (KEY.encode(), b"Bearer", base64.b64encode(KEY.encode()).rstrip(b"=")[:-1]):
        assert secret.lower() not in data.lower()
    for line in data.splitlines():
        entry = json.loads(line)
        assert KEY not in str(entry)
        if "base64" in entry:
            assert KEY.encode() not in base64.b64decode(entry["base64"])
    assert b"127.0.0.1" not in data
    return data


# The same again


async def test_a_recording_replays_the_same_stream(api: API, serve: Serve, tmp_path: Path) -> None:
    body = b"".join(RICH)
    halves = [body[: len(body) // 2], body[len(body) // 2 :]]
    for number, steps in enumerate((RICH, halves, [bytes([byte]) for byte in body[:700]])):
        path = tmp_path / f"{number}.jsonl"
        reading = await api.read(
            serve(streamed(*steps)), record=path, tools=[title], temperature=0.5
        )
        without_key(path)
        assert said(await replay(api, path, tools=[title])) == said(reading)
        recording = Recording.read(path)
        # Up to where the protocol's end made the stream stop reading.
        assert b"".join(steps).startswith(recording.body)
        assert (recording.provider, recording.api) == (api.provider, "chat")
        assert recording.model == "gpt-4o"
        assert recording.request_id == "req_1"
        assert recording.versions["core"].startswith("mirascope-core ")
        assert recording.versions["plugin"].startswith(f"mirascope-{api.provider} ")
        assert recording.versions["sdk"].split()[0] in ("openai", "httpx")
        assert recording.request["temperature"] == 0.5
        assert recording.request["tools"][0]["function"]["name"] == "title"
        times = [read.t for read in recording.reads]
        assert times == sorted(times)


async def test_reads_that_are_no_text(api: API, serve: Serve, tmp_path: Path) -> None:
    umlaut = chunk("ü").replace(b"\\u00fc", "ü".encode())
    at = umlaut.index("ü".encode()) + 1
    server = serve(streamed(umlaut[:at], Pause(0.05), umlaut[at:], b"\xff", *answer("b")))
    reading = await api.read(server, record=tmp_path)
    data = without_key(only(tmp_path))
    assert b'"base64"' in data
    assert reading.stream.content == "üb"
    assert said(await replay(api, only(tmp_path))) == said(reading)


async def test_a_recording_of_the_objects_of_the_sdk(
    openai_api: API, serve: Serve, tmp_path: Path
) -> None:
    # Half a character stays in the object that the SDK made, and the replay's object is whole.
    whole_texts = {RICH[5]: chunk(" \U0001f600"), RICH[6]: chunk(" Welt\n")}
    events = [whole_texts.get(event, event) for event in RICH]
    reading = await openai_api.read(
        serve(streamed(*events)), record=tmp_path, tools=[title], sdk_iteration=True
    )
    assert reading.stream.state is StreamState.COMPLETED
    data = without_key(only(tmp_path))
    assert data.count(b'"object":{"id":"chatcmpl-1"') == 9
    assert Recording.read(only(tmp_path)).body == b""
    assert said(await replay(openai_api, only(tmp_path), tools=[title])) == said(reading)


async def test_the_pace_is_that_of_the_response(api: API, serve: Serve, tmp_path: Path) -> None:
    server = serve(streamed(Pause(0.1), chunk("a"), Pause(0.2), *answer("b")))
    reading = await api.read(server, record=tmp_path)
    recording = Recording.read(only(tmp_path))
    assert recording.reads[0].t >= 0.1
    assert recording.reads[-1].t >= 0.3
    start = time.monotonic()
    again = await replay(api, recording, speed=2)
    assert time.monotonic() - start >= 0.15
    assert again.texts == reading.texts


# How it ends


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([chunk("a"), chunk("b")], StreamTruncatedError),
        ([chunk("a"), Pause(0.05), Reset()], StreamInterruptedError),
        ([chunk("a"), sse({"error": {"message": "busy", "code": 503}})], APIError),
        ([chunk("a"), b"data: {\n\n"], APIError),
        ([chunk("a"), Hold()], StreamTimeoutError),
        ([b"<html>no"], APIError),
        ([], StreamTruncatedError),
    ],
    ids=["truncated", "reset", "error", "broken", "stalled", "html", "empty"],
)
async def test_a_stream_that_fails(
    api: API, serve: Serve, tmp_path: Path, steps: Any, error: type[Exception]
) -> None:
    # Only a stall may be slow: on a busy machine anything else may take 0.3 s as well.
    seconds = 0.3 if error is StreamTimeoutError else 60
    reading = await api.read(serve(streamed(*steps)), record=tmp_path, timeout={"idle": seconds})
    assert isinstance(reading.error, error)
    without_key(only(tmp_path))
    again = await replay(api, only(tmp_path))
    assert said(again) == said(reading)
    assert vars(again.error).keys() == vars(reading.error).keys()
    for name in ("status", "code", "request_id", "retryable", "provider", "model", "message"):
        assert getattr(again.error, name) == getattr(reading.error, name)


@pytest.mark.parametrize("way", ["break", "close", "cancel"])
async def test_a_stream_that_is_left(api: API, serve: Serve, tmp_path: Path, way: str) -> None:
    server = serve(streamed(chunk("a"), chunk("b"), Hold()))
    async with api.connected(server) as connection:
        stream = await api.call(api.ask(**connection, record=tmp_path))
        async for piece, _ in api.each(stream):
            if piece.content == "b":
                if way == "break":
                    break
                await (api.close if way == "close" else api.cancel)(stream)
        # The event loop closes what was dropped in its next turn.
        await api.pause(0.05)
        server.wait_closed()
    recording = Recording.read(only(tmp_path))
    assert recording.end is not None
    assert recording.end.state == str(stream.state)
    assert stream.state == ("cancelled" if way == "cancel" else "stopped")
    again = await replay(api, recording)
    assert (again.stream.content, again.stream.state) == ("ab", StreamState.TRUNCATED)
    assert f"its stream was {stream.state} by its reader" in str(again.error)


@pytest.mark.parametrize("sdk_iteration", [False, True], ids=["bytes", "sdk"])
async def test_without_a_response_there_is_no_recording(
    api: API, serve: Serve, tmp_path: Path, sdk_iteration: bool
) -> None:
    server = serve(whole({"error": {"message": "no"}}, status=429))
    reading = await api.read(server, record=tmp_path / "a.jsonl", sdk_iteration=sdk_iteration)
    assert isinstance(reading.error, RateLimitError)
    assert list(tmp_path.iterdir()) == []


# What is never written


async def test_what_a_server_echoes(api: API, serve: Serve, tmp_path: Path) -> None:
    """The key in an event, in two reads, in a comment, in an error's message, and as no text."""
    split = chunk(f"<{KEY}>")
    at = split.index(KEY.encode()) + 9
    error = sse({"error": {"message": f"bad key {KEY}", "code": KEY}})
    steps = [
        chunk(f"a {KEY} b"),
        b": " + KEY.encode() + b"\n\n",
        b"\xff" + KEY.encode() + b"\n\n",
        split[:at],
        Pause(0.05),
        split[at:],
        error,
    ]
    reading = await api.read(serve(streamed(*steps)), record=tmp_path)
    assert KEY in reading.stream.content
    assert reading.error is not None
    data = without_key(only(tmp_path))
    assert data.count(b'"redacted":true') >= 4
    again = await replay(api, only(tmp_path))
    assert again.stream.content == "a *** b<***>"
    assert type(again.error) is type(reading.error)


async def test_what_the_sdk_s_objects_echo(openai_api: API, serve: Serve, tmp_path: Path) -> None:
    server = serve(streamed(chunk(f"a {KEY} b"), *answer("c")))
    reading = await openai_api.read(server, record=tmp_path, sdk_iteration=True)
    assert KEY in reading.stream.content
    without_key(only(tmp_path))
    assert (await replay(openai_api, only(tmp_path))).stream.content == "a *** bc"


async def test_credentials_in_the_request(api: API, serve: Serve, tmp_path: Path) -> None:
    custom = "hunter2-hunter2"
    request = {
        "user": f"me, sk-{'a1' * 12}",
        "metadata": {"note": "fine", "api_key": custom, "max_tokens_key": "kept"},
    }
    if api.provider == "openai":
        request["extra_headers"] = {"X-Token": custom, "X-Other": "something"}
    server = serve(streamed(chunk(f"echo {custom}"), *answer("b")))
    async with api.connected(server) as connection:
        ask = api.ask(
            **connection, record=tmp_path, call_params=request, fn=api.function("Use {genre}.")
        )
        reading = await api.drain(await api.call(ask, genre=f"api_key={KEY} or '{custom}'"))
    assert reading.error is None
    data = without_key(only(tmp_path))
    assert custom.encode() not in data
    assert b"sk-a1" not in data
    recording = Recording.read(only(tmp_path))
    assert recording.request["metadata"] == {
        "note": "fine",
        "api_key": "***",
        "max_tokens_key": "kept",
    }
    assert recording.request.get("extra_headers", "***") == "***"
    assert recording.request["user"] == "me, ***"
    assert recording.messages == [{"role": "user", "content": "Use api_key=*** or '***'."}]
    # The request itself is sent as it was given.
    sent = server.requests[0]
    assert sent.json["user"] == request["user"]
    assert KEY in sent.json["messages"][0]["content"]


@pytest.mark.parametrize("where", ["setting", "environment", "address"])
async def test_credentials_from_elsewhere(
    api: API, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    server = serve(streamed(chunk(f"echo {KEY} pass%20word-1 pass word-1"), *answer("b")))
    settings: dict[str, Any] = {"base_url": server.url, "api_key": KEY}
    if where == "environment":
        settings = {}
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
    elif where == "address":
        settings["base_url"] = server.url.replace("//", "//someone:pass%20word-1@")
    stream = await api.call(api.ask(record=tmp_path, **settings))
    reading = await api.drain(stream)
    assert reading.error is None
    data = without_key(only(tmp_path))
    assert (b"word-1" in data) is (where != "address")


async def test_a_placeholder_is_no_credential(api: API, serve: Serve, tmp_path: Path) -> None:
    server = serve(streamed(*answer("ollama runs models")))
    reading = await api.drain(
        await api.call(api.ask(record=tmp_path, base_url=server.url, api_key="ollama"))
    )
    assert said(await replay(api, only(tmp_path))) == said(reading)


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
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED, server.url, str(path), way],
        stdout=subprocess.PIPE,
        text=True,
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


# Every protocol


PROTOCOLS = {
    "anthropic-messages": ("anthropic", "messages"),
    "google-generate": ("google", "generate"),
    "openai-responses": ("openai", "responses"),
}


@needs_shared
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.filterwarnings("ignore::mirascope.core.UnknownPriceWarning")
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_the_recorded_stream_of_every_provider(
    protocol: str, is_async: bool, serve: Serve, tmp_path: Path
) -> None:
    """Real responses through the real SDKs, which give bytes or objects: the same comes again."""
    provider, wire_api = PROTOCOLS[protocol]
    api = API(provider, is_async)
    files = [path for path in sorted((CORPUS / protocol).glob("*.sse")) if path.stat().st_size]
    # A few of each; all of them are decoded elsewhere.
    for number, file in enumerate(files[:: max(1, len(files) // 12)]):
        body = file.read_bytes()
        events = [body[at : at + 512] for at in range(0, len(body), 512)]
        server = serve(streamed(*events))
        path = tmp_path / f"{number}.jsonl"
        settings = {"base_url": server.url.removesuffix("/v1"), "api_key": KEY}
        ask = api.ask("some-model", api=wire_api, record=path, **settings)
        reading = await api.drain(await api.call(ask))
        assert reading.items or reading.error, file.name
        without_key(path)
        assert Recording.read(path).api == wire_api
        first, again = said(reading), said(await replay(api, path))
        if provider == "google":
            for of in (first, again):
                of["chunks"] = [
                    (*facts, _without_transport(chunk)) for *facts, chunk in of["chunks"]
                ]
        assert again == first, file.name


def _without_transport(obj: Any) -> Any:
    """What a Google object says of the response, and not how the SDK came by it.

    The headers are no part of the JSON, and the time is one that the SDK takes from Vertex AI only.
    """
    return obj.model_dump(exclude={"sdk_http_response", "create_time"})


# Real models


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with llama_server("gpt-4o") as url:
        yield url


async def test_a_real_server(api: API, address: str, tmp_path: Path) -> None:
    ask = api.ask(base_url=f"{address}/v1", api_key=KEY, record=tmp_path, max_tokens=24)
    reading = await api.drain(await api.call(ask))
    assert reading.error is None
    assert len(reading.texts) > 5
    without_key(only(tmp_path))
    assert said(await replay(api, only(tmp_path))) == said(reading)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_the_embedded_model(is_async: bool, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    api = API("local", is_async)
    ask = api.ask("smollm2-135m", record=tmp_path, max_tokens=16)
    reading = await api.drain(await api.call(ask))
    assert reading.error is None
    assert len(reading.texts) > 5
    again = await replay(api, only(tmp_path))
    assert said(again) == said(reading)
    assert again.stream.cost == 0
