"""Streams over real sockets, through the official SDK, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time
from typing import Any

import anthropic
import pytest
from mirascope.core import (
    StreamDecodeError,
    StreamInterruptedError,
    StreamState,
    StreamTruncatedError,
    UsageError,
)
from mirascope.core.testing import Hangup, Hold, streamed, whole
from mirascope_anthropic import AnthropicAsyncStream, AnthropicCallResponseChunk, AnthropicStream

from .conftest import KEY, MODEL, Way
from .messages import PING, answer, message_start, text

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        {"type": "text", "text": "Try Emma."},
        {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"title": "Emma"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "output_tokens": 20, "cache_read_input_tokens": 5},
}


def test_a_stream(serve: Any, way: Way) -> None:
    server = serve(streamed(*answer(text(0, "Certainly", "! Emma."))))
    reading = way.read(server.url, temperature=0.7, stop_sequences=["END"])
    stream = reading.stream
    assert isinstance(stream, AnthropicAsyncStream if way.is_async else AnthropicStream)
    assert all(isinstance(chunk, AnthropicCallResponseChunk) for chunk, _ in reading.items)
    assert "".join(str(chunk) for chunk, _ in reading.items) == "Certainly! Emma."
    assert stream.state is StreamState.COMPLETED
    assert stream.content == "Certainly! Emma."
    assert stream.usage == anthropic.types.Usage(input_tokens=12, output_tokens=102)
    assert stream.cost == pytest.approx((12 * 2 + 102 * 10) / 1_000_000)
    assert stream.message_param == {"role": "assistant", "content": "Certainly! Emma."}
    assert stream.user_message_param == {"role": "user", "content": "Recommend a fantasy book."}
    (request,) = server.requests
    assert request.path == "/v1/messages"
    assert request.json == {
        "model": MODEL,
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": "Recommend a fantasy book."}],
        # This one the SDK has no argument for any more.
        "temperature": 0.7,
        "stop_sequences": ["END"],
        "stream": True,
    }


def test_parameters_beside_an_extra_body(serve: Any, way: Way) -> None:
    server = serve(streamed(*answer(text(0, "Hi"))))
    way.read(server.url, top_k=5, extra_body={"mcp_servers": []}, extra_headers={"x-a": "b"})
    (request,) = server.requests
    assert request.json["top_k"] == 5
    assert request.json["mcp_servers"] == []
    assert request.headers["x-a"] == "b"


def test_the_same_call_without_streaming(serve: Any, way: Way) -> None:
    def look_up(title: str) -> str:
        return title

    server = serve(whole(MESSAGE))
    response = way.fetch(server.url, tools=[look_up])
    assert response.content == "Try Emma."
    assert response.thinking == "Hm."
    assert response.tool.call() == "Emma"
    assert response.message_param == {"role": "assistant", "content": MESSAGE["content"]}
    assert type(response.response) is anthropic.types.Message
    assert response.finish_reason == "tool_calls"
    assert (response.input_tokens, response.cached_tokens) == (15, 5)
    assert (response.id, response.model) == ("msg_1", "claude-sonnet-5")
    assert "stream" not in server.requests[0].json


def test_settings_and_the_environment(
    serve: Any, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(streamed(*answer(text(0, "Hi"))))
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-from-the-environment")
    reading = way.read(base_url=server.url, api_key="sk-ant-given-with-the-call")
    assert reading.error is None
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    assert way.read().error is None
    keys = [
        (request.headers.get("authorization") or request.headers["x-api-key"]).split()[-1]
        for request in server.requests
    ]
    assert keys == ["sk-ant-given-with-the-call", "sk-ant-from-the-environment"]


def test_leaving_closes_the_connection_at_once(serve: Any, way: Way) -> None:
    server = serve(streamed(message_start(), text(0, "Once"), PING, Hold()))
    moments: list[float] = []

    def leave(chunk: Any, tool: Any) -> bool:
        moments.append(time.monotonic())
        return not chunk.content

    gc.disable()
    try:
        reading = way.read(server.url, visit=leave)
        closed_at = server.wait_closed()
    finally:
        gc.enable()
    assert closed_at - moments[-1] < 0.2
    assert reading.stream.state is StreamState.STOPPED
    assert reading.stream.content == "Once"
    assert reading.stream.usage.input_tokens == 12
    assert reading.stream.message_param == {"role": "assistant", "content": "Once"}


def test_a_finished_stream_gives_its_connection_back(serve: Any, way: Way) -> None:
    server = serve(streamed(*answer(text(0, "Hi"))))

    async def three() -> None:
        client = way.client(server.url)
        for _ in range(3):
            reading = await way.drain(way.decorated(client=client))
            assert reading.error is None
        await client.close() if way.is_async else client.close()

    asyncio.run(three())
    assert len(server.requests) == 3
    assert len(server.connections) == 1


@pytest.mark.parametrize("sdk_iteration", [False, True])
def test_a_dropped_connection(serve: Any, way: Way, sdk_iteration: bool) -> None:
    server = serve(streamed(message_start(), text(0, "Once"), Hangup()))
    reading = way.read(server.url, sdk_iteration=sdk_iteration)
    assert isinstance(reading.error, StreamInterruptedError)
    assert reading.error.__cause__ is not None
    assert reading.stream.content == "Once"
    assert reading.stream.state is StreamState.FAILED


@pytest.mark.parametrize("sdk_iteration", [False, True])
def test_a_body_that_ends_too_early(serve: Any, way: Way, sdk_iteration: bool) -> None:
    server = serve(streamed(*answer(text(0, "Once"))[:-1]))
    reading = way.read(server.url, sdk_iteration=sdk_iteration)
    assert isinstance(reading.error, StreamTruncatedError)
    assert reading.stream.content == "Once"


def test_a_page_with_status_200(serve: Any, way: Way) -> None:
    server = serve(whole(b"<html>Sign in</html>", headers={"content-type": "text/html"}))
    reading = way.read(server.url)
    assert isinstance(reading.error, StreamDecodeError)
    assert "Sign in" in str(reading.error)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_client_of_the_other_kind(is_async: bool) -> None:
    client_class: Any = anthropic.Anthropic if is_async else anthropic.AsyncAnthropic
    reading = Way(is_async).read(client=client_class(api_key=KEY))
    assert isinstance(reading.error, UsageError)
    assert "client is" in str(reading.error)


def test_importing_loads_no_sdk() -> None:
    code = (
        "import sys, mirascope_anthropic, mirascope_anthropic._plugin as plugin;"
        "plugin.mirascope_provider().apis['messages']();"
        "mirascope_anthropic.AnthropicProvider().prices;"
        "print([m for m in ('anthropic', 'httpx', 'httpx2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_public_names() -> None:
    import mirascope_anthropic

    assert mirascope_anthropic.__all__ == sorted(mirascope_anthropic.__all__)
    assert all(hasattr(mirascope_anthropic, name) for name in mirascope_anthropic.__all__)
