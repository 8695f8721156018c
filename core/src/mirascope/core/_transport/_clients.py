"""Default clients: one for all calls of the same credentials, and one for each event loop."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import Generic

from typing_extensions import TypeVar

from .._process import ProcessLock, after_fork

ClientT = TypeVar("ClientT")
AsyncClientT = TypeVar("AsyncClientT")


class ClientCache(Generic[ClientT, AsyncClientT]):
    """Keeps the clients that a provider makes for calls without `client=`.

    Connections are reused by later calls only if their client is. An asynchronous client belongs
    to the event loop that its connections were opened in, so each loop has its own; it is closed
    when the loop shuts its asynchronous generators down, as `asyncio.run` does at its end. A forked
    child begins without clients.

    Args:
        close: closes a synchronous client; it is called at the end of the process.
        aclose: closes an asynchronous client.
    """

    def __init__(
        self,
        close: Callable[[ClientT], None],
        aclose: Callable[[AsyncClientT], Awaitable[None]],
    ) -> None:
        self._aclose = aclose
        self._lock = ProcessLock()
        self._clients: dict[Hashable, ClientT] = {}
        # A parent's clients, in a forked child: neither used nor closed. Their sockets are the
        # parent's, and closing one that speaks TLS would write on its connection.
        self._forgotten: list[object] = []
        self._async_clients: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[Hashable, AsyncClientT]
        ] = weakref.WeakKeyDictionary()
        self._closers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncIterator[None]] = (
            weakref.WeakKeyDictionary()
        )

        def close_all() -> None:
            for client in self._clients.values():
                with contextlib.suppress(Exception):
                    close(client)

        atexit.register(close_all)
        after_fork(self._begin_child)

    def get(self, key: Hashable, make: Callable[[], ClientT]) -> ClientT:
        """Return the client for `key`, made by `make` on first use."""
        with self._lock:
            if key not in self._clients:
                self._clients[key] = make()
            return self._clients[key]

    async def get_async(self, key: Hashable, make: Callable[[], AsyncClientT]) -> AsyncClientT:
        """Return the running event loop's client for `key`, made by `make` on first use."""
        loop = asyncio.get_running_loop()
        clients = self._async_clients.get(loop)
        if clients is None:
            clients = self._async_clients[loop] = {}
            closer = self._close_with_loop(clients)
            # The first step makes the loop know the generator.
            await anext(closer)
            self._closers[loop] = closer
        if key not in clients:
            clients[key] = make()
        return clients[key]

    def _begin_child(self) -> None:
        """Begin without clients: two processes on one connection read each other's answers."""
        self._forgotten += (self._clients, self._async_clients, self._closers)
        self._clients = {}
        self._async_clients = weakref.WeakKeyDictionary()
        self._closers = weakref.WeakKeyDictionary()

    async def _close_with_loop(self, clients: dict[Hashable, AsyncClientT]) -> AsyncIterator[None]:
        try:
            yield
        finally:
            for client in clients.values():
                with contextlib.suppress(Exception):
                    await self._aclose(client)
            clients.clear()
