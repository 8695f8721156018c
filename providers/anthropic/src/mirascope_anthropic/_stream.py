"""Streams from Anthropic."""

from __future__ import annotations

from typing import Generic

from mirascope.core import BaseAsyncStream, BaseStream
from typing_extensions import TypeVar

from ._call_response import AnthropicCallResult
from ._call_response_chunk import AnthropicCallResponseChunk

ChunkT = TypeVar("ChunkT", bound=AnthropicCallResponseChunk, default=AnthropicCallResponseChunk)


class AnthropicStream(AnthropicCallResult, BaseStream[ChunkT], Generic[ChunkT]):
    """A stream from Anthropic's API."""


class AnthropicAsyncStream(AnthropicCallResult, BaseAsyncStream[ChunkT], Generic[ChunkT]):
    """An asynchronous stream from Anthropic's API."""
