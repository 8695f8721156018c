"""What the SDK itself yields on the same bytes is the measure of `chunk.chunk` and the rest."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from mirascope.core import StreamState
from mirascope.core.testing import Server, replay, streamed
from mirascope_anthropic import AnthropicProvider
from mirascope_tests.shared import CORPUS, each

from .conftest import KEY, Way
from .messages import PING, answer, delta, event, message_start, start, stop, text

RECORDINGS = sorted((CORPUS / "anthropic-messages").glob("*.sse"))
# The SDK drops an event that the end of the body leaves open, which some recordings end with.
BODIES = {path.stem: path.read_bytes().rstrip(b"\r\n") + b"\n\n" for path in RECORDINGS}
BODIES |= {
    "pings and comments": b": hello\n\n" + PING + b"".join(answer(PING, text(0, "Hi"))),
    "unknown block and delta": b"".join(
        answer(
            start(0, type="hologram", depth=3),
            delta(0, type="hologram_delta", voxels=[1]),
            stop(0),
            text(1, "Hi"),
        )
    ),
    "unknown event": b"".join(answer(event({"type": "message_aside", "note": "x"}), text(0, "Hi"))),
    "off-spec values": b"".join(
        answer(
            text(0, "Hi"),
            usage={"output_tokens": "17", "input_tokens": 3.0, "service_tier": "turbo"},
            reason="tired",
        )
    ),
    "odd start": message_start({"input_tokens": None, "output_tokens": 1, "speed": "warp"})
    + b"".join(answer(text(0, "Hi"))[1:]),
}


def same(ours: Any, theirs: Any) -> None:
    assert type(ours) is type(theirs)
    assert ours == theirs
    assert ours.model_fields_set == theirs.model_fields_set
    # Serialising what the SDK constructed without validation warns.
    with warnings.catch_warnings(action="ignore"):
        assert ours.to_dict() == theirs.to_dict()


def events_of(reading: Any) -> list[Any]:
    """The chunks of a reading, without those that repeat an event for its second tool call."""
    chunks = [chunk for chunk, _ in reading.items]
    return [c for i, c in enumerate(chunks) if not i or c.data is not chunks[i - 1].data]


REQUEST: Any = {
    "model": "claude-sonnet-5",
    "max_tokens": 4096,
    "messages": [{"role": "user", "content": "Recommend a fantasy book."}],
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server that answers with the body that a request's header names."""
    with Server(lambda request: streamed(BODIES[request.headers["x-body"]])) as server:
        yield server.url


@pytest.fixture(scope="module")
def sdk(url: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def yielded(sdk: anthropic.Anthropic) -> dict[str, list[Any]]:
    """What the SDK's own loop yields for each body."""
    return {
        name: list(sdk.messages.create(**REQUEST, stream=True, extra_headers={"x-body": name}))
        for name in BODIES
    }


async def read_all(way: Way, url: str, **call: Any) -> dict[str, Any]:
    """What we make of each body."""
    client = way.client(url)
    readings = {
        name: await way.drain(way.decorated(client=client, extra_headers={"x-body": name}, **call))
        for name in BODIES
    }
    await client.close() if way.is_async else client.close()
    return readings


def test_chunks_are_the_sdks_own(way: Way, url: str, yielded: dict[str, list[Any]]) -> None:
    for name, reading in asyncio.run(read_all(way, url)).items():
        assert reading.stream.state is StreamState.COMPLETED, name
        for chunk, wanted in zip(events_of(reading), yielded[name], strict=True):
            same(chunk.chunk, wanted)
            assert chunk.chunk is chunk.chunk


def test_the_sdks_own_loop_as_the_source(way: Way, url: str, yielded: dict[str, list[Any]]) -> None:
    by_bytes = asyncio.run(read_all(way, url))
    by_objects = asyncio.run(read_all(way, url, sdk_iteration=True))
    for name, reading in by_objects.items():
        for chunk, wanted in zip(events_of(reading), yielded[name], strict=True):
            same(chunk.chunk, wanted)
        ours, other = reading.stream, by_bytes[name].stream
        assert ours.state is StreamState.COMPLETED, name
        for field in ("content", "thinking", "refusal", "finish_reasons", "id", "model"):
            assert getattr(ours, field) == getattr(other, field), (name, field)
        assert ours.common_usage == other.common_usage, name
        assert ours.message_param == other.message_param, name
        calls = [[tool.tool_call for tool in stream.tools] for stream in (ours, other)]
        assert calls[0] == calls[1], name


@pytest.mark.parametrize("path", each(RECORDINGS))
def test_the_response_is_the_sdks_final_message(sdk: anthropic.Anthropic, path: Path) -> None:
    stream = replay(AnthropicProvider(), path.read_bytes())
    stream.collect()
    # The beta API's accumulator knows all blocks; that of `messages` drops some deltas.
    with sdk.beta.messages.stream(**REQUEST, extra_headers={"x-body": path.stem}) as events:
        final = events.get_final_message()
    response = stream.construct_call_response().response
    assert type(response) is anthropic.types.Message
    with warnings.catch_warnings(action="ignore"):
        ours, wanted = (_dump(m) for m in (response, final))
    for block, other in zip(ours["content"], wanted["content"], strict=True):
        if "INVALID_JSON" in block.get("input", ()):
            # The SDK shows as much of a call that was cut as parses.
            assert block.pop("input") != other.pop("input")
    assert ours.pop("usage").items() >= wanted.pop("usage").items()
    if any(block["type"] == "fallback" for block in ours["content"]):
        # The SDK puts the model that stood in; the wire says so in the block only.
        assert ours.pop("model") != wanted.pop("model")
    assert ours == wanted


def _dump(message: Any) -> dict[str, Any]:
    data: dict[str, Any] = message.model_dump(mode="json", by_alias=True, exclude_none=True)
    for block in data["content"]:
        if "trigger" in block:
            block["trigger"].pop("category", None)
    return data
