"""The asynchronous twin of `_structured_stream.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, overload

from .._errors import StreamError
from ._async_stream import BaseAsyncStream
from ._structured_result import Cursor, StructuredResult, T
from ._structured_stream import ItemT


class AsyncStructuredStream(StructuredResult[T, BaseAsyncStream[Any]], Generic[T]):
    """A stream of partials that is read with `async for`; see `StructuredStream`."""

    def __aiter__(self) -> AsyncIterator[T]:
        """Iterate partials, none like the one before, and at last the validated value.

        Raises:
            StreamConsumedError: the stream has ended, or something else iterates it.
            ResponseModelError: the answer is not a value of the response model.
            APIError: as iterating `stream` does.
        """
        return _Read(self.stream, self._partials(), self._carry)

    def __iter__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} is asynchronous: write 'async for partial in stream' in an "
            "'async def'"
        )

    def every(self, seconds: float) -> AsyncIterator[T]:
        """Iterate at most one partial in so many seconds; see `StructuredStream.every`."""
        return _Read(self.stream, self._partials(seconds), self._carry)

    @overload
    def items(self: AsyncStructuredStream[list[ItemT]]) -> AsyncIterator[ItemT]: ...
    @overload
    def items(self, of: Callable[[T], Iterable[ItemT]]) -> AsyncIterator[ItemT]: ...
    @overload
    def items(self, of: str) -> AsyncIterator[Any]: ...
    def items(self, of: str | Callable[[T], Any] | None = None) -> AsyncIterator[Any]:
        """Iterate the items of a list, each once it is whole; see `StructuredStream.items`."""
        return _Read(self.stream, self._items(of), self._carry)

    def text(self) -> AsyncIterator[str]:
        """Iterate the pieces of the value's JSON; see `StructuredStream.text`."""
        return _Read(self.stream, self._texts(), self._carry)

    async def result(self) -> T:
        """Return the validated value, after reading to the end; see `StructuredStream.result`."""
        if not self.state.ended:
            async for _ in _Read(self.stream, self._value_alone(), self._carry):
                pass
        return self._result()

    async def open(self) -> Self:
        """Send the request now and return the stream; see `BaseAsyncStream.open`."""
        await self.stream.open()
        return self

    async def aclose(self) -> None:
        """End the stream and close its connection. What arrived stays readable. Idempotent."""
        await self.stream.aclose()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class _Read:
    """Iterates a stream in steps: a dropped iterator ends the stream in the very next line.

    An asynchronous generator would be ended by the event loop in its next turn only.
    """

    def __init__(
        self,
        stream: BaseAsyncStream[Any],
        cursor: Cursor,
        carry: Callable[[StreamError], None],
    ) -> None:
        self._stream = stream
        self._chunks = aiter(stream)
        self._cursor = cursor
        self._carry = carry
        self._ready: Iterator[Any] = iter(())
        self._has_ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        while True:
            for made in self._ready:
                return made
            if self._has_ended:
                raise StopAsyncIteration
            try:
                chunk, _ = await anext(self._chunks)
            except StopAsyncIteration:
                self._has_ended = True
                self._ready = iter(self._cursor.rest())
            except StreamError as error:
                self._has_ended = True
                self._carry(error)
                raise
            else:
                self._ready = iter(self._cursor.take(chunk))

    async def aclose(self) -> None:
        """End the iteration, and the stream with it."""
        self._has_ended, self._ready = True, iter(())
        await self._stream.aclose()
