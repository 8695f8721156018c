"""Recorded response bodies as streams, through the provider's real decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from ._errors import UsageError
from ._prepared import PreparedCall
from ._provider import Connection, Provider, Request
from ._source import AsyncSource, BytesSource, Source
from ._stream import BaseStream
from ._tools import ToolLike, Toolset


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall(PreparedCall):
    """A call whose response is there already.

    Attributes:
        recording: the response.
    """

    recording: BytesSource

    @override
    def send(self) -> Source:
        return self.recording

    @override
    async def send_async(self) -> AsyncSource:
        return self.recording


def replay(
    provider: Provider,
    body: bytes,
    *,
    chunk_bytes: int | None = None,
    tools: Sequence[ToolLike] = (),
) -> BaseStream[Any]:
    """Return a stream that reads a recorded response body; nothing is sent.

    Args:
        provider: whose response it is.
        body: the body as it came off the wire.
        chunk_bytes: how many bytes each read gives; all at once by default.
        tools: the tools that the call had.

    Raises:
        UsageError: `chunk_bytes` is not positive.
    """
    if chunk_bytes is not None and chunk_bytes < 1:
        raise UsageError(f"chunk_bytes must be at least 1, not {chunk_bytes}")
    return provider.stream_class(
        RecordedCall(
            provider=provider,
            model="",
            request=Request(messages=[], kwargs={}),
            connection=Connection(),
            toolset=Toolset(tools),
            call_params={},
            timeouts={},
            fn_args={},
            prompt_template=None,
            metadata={},
            recording=BytesSource(body, chunk_bytes),
        )
    )
