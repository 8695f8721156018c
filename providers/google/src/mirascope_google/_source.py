"""Streams of the SDK as sources.

The SDK sends the request, and the response is read as bytes where nothing is lost by it (see
`_prepared`). An event with a token to continue with, and all behind it, is left to the SDK's
own loop, which decides about the next request. The loop is also the way where there are no bytes.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator, Mapping
from types import FunctionType
from typing import Any, Self, cast

from mirascope.core import JSONObject, SDKObject

from ._chunk_objects import ChunkObjects
from ._first_hop import FirstHop
from ._sdk_objects import wire_json
from ._sdk_tap import Aborted, Tap, tap


class GenerateSource:
    """A streamed response.

    Args:
        stream: what `generate_content_stream` returned; nothing was taken from it yet.
        tapped: the tap that it runs with, or None.
        config: the request's configuration, if the response may be read as bytes.
    """

    __slots__ = ("_first", "_stream", "_tap", "chunk_object", "request_id")

    def __init__(
        self, stream: Any, tapped: Tap | None, config: Mapping[str, Any] | None = None
    ) -> None:
        self._stream: Iterator[Any] = iter(stream)
        # Nothing is sent before the first chunk is asked for.
        self._tap, self._first = _begun(tapped, next(self._stream, None))
        self.request_id = _request_id(tapped)
        self.chunk_object = _chunk_objects(self._tap, self._first, config)

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
        models, tapped, config = _prepared(models, arguments, max_bytes, plain=plain)
        return cls(models.generate_content_stream(**arguments), tapped, config)

    def __iter__(self) -> Iterator[bytes | SDKObject]:
        return self._objects() if self.chunk_object is None else self._bytes(cast("Tap", self._tap))

    def _bytes(self, tapped: Tap) -> Iterator[bytes | SDKObject]:
        hop = FirstHop(tapped.max_bytes)
        for piece in tapped.pieces:
            if events := hop.take(piece):
                yield events
            if hop.is_continued:
                break
        if events := hop.end():
            yield events
        if hop.is_continued:
            tapped.go_on(hop.passed(), hop.rest)
            yield from self._objects()

    def _objects(self) -> Iterator[SDKObject]:
        if self._first is not None:
            yield self._first, _data(self._tap, self._first)
        try:
            for obj in self._stream:
                if not _was_passed(self._tap, self.chunk_object):
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

    __slots__ = ("_first", "_stream", "_tap", "chunk_object", "request_id")

    def __init__(
        self,
        stream: AsyncIterator[Any],
        tapped: Tap | None,
        first: Any,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self._stream = stream
        self._tap, self._first = _begun(tapped, first)
        self.request_id = _request_id(tapped)
        self.chunk_object = _chunk_objects(self._tap, self._first, config)

    @classmethod
    async def open(
        cls, models: Any, arguments: dict[str, Any], max_bytes: int, *, plain: bool = False
    ) -> Self:
        """Send a request; the arguments are those of `GenerateSource.open`."""
        models, tapped, config = _prepared(models, arguments, max_bytes, plain=plain)
        stream = aiter(await models.generate_content_stream(**arguments))
        return cls(stream, tapped, await anext(stream, None), config)

    def __aiter__(self) -> AsyncIterator[bytes | SDKObject]:
        return self._objects() if self.chunk_object is None else self._bytes(cast("Tap", self._tap))

    async def _bytes(self, tapped: Tap) -> AsyncIterator[bytes | SDKObject]:
        hop = FirstHop(tapped.max_bytes)
        async for piece in tapped.pieces:
            if events := hop.take(piece):
                yield events
            if hop.is_continued:
                break
        if events := hop.end():
            yield events
        if hop.is_continued:
            tapped.go_on(hop.passed(), hop.rest)
            async for item in self._objects():
                yield item

    async def _objects(self) -> AsyncIterator[SDKObject]:
        if self._first is not None:
            yield self._first, _data(self._tap, self._first)
        try:
            async for obj in self._stream:
                if not _was_passed(self._tap, self.chunk_object):
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


def _prepared(
    models: Any, arguments: Mapping[str, Any], max_bytes: int, *, plain: bool
) -> tuple[Any, Tap | None, Mapping[str, Any] | None]:
    """Return the SDK's object to call, its tap, and the configuration of a response read as bytes.

    Without a tap, or with None for the configuration, the SDK's loop does the reading.
    """
    if plain:
        return models, None, None
    calls_functions = _calls_functions(arguments)
    config = None if calls_functions else _bytes_config(models, arguments)
    # Where it calls functions, the loop of google-genai before 3 ends at an empty chunk.
    found = tap(models, max_bytes, by_bytes=config is not None, announces=not calls_functions)
    models, tapped = found or (models, None)
    return models, tapped, config


def _calls_functions(arguments: Mapping[str, Any]) -> bool:
    """Whether the SDK may call something by itself: a Python function, or what an MCP session has.

    Mappings and the SDK's own tools are declarations, and all else may be such a tool.
    """
    from google.genai.types import Tool

    config: Any = arguments.get("config")
    if isinstance(config, Mapping):
        tools: Any = cast("Mapping[str, Any]", config).get("tools")
    else:
        tools = getattr(config, "tools", None)
    try:
        return not all(isinstance(tool, (Mapping, Tool)) for tool in tools or ())
    except TypeError:
        return True


def _bytes_config(models: Any, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the configuration of a request that calls no functions if its response may be bytes.

    The SDK's loop runs where somebody looks on: `generate_content_stream` is not the SDK's own but
    a subclass's, or instrumentation has wrapped it.
    """
    from google.genai import models as sdk

    method = inspect.getattr_static(models, "generate_content_stream", None)
    known_names: Any = vars(sdk)
    if type(method) is not FunctionType or method.__globals__ is not known_names:
        return None
    config: Any = arguments.get("config")
    return cast("Mapping[str, Any]", config) if isinstance(config, Mapping) else None


def _chunk_objects(
    tapped: Tap | None, first: Any, config: Mapping[str, Any] | None
) -> ChunkObjects | None:
    """Return what makes the objects of a response that is read as bytes; None where it is not."""
    if tapped is None or first is not None or config is None or tapped.pieces is None:
        return None
    return ChunkObjects(tapped.headers, is_vertex=bool(tapped.vertexai), config=config)


def _was_passed(tapped: Tap | None, chunk_object: ChunkObjects | None) -> bool:
    """Whether an object only tells the SDK's loop what was read as bytes before."""
    return chunk_object is not None and tapped is not None and not tapped.has_seen


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
