"""Streams from OpenAI."""

from __future__ import annotations

from typing import Generic

from mirascope.core import BaseAsyncStream, BaseStream
from typing_extensions import TypeVar

from ._call_response import OpenAICallResult
from ._call_response_chunk import OpenAICallResponseChunk

ChunkT = TypeVar("ChunkT", bound=OpenAICallResponseChunk, default=OpenAICallResponseChunk)


class OpenAIStream(OpenAICallResult, BaseStream[ChunkT], Generic[ChunkT]):
    """A stream from OpenAI's API."""


class OpenAIAsyncStream(OpenAICallResult, BaseAsyncStream[ChunkT], Generic[ChunkT]):
    """An asynchronous stream from OpenAI's API."""
