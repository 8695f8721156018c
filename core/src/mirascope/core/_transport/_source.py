"""Where a response comes from: the only part of the library that does I/O."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, cast

from .._errors import StreamDecodeError, request_id
from .._types import JSONObject
from ._bounds import inflate_body
from ._held_connection import HeldConnection

SDKObject: TypeAlias = tuple[Any, JSONObject]
"""An object that an SDK yielded, and the JSON object that it was made of."""

Piece: TypeAlias = bytes | SDKObject
"""What a source yields: bytes of the body wherever possible, else an SDK's objects."""


class Source(Protocol):
    """An open response.

    A source whose SDK puts more into a chunk's object than the event's JSON, such as the headers of
    the response, has a method `chunk_object(data, raw)` as well, which takes the place of
    `Provider.chunk_object`.

    Attributes:
        request_id: the provider's id of the request, where it sent one.
    """

    request_id: str | None

    def __iter__(self) -> Iterator[Piece]: ...

    def abort(self) -> None:
        """Make a read that is blocked in another thread return or fail. Never blocks or raises."""
        ...

    def close(self) -> None:
        """Release the connection; called by the reader, once or more."""
        ...


class AsyncSource(Protocol):
    """An open response, read asynchronously. A blocked read is ended by cancelling its task.

    Attributes:
        request_id: the provider's id of the request, where it sent one.
    """

    request_id: str | None

    def __aiter__(self) -> AsyncIterator[Piece]: ...

    async def aclose(self) -> None:
        """Release the connection; once or more."""
        ...


class HTTPSource:
    """A source over a streamed response of an httpx-like client.

    Args:
        response: an open `httpx.Response`, `httpx2.Response` or anything with the same `headers`,
            `extensions`, `iter_bytes` and `close`.
        close: what releases the response; its own `close` by default.

    Attributes:
        request_id: the provider's id of the request, where it sent one.
    """

    __slots__ = ("_close", "_connection", "_response", "request_id")

    def __init__(self, response: Any, close: Callable[[], None] | None = None) -> None:
        inflate_body(response)
        self._response = response
        self._connection = HeldConnection(response)
        self._close: Callable[[], None] = close or response.close
        self.request_id = request_id(response.headers)

    def __iter__(self) -> Iterator[bytes]:
        iterator: Iterator[bytes] = self._response.iter_bytes()
        return iterator

    def abort(self) -> None:
        """Shut the connection down, for as long as it is this response's."""
        self._connection.shut_down()

    def close(self) -> None:
        """Release the response."""
        try:
            self._close()
        finally:
            # A response that was interrupted while it closed takes itself for closed.
            self._connection.close()


class AsyncHTTPSource:
    """The same over a streamed response of an asynchronous client.

    Args:
        response: an open response with `headers` and `aiter_bytes`.
        aclose: the coroutine function that releases it.

    Attributes:
        request_id: the provider's id of the request, where it sent one.
    """

    __slots__ = ("_aclose", "_connection", "_response", "request_id")

    def __init__(self, response: Any, aclose: Callable[[], Any] | None = None) -> None:
        inflate_body(response)
        self._response = response
        self._connection = HeldConnection(response)
        self._aclose = aclose or response.aclose
        self.request_id = request_id(response.headers)

    def __aiter__(self) -> AsyncIterator[bytes]:
        iterator: AsyncIterator[bytes] = self._response.aiter_bytes()
        return iterator

    async def aclose(self) -> None:
        """Release the response."""
        try:
            await self._aclose()
        finally:
            # As above, where the task was cancelled.
            await self._connection.aclose()


class ObjectSource:
    """A source over the objects that an SDK's own stream yields.

    Args:
        stream: the SDK's stream: an iterator, with `close()` and `response` where it has them.
        to_data: turns an object into the JSON object that it stands for.

    Attributes:
        request_id: the provider's id of the request, where it sent one.
    """

    __slots__ = ("_connection", "_stream", "_to_data", "request_id")

    def __init__(self, stream: Any, to_data: Callable[[Any], JSONObject]) -> None:
        self._stream = stream
        self._to_data = to_data
        response = getattr(stream, "response", None)
        headers: Any = getattr(response, "headers", {})
        self.request_id = request_id(headers)
        self._connection = HeldConnection(response)

    def __iter__(self) -> Iterator[SDKObject]:
        for obj in self._stream:
            yield obj, self._to_data(obj)

    def abort(self) -> None:
        """Shut the connection down, where the SDK's stream shows its response."""
        self._connection.shut_down()

    def close(self) -> None:
        """Close the SDK's stream."""
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()


class AsyncObjectSource:
    """The same over an SDK's asynchronous stream, with `aclose()` or an asynchronous `close()`.

    Attributes:
        request_id: the provider's id of the request, where it sent one.
    """

    __slots__ = ("_stream", "_to_data", "request_id")

    def __init__(self, stream: Any, to_data: Callable[[Any], JSONObject]) -> None:
        self._stream = stream
        self._to_data = to_data
        headers: Any = getattr(getattr(stream, "response", None), "headers", {})
        self.request_id = request_id(headers)

    async def __aiter__(self) -> AsyncIterator[SDKObject]:
        async for obj in self._stream:
            yield obj, self._to_data(obj)

    async def aclose(self) -> None:
        """Close the SDK's stream."""
        close = getattr(self._stream, "aclose", None) or getattr(self._stream, "close", None)
        if close is not None:
            closing = close()
            if inspect.isawaitable(closing):
                await closing


def json_object(obj: Any) -> JSONObject:
    """Return the JSON object that an SDK's object, a mapping or a plain object stands for.

    Raises:
        StreamDecodeError: it stands for something else. SDKs hand a body that is not a JSON object
            on as it is.
    """
    value = _json_value(obj)
    if not isinstance(value, dict):
        raise StreamDecodeError(f"the response is not a JSON object: {value!r:.120}")
    return cast("JSONObject", value)


def _json_value(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if callable(dump := getattr(value, "model_dump", None)):
        return dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
    if isinstance(value, Mapping):
        return {str(k): _json_value(v) for k, v in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(item) for item in cast("list[Any]", value)]
    fields = cast("dict[str, Any]", vars(value))
    return {name: _json_value(item) for name, item in fields.items() if name[0] != "_"}


class BytesSource:
    """A source over bytes that are already there: a recording, a test.

    Args:
        body: the response body.
        chunk_bytes: how many bytes a read gives; all at once by default.

    Attributes:
        request_id: always None.
    """

    __slots__ = ("_body", "_chunk_bytes", "request_id")

    def __init__(self, body: bytes, chunk_bytes: int | None = None) -> None:
        self._body = body
        self._chunk_bytes = chunk_bytes or max(1, len(body))
        self.request_id: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), self._chunk_bytes):
            yield self._body[start : start + self._chunk_bytes]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def abort(self) -> None:
        """Nothing ever waits here."""

    def close(self) -> None:
        """Nothing to release."""

    async def aclose(self) -> None:
        """Nothing to release."""
