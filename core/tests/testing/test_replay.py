"""Bodies as streams: the provider's own decoder, by name or as it is, in both ways."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from mirascope.core import (
    BaseAsyncStream,
    BaseStream,
    StreamState,
    StreamTruncatedError,
    UnknownProviderError,
    UsageError,
)
from mirascope.core.plugins import load_provider
from mirascope.core.testing import replay, replay_async, sse

BODY = sse({"choices": [{"index": 0, "delta": {"content": "Grüße"}}]})
WHOLE = BODY + sse(b"[DONE]")


def title(name: str) -> str:
    return name.title()


def drained(stream: Any) -> Any:
    async def collect() -> None:
        await stream.collect()

    if isinstance(stream, BaseAsyncStream):
        asyncio.run(collect())
    else:
        stream.collect()
    return stream


@pytest.mark.parametrize("begin", [replay, replay_async])
@pytest.mark.parametrize(
    "provider", ["compatible", load_provider("compatible")], ids=["by name", "itself"]
)
@pytest.mark.parametrize("chunk_bytes", [None, 1, 3])
def test_a_body_is_the_provider_s_own_stream(
    begin: Any, provider: Any, chunk_bytes: int | None
) -> None:
    stream = begin(provider, WHOLE, chunk_bytes=chunk_bytes)
    loaded = load_provider("compatible")
    kind = loaded.stream_class if begin is replay else loaded.async_stream_class
    assert type(stream) is kind
    assert isinstance(stream, BaseStream if begin is replay else BaseAsyncStream)
    assert drained(stream).content == "Grüße"
    assert stream.state is StreamState.COMPLETED


@pytest.mark.parametrize("begin", [replay, replay_async])
def test_a_body_without_its_end_is_truncated(begin: Any) -> None:
    stream = begin("compatible", BODY)
    with pytest.raises(StreamTruncatedError) as caught:
        drained(stream)
    assert caught.value.stream is stream
    assert stream.content == "Grüße"


@pytest.mark.parametrize("begin", [replay, replay_async])
def test_tools_and_apis(begin: Any) -> None:
    call = {"id": "c", "function": {"name": "title", "arguments": '{"name": "emma"}'}}
    delta = {"tool_calls": [{"index": 0, **call}]}
    body = sse({"choices": [{"index": 0, "delta": delta}]}) + sse(b"[DONE]")
    (tool,) = drained(begin("compatible", body, tools=[title])).tools
    assert tool.call() == "Emma"
    with pytest.raises(UnknownProviderError):
        begin("compatible", body, api="carrier-pigeon")


@pytest.mark.parametrize("begin", [replay, replay_async])
@pytest.mark.parametrize("chunk_bytes", [0, -1])
def test_pieces_have_at_least_one_byte(begin: Any, chunk_bytes: int) -> None:
    with pytest.raises(UsageError):
        begin("compatible", WHOLE, chunk_bytes=chunk_bytes)
