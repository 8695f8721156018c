"""Streams from the embedded model."""

from __future__ import annotations

from typing import Generic

from mirascope.core import BaseAsyncStream, BaseStream
from typing_extensions import TypeVar

from ._call_response_chunk import LocalCallResponseChunk

ChunkT = TypeVar("ChunkT", bound=LocalCallResponseChunk, default=LocalCallResponseChunk)


class LocalStream(BaseStream[ChunkT], Generic[ChunkT]):
    """A stream from a model in this process."""


class LocalAsyncStream(BaseAsyncStream[ChunkT], Generic[ChunkT]):
    """An asynchronous stream from a model in this process."""
