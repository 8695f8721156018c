"""Clients that are read through the SDK's iterator: Bedrock's framing, Vertex, users' own."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import anthropic
import pytest
from mirascope.core import StreamProviderError, StreamState
from mirascope.core.testing import Reply, streamed
from mirascope_tests.shared import CORPUS, each

from .conftest import KEY, Way
from .messages import answer, delta, start, stop, text

RECORDINGS = [
    path
    for path in sorted((CORPUS / "other").glob("*.eventstream"))
    if "anthropic" in path.stem or "bedrock-test_reasoning" in path.stem
]


class OwnClient(anthropic.Anthropic):
    """A client that is not the SDK's own: what it does with a body is its business."""


class Duck:
    """An object that quacks as far as a call needs it."""

    class messages:
        @staticmethod
        def create(**kwargs: Any) -> Any:
            events = b"".join(answer(text(0, "Quack"))).split(b"\n\n")[:-1]
            for event in events:
                yield Event(json.loads(event.partition(b"data: ")[2]))


class Event:
    def __init__(self, fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)


def test_a_subclass(serve: Any) -> None:
    server = serve(streamed(*answer(text(0, "Hi"))))
    client = OwnClient(base_url=server.url, api_key=KEY, max_retries=0)
    reading = Way(False).read(server.url, client=client)
    assert reading.stream.content == "Hi"
    # The raw-response API announces itself; the SDK's own loop does not.
    assert "x-stainless-raw-response" not in server.requests[0].headers
    assert isinstance(reading.items[0][0].chunk, anthropic.types.RawMessageStartEvent)


def test_any_object_with_the_same_function() -> None:
    reading = Way(False).read(client=Duck())
    assert reading.stream.content == "Quack"
    assert reading.stream.state is StreamState.COMPLETED
    assert isinstance(reading.items[0][0].chunk, Event)


def test_vertex(serve: Any, way: Way) -> None:
    pytest.importorskip("google.auth", reason="the SDK's Vertex clients need it")
    server = serve(streamed(*answer(text(0, "Hi"))))
    kind: Any = anthropic.AsyncAnthropicVertex if way.is_async else anthropic.AnthropicVertex
    client = kind(region="us", project_id="p", access_token="t", base_url=server.url)
    reading = way.read(server.url, client=client)
    assert reading.stream.content == "Hi"
    assert reading.stream.state is StreamState.COMPLETED
    assert "streamRawPredict" in server.requests[0].path


@pytest.fixture
def bedrock(way: Way, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes clients for Bedrock, sync or async."""
    pytest.importorskip("botocore", reason="the SDK's Bedrock clients need it")
    kind: Any = anthropic.AsyncAnthropicBedrock if way.is_async else anthropic.AnthropicBedrock
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "REGION": "us"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return lambda url: kind(base_url=url, aws_region="us-east-1", max_retries=0)


def framed(body: bytes, size: int = 700) -> Reply:
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    return streamed(*pieces, headers={"content-type": "application/vnd.amazon.eventstream"})


def frame(payload: bytes, **headers: str) -> bytes:
    """A frame of AWS's event stream.

    https://smithy.io/2.0/aws/amazon-eventstream.html
    """
    head = b"".join(
        struct.pack("!B", len(name) + 1)
        + b":"
        + name.encode()
        + struct.pack("!BH", 7, len(value))
        + value.encode()
        for name, value in ((n.replace("_", "-"), v) for n, v in headers.items())
    )
    prelude = struct.pack("!II", len(head) + len(payload) + 16, len(head))
    whole = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return whole + struct.pack("!I", zlib.crc32(whole))


def chunks(events: list[bytes]) -> bytes:
    """Server-sent events as Bedrock frames them."""
    bodies = [e.partition(b"data: ")[2] for e in b"".join(events).split(b"\n\n") if e]
    return b"".join(
        frame(
            json.dumps({"bytes": base64.b64encode(body).decode()}).encode(),
            event_type="chunk",
            content_type="application/json",
            message_type="event",
        )
        for body in bodies
    )


def test_bedrock(serve: Any, way: Way, bedrock: Any) -> None:
    def look_up(title: str) -> str:
        return title

    call = (
        start(1, type="tool_use", id="t", name="look_up", input={})
        + delta(1, type="input_json_delta", partial_json='{"title": "Emma"}')
        + stop(1)
    )
    server = serve(framed(chunks(answer(text(0, "Let me ", "look."), call))))
    reading = way.read(server.url, client=bedrock(server.url), tools=[look_up])
    assert reading.error is None
    assert reading.stream.content == "Let me look."
    assert [tool.call() for tool in reading.tools] == ["Emma"]
    assert reading.stream.usage.output_tokens == 102
    assert reading.stream.state is StreamState.COMPLETED
    assert server.requests[0].path.endswith("/invoke-with-response-stream")


def test_bedrock_fails_in_the_middle(serve: Any, way: Way, bedrock: Any) -> None:
    error = frame(
        b'{"message": "Too many requests"}',
        exception_type="throttlingException",
        content_type="application/json",
        message_type="exception",
    )
    server = serve(framed(chunks(answer(text(0, "Once"))[:2]) + error))
    reading = way.read(server.url, client=bedrock(server.url))
    assert isinstance(reading.error, StreamProviderError)
    assert reading.error.message == "Too many requests"
    assert reading.error.type == "throttlingException"
    assert reading.stream.content == "Once"


@pytest.mark.parametrize("path", each(RECORDINGS))
def test_recorded_bedrock_streams(serve: Any, way: Way, bedrock: Any, path: Path) -> None:
    server = serve(framed(path.read_bytes()))
    reading = way.read(server.url, client=bedrock(server.url))
    stream = reading.stream
    assert reading.error is None
    assert stream.state is StreamState.COMPLETED
    assert stream.content or stream.tools
    assert stream.output_tokens > 0
    assert stream.finish_reason in ("stop", "tool_calls")
    assert stream.model.startswith("claude-")
    assert stream.cost > 0
    # What Bedrock adds to the last event is kept on it.
    last = reading.items[-1][0].chunk
    assert "amazon-bedrock-invocationMetrics" in last.model_extra
