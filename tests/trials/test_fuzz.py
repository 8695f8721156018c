"""Damaged bodies: each ends in a state that is true, with all the text that came, and at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import resource
import sys
import time
from itertools import islice
from typing import Any

import pytest
from mirascope.core import MirascopeError
from mirascope.core.testing import replay, replay_async

from ..protocols import PROTOCOLS, Protocol
from .conftest import LONG, Tried
from .damage import Body, bodies
from .looks import look

COUNT = 20_000 if LONG else 40
"""How many bodies are read of each protocol; in the long form, as many as its time allows."""
SECONDS = 10
"""How long the machine may work on one body."""
GROWTH = 400 * 1024 * 1024
END_MARKERS: dict[str, tuple[bytes, ...]] = {
    "compatible": (b"[DONE]", b"finish_reason"),
    "chat": (b"[DONE]", b"finish_reason"),
    "responses": (b"response.completed", b"response.incomplete"),
    "messages": (b"message_stop",),
    "generate": (b"finishReason", b"blockReason"),
    "local": (b"[DONE]", b"finish_reason"),
}
"""Bytes without which an answer of a protocol is not complete, whatever else has come."""


def add(a: int, b: list[int]) -> str:
    """Add."""
    return str(a + sum(b))


def read(protocol: Protocol, body: Body, chunk_bytes: int | None) -> tuple[Any, list[Any]]:
    stream = replay(
        protocol.provider, body.sent, api=protocol.api, chunk_bytes=chunk_bytes, tools=[add]
    )
    items: list[Any] = []
    with contextlib.suppress(MirascopeError):
        items.extend(stream)
    return stream, items


async def read_async(
    protocol: Protocol, body: Body, chunk_bytes: int | None
) -> tuple[Any, list[Any]]:
    stream = replay_async(
        protocol.provider, body.sent, api=protocol.api, chunk_bytes=chunk_bytes, tools=[add]
    )
    items: list[Any] = []
    with contextlib.suppress(MirascopeError):
        async for item in stream:
            items.append(item)  # noqa: PERF401 - what came before an error stays
    return stream, items


def outcome(stream: Any, items: list[Any]) -> dict[str, Any]:
    """What a stream lets its user know, which no way of reading it may change."""
    return {
        "state": str(stream.state),
        "error": type(stream.error),
        "content": stream.content,
        "chunks": "".join(chunk.content for chunk, _ in items),
        "thinking": stream.thinking,
        "tools": [tool.tool_call for tool in stream.tools],
        "usage": repr(stream.common_usage),
        "events": stream.event_count,
    }


def check(name: str, protocol: Protocol, body: Body, stream: Any, items: list[Any]) -> None:
    assert stream.state.ended
    assert stream.content.startswith(body.intact)
    assert "".join(chunk.content for chunk, _ in items) == stream.content
    stream.content.encode()
    if stream.state == "completed":
        assert any(marker in body.sent for marker in END_MARKERS[name])
    look(stream)
    if items:
        look(items[-1][0])
    for tool in stream.tools:
        look(tool)
        with contextlib.suppress(MirascopeError):
            json.dumps(tool.args)
    with contextlib.suppress(MirascopeError):
        response = stream.construct_call_response()
        look(response)
        response.tool_message_params([(tool, "5") for tool in response.tools or ()])


@pytest.mark.parametrize("name", PROTOCOLS)
def test_damaged_bodies(name: str, tried: Tried) -> None:
    protocol = PROTOCOLS[name]
    # Other bodies each time; what fails is told with all that it takes to try it again.
    seed = random.randrange(1_000_000) if LONG else 1
    # What is imported by the first reading is not growth.
    read(protocol, next(bodies(protocol, 0, large=False)), None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, body in enumerate(islice(bodies(protocol, seed, large=LONG), COUNT)):
        began = time.thread_time()
        try:
            stream, items = read(protocol, body, None)
            check(name, protocol, body, stream, items)
            if len(body.sent) < 100_000:
                said = outcome(stream, items)
                assert outcome(*read(protocol, body, 1 + number % 97)) == said
                if number % 3 == 0:
                    found = asyncio.run(read_async(protocol, body, 1 + number % 89))
                    assert outcome(*found) == said
        except Exception as error:
            error.add_note(f"body {number}, {body.how}: {body.sent[:3000]!r}")
            raise
        assert time.thread_time() - began < SECONDS, f"body {number}, {body.how}"
        tried(1)
        if tried.is_over:
            break
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < GROWTH
