"""The fixture of the tests beside."""

from __future__ import annotations

import asyncio

import pytest
from mirascope.core import (
    stream_from,
    stream_from_async,
)

from .lines import (
    Replay,
    read,
    read_async,
)


@pytest.fixture(params=["sync", "async"])
def replayed(request: pytest.FixtureRequest) -> Replay:
    """Read a recording to its end, whatever that is, and return the stream."""
    if request.param == "sync":
        return lambda *args, **kwargs: read(stream_from(*args, **kwargs))
    return lambda *args, **kwargs: asyncio.run(read_async(stream_from_async(*args, **kwargs)))
