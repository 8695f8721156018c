"""What a structured stream knows, whichever way it is iterated."""

# The cursors at the end are a part of the class that they are made by.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar, cast

from pydantic import BaseModel

from .._errors import (
    MirascopeError,
    NotCopyableError,
    StreamCancelledError,
    StreamConsumedError,
    StreamError,
)
from .._provider._deltas import ToolCallDelta
from .._state import StreamState
from .._structured._answer import AnswerReader, ResponseMode
from .._structured._errors import ResponseModelError, ResponseValidationError
from .._structured._items import ItemList
from .._structured._response_model import ResponseModel
from .._structured._shapes import MISSING
from ._call_response_chunk import BaseCallResponseChunk
from ._call_result import CallResult
from ._on_stream import OnStream, StreamT

if TYPE_CHECKING:
    from ._call_response import BaseCallResponse

T = TypeVar("T")


class StructuredResult(OnStream[StreamT], Generic[T, StreamT]):
    """What synchronous and asynchronous structured streams share.

    Attributes:
        stream: the provider's own stream beneath: chunks, usage, cost, how it ended.
        response_mode: how the value was asked for; None of a recording.
    """

    def __init__(
        self, stream: StreamT, model: ResponseModel[T], mode: ResponseMode | None = None
    ) -> None:
        super().__init__(stream)
        self.response_mode: ResponseMode | None = mode
        self._model = model
        self._reader: AnswerReader[T] = AnswerReader(model, mode)
        self._partial: T | None = None
        self._value: Any = MISSING
        self._failure: MirascopeError | None = None

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} of {self._model.shown} "
            f"{self.provider}/{self.model} {self.state}>"
        )

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise NotCopyableError(
            f"{type(self).__name__} can't be copied or pickled, it reads a connection of this "
            "process: keep its result(), or picture(), which has what has arrived"
        )

    @property
    def response_model(self) -> Any:
        """The type that was asked for."""
        return self._model.annotation

    @property
    def partial(self) -> T | None:
        """The last partial, or the value once it is known; None before the first."""
        return self._partial

    @property
    def open_path(self) -> tuple[str | int, ...]:
        """Where the value still grows, as in `("sections", 3, "body")`."""
        return self._reader.open_path

    @property
    def error(self) -> MirascopeError | None:
        """The error that ended the stream, or what is wrong with its value; None without any."""
        return self.stream.error or self._failure

    def cancel(self) -> None:
        """End the stream, from any thread."""
        cast("Any", self.stream).cancel()

    # For the drivers

    def _partials(self, seconds: float = 0.0) -> Cursor:
        """Return what makes partials and the value of chunks.

        Raises:
            StreamConsumedError: the stream was read before.
        """
        self._check_unread()
        return _Partials(self, seconds)

    def _items(self, of: Any) -> Cursor:
        """Return what makes the validated items of a list of chunks.

        Raises:
            UsageError: there is no such list.
            StreamConsumedError: the stream was read before.
        """
        items = ItemList(self._model, of)
        self._check_unread()
        self._reader = AnswerReader(self._model, self.response_mode, items.places)
        return _Items(self, items)

    def _texts(self) -> Cursor:
        """Return what makes the pieces of the value's JSON of chunks.

        Raises:
            StreamConsumedError: the stream was read before.
        """
        self._check_unread()
        return _Texts(self)

    def _value_alone(self) -> Cursor:
        """Return what makes nothing of chunks but the value."""
        return _Partials(self, math.inf)

    def _check_unread(self) -> None:
        if self._failure is not None or self._value is not MISSING:
            raise StreamConsumedError(
                "this stream has ended and is read once: its value is result(), call the function "
                "again for a new answer"
            )

    def _take(self, chunk: BaseCallResponseChunk[Any]) -> bool:
        """Take a chunk; return whether it is time for a partial."""
        is_due = False
        if chunk.content:
            is_due = self._reader.take_text(chunk.content)
        for delta in chunk.deltas:
            if type(delta) is ToolCallDelta:
                is_due = self._reader.take_call(delta.key, delta.name, delta.arguments) or is_due
        return is_due

    def _shown(self) -> tuple[Any, ...]:
        """Return a new partial; nothing where there is nothing to show."""
        partial = self._reader.partial()
        if partial is MISSING:
            return ()
        self._partial = partial
        return (partial,)

    def _has_completed(self) -> bool:
        """Whether the stream has come to its own end, and not been left."""
        return self.stream.state is StreamState.COMPLETED

    def _conclude(self) -> T:
        """Return the value of a stream that has ended well.

        Raises:
            ResponseModelError: it has none.
        """
        if self._reader.last is None:
            # Of a stream that was read for its value alone: an error shows what had come.
            self._reader.partial()
        try:
            value = value_of(self.stream, self._reader)
        except ResponseModelError as error:
            raise self._failed(error) from error.__cause__
        self._value = self._partial = value
        attach(value, self.stream.construct_call_response)
        return value

    def _failed(self, error: ResponseModelError) -> ResponseModelError:
        error.stream = self
        error.partial = self._reader.last
        complete(error, self.stream, self._reader)
        self._failure = error
        return error

    def _carry(self, error: StreamError) -> None:
        """Let an error of the stream beneath lead to the partial."""
        self._reader.close()
        error.stream = cast("Any", self)

    def _result(self) -> T:
        """Return the value if it is known.

        Raises:
            MirascopeError: what had gone wrong.
            StreamCancelledError: the stream was left before its end.
        """
        if self._failure is not None:
            raise self._failure
        if self._value is not MISSING:
            return cast("T", self._value)
        error = StreamCancelledError(
            f"the stream was ended before its end ({self.state}): its partial has what had arrived",
            provider=self.provider,
            model=self.model,
        )
        error.stream = cast("Any", self)
        raise error


