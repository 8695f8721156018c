"""Streams from Gemini."""

from __future__ import annotations

from typing import Generic

from mirascope.core import BaseAsyncStream, BaseStream
from typing_extensions import TypeVar

from ._call_response import GoogleCallResult
from ._call_response_chunk import GoogleCallResponseChunk

ChunkT = TypeVar("ChunkT", bound=GoogleCallResponseChunk, default=GoogleCallResponseChunk)


class GoogleStream(GoogleCallResult, BaseStream[ChunkT], Generic[ChunkT]):
    """A stream from the Gemini API."""


class GoogleAsyncStream(GoogleCallResult, BaseAsyncStream[ChunkT], Generic[ChunkT]):
    """An asynchronous stream from the Gemini API."""
