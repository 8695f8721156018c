"""A stream of partials that ends in a validated value."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, TypeVar, overload

from .._errors import StreamError
from ._stream import BaseStream
from ._structured_result import Cursor, StructuredResult, T

ItemT = TypeVar("ItemT")


class StructuredStream(StructuredResult[T, BaseStream[Any]], Generic[T]):
    """A stream of partials that ends in a validated value: what `response_model=` streams.

    A partial shows what the model has written, as far as that is certain, and nothing else: an
    instance of the response model whose missing fields are None. It never changes afterwards. The
    value comes last; only it is validated.

    Example:
        ```python
        for book in stream:
            print(book.title)
        print(stream.result(), stream.cost)
        ```
    """

    def __iter__(self) -> Iterator[T]:
        """Iterate partials, none like the one before, and at last the validated value.

        Raises:
            StreamConsumedError: the stream has ended, or something else iterates it.
            ResponseModelError: the answer is not a value of the response model.
            APIError: as iterating `stream` does.
        """
        return self._read(self._partials())

    def __aiter__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} is synchronous: write 'for partial in stream', or decorate an "
            "'async def' for a stream to use with 'async for'"
        )

    def every(self, seconds: float) -> Iterator[T]:
        """Iterate at most one partial in so many seconds, and at last the validated value.

        Args:
            seconds: how long to wait between two partials at least. What arrives meanwhile is in
                the next one.

        Raises:
            StreamConsumedError: the stream has ended, or something else iterates it.
            ResponseModelError: the answer is not a value of the response model.
            APIError: as iterating `stream` does.
        """
        return self._read(self._partials(seconds))

    @overload
    def items(self: StructuredStream[list[ItemT]]) -> Iterator[ItemT]: ...
    @overload
    def items(self, of: Callable[[T], Iterable[ItemT]]) -> Iterator[ItemT]: ...
    @overload
    def items(self, of: str) -> Iterator[Any]: ...
    def items(self, of: str | Callable[[T], Any] | None = None) -> Iterator[Any]:
        """Iterate the items of a list, each once it is whole, and validated.

        At the end all of the answer is validated, and `result()` has it.

        Args:
            of: which list: `lambda report: report.sections`, or its name, `"sections"`; None where
                the response model is a list.

        Raises:
            UsageError: the response model has no such list.
            ResponseModelError: an item, or all of the answer, is not valid.
            APIError: as iterating `stream` does.
        """
        return self._read(self._items(of))

    def text(self) -> Iterator[str]:
        """Iterate the pieces of the value's JSON, without what the model wrote around it.

        At the end all of it is validated, and `result()` has the value.

        Raises:
            StreamConsumedError: the stream has ended, or something else iterates it.
            ResponseModelError: the answer is not a value of the response model.
            APIError: as iterating `stream` does.
        """
        return self._read(self._texts())

    def result(self) -> T:
        """Return the validated value, after reading to the end; no partial is made on the way.

        It may be called again, and after any of the loops.

        Raises:
            StreamCancelledError: `cancel()` or `close()` ended the stream before its end.
            ResponseModelError: the answer is not a value of the response model.
            APIError: as iterating `stream` does.
        """
        if not self.state.ended:
            for _ in self._read(self._value_alone()):
                pass
        return self._result()

    def open(self) -> Self:
        """Send the request now and return the stream; see `BaseStream.open`."""
        self.stream.open()
        return self

    def close(self) -> None:
        """End the stream and close its connection. What arrived stays readable. Idempotent."""
        self.stream.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, cursor: Cursor) -> Generator[Any]:
        try:
            for chunk, _ in self.stream:
                yield from cursor.take(chunk)
        except StreamError as error:
            self._carry(error)
            raise
        yield from cursor.rest()
