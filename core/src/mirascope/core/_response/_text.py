"""The text of a synchronous stream, for loops and for the bodies of web responses."""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from .._transport._in_thread import in_thread

if TYPE_CHECKING:
    from ._stream import BaseStream


class TextIterator:
    """The text of a stream, piece by piece.

    `for` reads it where it stands. `async for` reads it in a thread, and the stream ends with the
    task that reads it: this is how ASGI frameworks (Starlette, FastAPI) take it. What is only
    synchronous they never close when the browser leaves.

    Args:
        stream: the stream.
    """

    __slots__ = ("_has_task", "_items", "_stream")

    def __init__(self, stream: BaseStream[Any]) -> None:
        self._stream = stream
        self._items: Iterator[Any] | None = None
        self._has_task = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if self._items is None:
            self._items = iter(self._stream)
        for chunk, _ in self._items:
            if chunk.content:
                return str(chunk.content)
        raise StopIteration

    def close(self) -> None:
        """End the stream. What arrived stays readable. Idempotent."""
        self._stream.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        task = asyncio.current_task()
        if task is not None and not self._has_task:
            self._has_task = True
            # The task may end anywhere: while it sends a piece on, nothing here would notice.
            task.add_done_callback(functools.partial(_cancel, weakref.ref(self._stream)))
        try:
            text: str | None = await in_thread(functools.partial(next, self, None))
        except asyncio.CancelledError:
            # The read in the thread ends as well.
            self._stream.cancel()
            raise
        if text is None:
            raise StopAsyncIteration
        return text


def _cancel(stream: weakref.ref[BaseStream[Any]], task: asyncio.Task[Any]) -> None:
    found = stream()
    if found is not None:
        found.cancel()
