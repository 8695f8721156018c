"""Streams from compatible servers."""

from __future__ import annotations

from typing import Generic

from mirascope.core import BaseAsyncStream, BaseStream
from typing_extensions import TypeVar

from ._call_response_chunk import CompatibleCallResponseChunk

ChunkT = TypeVar("ChunkT", bound=CompatibleCallResponseChunk, default=CompatibleCallResponseChunk)


class CompatibleStream(BaseStream[ChunkT], Generic[ChunkT]):
    """A stream from a server that speaks chat completions."""


class CompatibleAsyncStream(BaseAsyncStream[ChunkT], Generic[ChunkT]):
    """An asynchronous stream from a server that speaks chat completions."""
