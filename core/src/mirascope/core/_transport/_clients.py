"""Default clients: one for all calls of the same credentials, and one for each event loop."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import Any, Generic, cast

from typing_extensions import TypeVar

from .._errors import UsageError
from .._process import ProcessLock, after_fork
from ._connection import Connection

ClientT = TypeVar("ClientT")
AsyncClientT = TypeVar("AsyncClientT")


def is_async_client(client: Any) -> bool | None:
    """Whether a client is asynchronous; None if it does not show.

    Clients hold connections, so that they can be entered: by `async with` alone if they are
    asynchronous. What wraps a client to instrument it gives the client's own class.
    """
    kind: type = client.__class__
    is_sync, is_async = hasattr(kind, "__enter__"), hasattr(kind, "__aenter__")
    return None if is_sync == is_async else is_async


class ClientCache(Generic[ClientT, AsyncClientT]):
    """Picks the client of a call, and keeps those that are made for calls without `client=`.

    Connections are reused by later calls only if their client is. An asynchronous client belongs
    to the event loop that its connections were opened in, so each loop has its own; it is closed
    when the loop shuts its asynchronous generators down, as `asyncio.run` does at its end. A forked
    child begins without clients.

    Args:
        close: closes a synchronous client; it is called at the end of the process.
        aclose: closes an asynchronous client.
        environment: what the variables' names begin with that a new client reads: calls under
            other values of them have another client.
        is_async: whether a client is asynchronous, None for one that serves both kinds of call;
            by default, what it can be entered by shows it.
        names: what the two kinds of client are called in errors.
    """

    def __init__(
        self,
        close: Callable[[ClientT], None],
        aclose: Callable[[AsyncClientT], Awaitable[None]],
        *,
        environment: tuple[str, ...] = (),
        is_async: Callable[[Any], bool | None] = is_async_client,
        names: tuple[str, str] = ("a synchronous client", "an asynchronous client"),
    ) -> None:
        self._environment = environment
        self._is_async = is_async
        self._names = names
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

    def sync(
        self, connection: Connection, make: Callable[[], ClientT], *, key: Hashable = None
    ) -> ClientT:
        """Return the client of a synchronous call: the user's own, or a default one.

        Args:
            connection: how the provider is reached.
            make: makes a default client, on first use.
            key: what tells default clients apart; None for the connection's settings and the
                environment.

        Raises:
            UsageError: the user's client is asynchronous, or a setting can't be compared.
        """
        client = connection.client
        if client is None:
            return self.get(self._key(connection) if key is None else key, make)
        if self._is_async(client):
            raise UsageError(
                f"client is asynchronous ({client.__class__.__name__!r}): give {self._names[0]}, "
                "or decorate an 'async def'"
            )
        return cast("ClientT", client)

    async def asynchronous(
        self, connection: Connection, make: Callable[[], AsyncClientT], *, key: Hashable = None
    ) -> AsyncClientT:
        """Return the client of an asynchronous call, in the running event loop; see `sync`."""
        client = connection.client
        if client is None:
            return await self.get_async(self._key(connection) if key is None else key, make)
        if self._is_async(client) is False:
            raise UsageError(
                f"client is synchronous ({client.__class__.__name__!r}): give {self._names[1]} "
                "to an 'async def'"
            )
        return cast("AsyncClientT", client)

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

    def _key(self, connection: Connection) -> Hashable:
        settings = sorted(connection.settings.items())
        for name, value in settings:
            try:
                hash(value)
            except TypeError:
                raise UsageError(
                    f"{name} can't be {value.__class__.__name__!r}, which has no hash to find a "
                    "default client by: give a client= of your own"
                ) from None
        environ = os.environ.items() if self._environment else ()
        return (*settings, *sorted(i for i in environ if i[0].startswith(self._environment)))

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
