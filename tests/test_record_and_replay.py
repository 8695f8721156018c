"""Streams that are recorded while they are read, and replayed; what must never be written (E4)."""

from __future__ import annotations

import time
from collections.abc import Iterator
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
)
from mirascope.core.testing import Hold, Pause, Reset, sse, streamed, whole
from mirascope_tests.api import API, KEY
from mirascope_tests.chat import answer, chunk
from mirascope_tests.llama import llama_server
from mirascope_tests.shared import CORPUS, needs_shared

from .recordings import RICH, Serve, only, replay, said, title, without_key

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


# Every protocol


PROTOCOLS = {
    "anthropic-messages": ("anthropic", "messages"),
    "google-generate": ("google", "generate"),
    "openai-responses": ("openai", "responses"),
}


@needs_shared
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.filterwarnings("ignore:.*is not a valid:UserWarning")
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
