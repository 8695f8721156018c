"""Sources that are written down while they are read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

from .._transport._source import AsyncSource, Piece, Source
from ._recorder import Recorder


class RecordingSource:
    """A source that writes down what it hands on.

    Args:
        source: the response.
        recorder: what writes.
    """

    __slots__ = ("_recorder", "_source", "chunk_object", "request_id")

    def __init__(self, source: Source, recorder: Recorder) -> None:
        self._source = source
        self._recorder = recorder
        self.request_id: str | None = source.request_id
        self.chunk_object: Any = getattr(source, "chunk_object", None)
        recorder.opened(source, self.request_id)

    def __iter__(self) -> Iterator[Piece]:
        for piece in self._source:
            self._recorder.read(piece)
            yield piece

    def abort(self) -> None:
        """Make a read that is blocked in another thread return or fail."""
        self._source.abort()

    def close(self) -> None:
        """Write the end and release the connection."""
        self._recorder.close()
        self._source.close()


class AsyncRecordingSource:
    """The same over an asynchronous source."""

    __slots__ = ("_recorder", "_source", "chunk_object", "request_id")

    def __init__(self, source: AsyncSource, recorder: Recorder) -> None:
        self._source = source
        self._recorder = recorder
        self.request_id: str | None = source.request_id
        self.chunk_object: Any = getattr(source, "chunk_object", None)
        recorder.opened(source, self.request_id)

    def __aiter__(self) -> AsyncIterator[Piece]:
        return _AsyncRecordedPieces(aiter(self._source), self._recorder)

    async def aclose(self) -> None:
        """Write the end and release the connection."""
        self._recorder.close()
        await self._source.aclose()


class _AsyncRecordedPieces:
    """No asynchronous generator, which the event loop would have to finalise."""

    __slots__ = ("_pieces", "_recorder")

    def __init__(self, pieces: AsyncIterator[Piece], recorder: Recorder) -> None:
        self._pieces = pieces
        self._recorder = recorder

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Piece:
        piece = await anext(self._pieces)
        self._recorder.read(piece)
        return piece
