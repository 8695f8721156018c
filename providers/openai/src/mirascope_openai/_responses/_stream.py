"""Streams from OpenAI's Responses API."""

from __future__ import annotations

from typing import Generic

from mirascope.core import BaseAsyncStream, BaseStream
from typing_extensions import TypeVar

from ._call_response import OpenAIResponsesCallResult
from ._call_response_chunk import OpenAIResponsesCallResponseChunk

ChunkT = TypeVar(
    "ChunkT", bound=OpenAIResponsesCallResponseChunk, default=OpenAIResponsesCallResponseChunk
)


class OpenAIResponsesStream(OpenAIResponsesCallResult, BaseStream[ChunkT], Generic[ChunkT]):
    """A stream from OpenAI's Responses API."""


class OpenAIResponsesAsyncStream(
    OpenAIResponsesCallResult, BaseAsyncStream[ChunkT], Generic[ChunkT]
):
    """An asynchronous stream from OpenAI's Responses API."""
