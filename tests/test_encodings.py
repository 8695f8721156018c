"""What default clients offer to read, they can read: a stream that is compressed event by event."""

from __future__ import annotations

import gzip
import sys
import types
from collections.abc import Callable

import pytest
from mirascope.core.testing import ReceivedRequest, Reply, Server, streamed
from mirascope_tests.chat import DONE, chunk
from mirascope_tests.turns import WAYS, Way, calling

Serve = Callable[..., Server]


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    return request.param


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_no_encoding_is_asked_for(
    way: Way, serve: Serve, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # httpx only looks whether the package is there.
    monkeypatch.setitem(sys.modules, "zstandard", types.ModuleType("zstandard"))
    server = serve(calling())
    await way.read(way.decorate(server, [], "Hi", stream=stream))
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("way", [way for way in WAYS if way.provider == "compatible"], ids=str)
async def test_an_answer_that_a_gateway_would_compress_event_by_event(
    way: Way, serve: Serve
) -> None:
    def gateway(request: ReceivedRequest) -> Reply:
        events = [chunk("Hello"), chunk(" there"), chunk(finish="stop") + DONE]
        if "gzip" not in request.headers.get("accept-encoding", "gzip"):
            return streamed(*events)
        return streamed(*map(gzip.compress, events), headers={"content-encoding": "gzip"})

    stream = await way.read(way.decorate(serve(gateway), [], "Hi"))
    assert (stream.state, stream.content) == ("completed", "Hello there")
