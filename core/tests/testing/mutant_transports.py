"""Transports with one mistake each."""

from __future__ import annotations

from typing import Any

from mirascope.core import AsyncHTTPSource, BytesSource, Connection, HTTPSource, Request
from mirascope.core.http import HTTPProvider
from mirascope.core.http import _provider as http_module

from .sound import GoodProvider, provider


def buffered(self: Any, request: Request, connection: Connection) -> Any:
    response = opened(self, request, connection)
    body = response.read()
    response.close()
    return BytesSource(body)


def opened(self: Any, request: Request, connection: Connection) -> Any:
    """Return the response of the sound provider's source."""
    source: Any = GoodProvider.open(self, request, connection)
    return source._response


class Deaf(HTTPSource):
    """Closes nothing, and does not stop."""

    __slots__ = ()

    def close(self) -> None: ...

    def abort(self) -> None: ...


def unlimited(self: Any, request: Request, connection: Connection) -> Any:
    import httpx

    client = http_module._CLIENTS.sync(
        connection, lambda: httpx.Client(timeout=0.5), key="with httpx's limits"
    )
    return client.send(self._build(client, request, connection), stream=True)


def new_client(self: Any, request: Request, connection: Connection) -> Any:
    import httpx

    client = httpx.Client(timeout=60)
    KEPT.append(client)
    return client.send(self._build(client, request, connection), stream=True)


KEPT: list[Any] = []


def quiet(pieces: Any) -> Any:
    """Swallows whatever ends a body."""
    import contextlib

    with contextlib.suppress(Exception):
        yield from pieces


class Quiet(HTTPSource):
    __slots__ = ()

    def __iter__(self) -> Any:
        return quiet(super().__iter__())


class AsyncQuiet(AsyncHTTPSource):
    __slots__ = ()

    async def __aiter__(self) -> Any:
        import contextlib

        with contextlib.suppress(Exception):
            async for piece in super().__aiter__():
                yield piece


def sending(kind: Any) -> Any:
    def open_(self: Any, request: Request, connection: Connection) -> Any:
        return kind(opened(self, request, connection))

    return open_


def sending_async(kind: Any) -> Any:
    async def open_async(self: Any, request: Request, connection: Connection) -> Any:
        source: Any = await GoodProvider.open_async(self, request, connection)
        return kind(source._response)

    return open_async


class Leaky(HTTPSource):
    """Is closed by nobody but the garbage collector."""

    __slots__ = ()

    def __iter__(self) -> Any:
        pieces = super().__iter__()
        # Whoever still refers to the response's iterator keeps its connection.
        KEPT.append(pieces)
        for piece in pieces:  # noqa: UP028 - `yield from` would close it
            yield piece

    def close(self) -> None: ...

    def abort(self) -> None: ...


class AsyncLeaky(AsyncHTTPSource):
    __slots__ = ()

    async def aclose(self) -> None: ...


class OneLoop:
    """An asynchronous client for every loop."""

    client: Any = None


async def one_client(self: Any, request: Request, connection: Connection) -> Any:
    import asyncio

    loop = asyncio.get_running_loop()
    if OneLoop.client is None:
        OneLoop.client = loop
    if OneLoop.client is not loop:
        raise RuntimeError("the client is bound to a different event loop")
    return await HTTPProvider._send_async(self, request, connection)


class ContextManager:
    """An SDK's, in a ring of references: whoever drops it leaves closing to the collector."""

    def __init__(self, response: Any) -> None:
        self.response, self.ring = response, self

    def __del__(self) -> None:
        self.response.close()


def context_dropped(self: Any, request: Request, connection: Connection) -> Any:
    return HTTPSource(ContextManager(opened(self, request, connection)).response)


def impatient(seconds: float, *, always: bool) -> Any:
    """A transport with a deadline of its own: for each read, or until the headers are there."""

    def build(self: Any, *args: Any) -> Any:
        made = GoodProvider._build(self, *args)
        made.extensions["timeout"] = {**made.extensions["timeout"], "read": seconds}
        return made

    def relaxed(response: Any) -> Any:
        if not always:
            response.request.extensions["timeout"]["read"] = None
        return response

    def send(self: Any, *args: Any) -> Any:
        return relaxed(GoodProvider._send(self, *args))

    async def send_async(self: Any, *args: Any) -> Any:
        return relaxed(await GoodProvider._send_async(self, *args))

    return provider(_build=build, _send=send, _send_async=send_async)


class Hoarding(Deaf):
    """Hands on many pieces at once when there have been some, and can't be woken."""

    __slots__ = ()

    def __iter__(self) -> Any:
        kept: list[bytes] = []
        for number, piece in enumerate(super().__iter__()):
            kept.append(piece)
            if number < 6 or len(kept) == 60:
                yield b"".join(kept)
                kept.clear()
        yield b"".join(kept)