class Cursor(Protocol):
    """Makes what a loop over a structured stream yields of the chunks beneath."""

    def take(self, chunk: BaseCallResponseChunk[Any]) -> Iterable[Any]:
        """Take a chunk and yield what it makes."""
        ...

    def rest(self) -> Iterable[Any]:
        """Yield what is left at the end of the stream.

        Raises:
            ResponseModelError: the answer is not a value of the response model.
        """
        ...


class _Partials:
    def __init__(self, result: StructuredResult[Any, Any], seconds: float) -> None:
        self._result = result
        self._seconds = seconds
        self._next_time = 0.0 if seconds < math.inf else math.inf
        self._is_due = False

    def take(self, chunk: BaseCallResponseChunk[Any]) -> Iterable[Any]:
        self._is_due = self._result._take(chunk) or self._is_due
        if not self._is_due or (self._seconds and time.monotonic() < self._next_time):
            return ()
        self._is_due = False
        shown = self._result._shown()
        if shown and self._seconds:
            self._next_time = time.monotonic() + self._seconds
        return shown

    def rest(self) -> Iterator[Any]:
        result = self._result
        if result._has_completed():
            if result._reader.close() and not self._seconds:
                yield from result._shown()
            yield result._conclude()


class _Texts:
    def __init__(self, result: StructuredResult[Any, Any]) -> None:
        self._result = result

    def take(self, chunk: BaseCallResponseChunk[Any]) -> Iterable[Any]:
        self._result._take(chunk)
        text = self._result._reader.new_text()
        return (text,) if text else ()

    def rest(self) -> Iterator[Any]:
        result = self._result
        text = result._reader.new_text(final=True)
        if text:
            yield text
        if result._has_completed():
            result._reader.close()
            result._conclude()


class _Items:
    def __init__(self, result: StructuredResult[Any, Any], items: ItemList) -> None:
        self._result = result
        self._items = items

    def take(self, chunk: BaseCallResponseChunk[Any]) -> Iterable[Any]:
        self._result._take(chunk)
        texts = self._result._reader.items()
        return self._validated(texts) if texts else ()

    def rest(self) -> Iterable[Any]:
        if self._result._has_completed():
            self._result._conclude()
        return ()

    def _validated(self, texts: list[str]) -> Iterator[Any]:
        for text in texts:
            try:
                item = self._items.validate(text)
            except Exception as error:
                failure = self._result._reader.invalid_item(text, error)
                raise self._result._failed(failure) from error
            yield item


def value_of(result: CallResult, reader: AnswerReader[T]) -> T:
    """Return the value of an answer that has been read.

    Raises:
        ResponseModelError: it has none.
    """
    return reader.value(
        result.finish_reason,
        result.refusal,
        [tool.tool_call.name for tool in result.tools],
        result.fn_args,
    )


def answered(
    response: BaseCallResponse[Any], model: ResponseModel[T], mode: ResponseMode | None
) -> T:
    """Return the value that a whole response has, with the response at `_response`.

    Raises:
        ResponseModelError: it has none.
    """
    reader = AnswerReader(model, mode)
    reader.take_text(response.content)
    for n, tool in enumerate(response.tools):
        reader.take_call(n, tool.tool_call.name, tool.tool_call.arguments)
    reader.close()
    reader.partial()
    try:
        value = value_of(response, reader)
    except ResponseModelError as error:
        error.response = response
        complete(error, response, reader)
        raise
    attach(value, lambda: response)
    return value


def complete(error: ResponseModelError, result: CallResult, reader: AnswerReader[Any]) -> None:
    """Add to an error what is known of the call, and how the next try is told of it."""
    error.provider, error.model = result.provider, result.model
    if not isinstance(error, ResponseValidationError) or reader.call_name is None:
        return
    call = next((t for t in result.tools if t.tool_call.name == reader.call_name), None)
    if call is not None:
        error.message_of_call = result.tool_message_params([(call, error.advice())])[0]


def attach(value: object, response: Callable[[], BaseCallResponse[Any]]) -> None:
    """Put the response at `_response` of a value that can carry it: lists and numbers can't."""
    is_instance = isinstance(value, BaseModel) or dataclasses.is_dataclass(value)
    if is_instance and hasattr(value, "__dict__"):
        object.__setattr__(value, "_response", response().carried())
