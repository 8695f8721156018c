"""Response bodies as streams: bytes in, and out comes what a user of the provider would see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._provider._provider import Provider
from .._recording._format import Recording
from .._replay import stream_from, stream_from_async
from .._response._async_stream import BaseAsyncStream
from .._response._stream import BaseStream
from .._tools._base_tool import ToolLike


def replay(
    provider: Provider | str,
    body: bytes,
    *,
    api: str | None = None,
    chunk_bytes: int | None = None,
    tools: Sequence[ToolLike] = (),
) -> BaseStream[Any]:
    """Return the provider's own stream over a bare response body; nothing is sent.

    The body passes through the provider's framer and decoder, and the stream ends as it would have
    ended over a connection that closes behind the body.

    Args:
        provider: whose response it is: itself, or its name.
        body: the body as it came off the wire.
        api: one of the wire APIs of a provider that is given by its name; by default its first.
        chunk_bytes: how many bytes each read gives; all at once by default.
        tools: the tools that the call had; without them, tool calls are of unknown tools.

    Raises:
        UsageError: `chunk_bytes` is not positive.
        ProviderError: the provider's plugin can't be used.
    """
    return stream_from(_recording(body, chunk_bytes), tools=tools, provider=provider, api=api)


def replay_async(
    provider: Provider | str,
    body: bytes,
    *,
    api: str | None = None,
    chunk_bytes: int | None = None,
    tools: Sequence[ToolLike] = (),
) -> BaseAsyncStream[Any]:
    """Return the provider's own asynchronous stream over a bare response body; see `replay`."""
    return stream_from_async(_recording(body, chunk_bytes), tools=tools, provider=provider, api=api)


def _recording(body: bytes, chunk_bytes: int | None) -> Recording:
    recording = Recording.of_body(body)
    return recording if chunk_bytes is None else recording.rechunked(chunk_bytes)
