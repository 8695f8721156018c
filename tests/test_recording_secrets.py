"""What is never written to a recording: whatever a server or an SDK says of the credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mirascope.core import (
    Recording,
)
from mirascope.core.testing import Pause, sse, streamed
from mirascope_tests.api import API, KEY
from mirascope_tests.chat import answer, chunk

from .recordings import Serve, only, replay, said, without_key


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
