"""Streams of the SDK as sources."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

from mirascope.core import JSONObject, SDKObject

from ._sdk_objects import wire_json
from ._sdk_tap import Aborted, Tap, tap


class GenerateSource:
    """The SDK's own loop over a streamed response.

    Args:
        stream: what `generate_content_stream` returned; nothing was taken from it yet.
        tapped: the tap that it runs with, or None.
    """

    __slots__ = ("_first", "_stream", "_tap", "request_id")

    def __init__(self, stream: Any, tapped: Tap | None) -> None:
        self._stream: Iterator[Any] = iter(stream)
        # Nothing is sent before the first chunk is asked for.
        self._tap, self._first = _begun(tapped, next(self._stream, None))
        self.request_id = _request_id(tapped)

    @classmethod
    def open(
        cls, models: Any, arguments: dict[str, Any], max_bytes: int, *, plain: bool = False
    ) -> Self:
        """Send a request.

        Args:
            models: the SDK's `client.models`, or anything with a `generate_content_stream`.
            arguments: the arguments of `generate_content_stream`.
            max_bytes: how large the response may be.
            plain: whether the SDK's loop runs without a tap.
        """
        found = None if plain else tap(models, max_bytes)
        models, tapped = found or (models, None)
        return cls(models.generate_content_stream(**arguments), tapped)

    def __iter__(self) -> Iterator[SDKObject]:
        if self._first is not None:
            yield self._first, _data(self._tap, self._first)
        try:
            for obj in self._stream:
                yield obj, _data(self._tap, obj)
        except Aborted:
            if self._tap is not None and self._tap.failure is not None:
                raise self._tap.failure from None
            return
        except Exception as error:
            data = _rejected(self._tap)
            if data is None:
                raise
            yield error, data

    def abort(self) -> None:
        """Make a read that waits in another thread return or fail."""
        if self._tap is not None:
            self._tap.abort()

    def close(self) -> None:
        """Release the connection."""
        try:
            if self._tap is not None:
                self._tap.close()
        finally:
            if (close := getattr(self._stream, "close", None)) is not None:
                close()


class AsyncGenerateSource:
    """The same over the SDK's asynchronous loop; `open` makes one."""

    __slots__ = ("_first", "_stream", "_tap", "request_id")

    def __init__(self, stream: AsyncIterator[Any], tapped: Tap | None, first: Any) -> None:
        self._stream = stream
        self._tap, self._first = _begun(tapped, first)
        self.request_id = _request_id(tapped)

    @classmethod
    async def open(
        cls, models: Any, arguments: dict[str, Any], max_bytes: int, *, plain: bool = False
    ) -> Self:
        """Send a request; the arguments are those of `GenerateSource.open`."""
        found = None if plain else tap(models, max_bytes)
        models, tapped = found or (models, None)
        stream = aiter(await models.generate_content_stream(**arguments))
        return cls(stream, tapped, await anext(stream, None))

    async def __aiter__(self) -> AsyncIterator[SDKObject]:
        if self._first is not None:
            yield self._first, _data(self._tap, self._first)
        try:
            async for obj in self._stream:
                yield obj, _data(self._tap, obj)
        except Aborted:
            if self._tap is not None and self._tap.failure is not None:
                raise self._tap.failure from None
            return
        except Exception as error:
            data = _rejected(self._tap)
            if data is None:
                raise
            yield error, data

    async def aclose(self) -> None:
        """Release the connection."""
        try:
            if self._tap is not None:
                await self._tap.aclose()
        finally:
            if (aclose := getattr(self._stream, "aclose", None)) is not None:
                await aclose()


def _begun(tapped: Tap | None, first: Any) -> tuple[Tap | None, Any]:
    """Return the tap, if it is one, and the first chunk, if it is more than the beginning."""
    if tapped is None or not tapped.is_used:
        return None, first
    return tapped, first if tapped.has_seen else None


def _data(tapped: Tap | None, obj: Any) -> JSONObject:
    return wire_json(obj) if tapped is None else tapped.take(obj)


def _rejected(tapped: Tap | None) -> JSONObject | None:
    return None if tapped is None else tapped.rejected()


def _request_id(tapped: Tap | None) -> str | None:
    headers: Any = getattr(tapped.response, "headers", {}) if tapped is not None else {}
    found: str | None = headers.get("x-request-id")
    return found


def bounded(models: Any, max_bytes: int) -> Any:
    """Return the SDK's `models` with bounds for one request that is not streamed."""
    found = tap(models, max_bytes)
    return models if found is None else found[0]
