"""Default clients: one for all calls of the same credentials, and one for each event loop."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import sys
import weakref
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import Any, Final, Generic, cast

from typing_extensions import TypeVar

from .. import _process
from .._errors import UsageError
from .._process import ProcessLock, after_fork
from ._background import keep
from ._connection import Connection
from ._in_thread import in_thread
from ._opening import CURRENT

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


MAX_CLIENTS: Final = 32
"""How many default clients of one kind are kept; for asynchronous ones, in each event loop."""


class _Kept(Generic[ClientT]):
    """A default client, closed once it is neither in the cache nor used by a call.

    Attributes:
        client: the client.
        is_closed: whether whoever ends the process or the event loop has closed it already.
    """

    def __init__(self, client: ClientT, close: Callable[[ClientT], object]) -> None:
        self.client = client
        self.is_closed = False
        self._close = close
        self._forks = _process.forks

    def __del__(self, is_exiting: Callable[[], bool] = sys.is_finalizing) -> None:
        # At the end of the interpreter, modules are empty already, and sockets are closed anyway.
        if not (self.is_closed or is_exiting()) and self._forks == _process.forks:
            with contextlib.suppress(Exception):
                self._close(self.client)


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
        self._clients: OrderedDict[Hashable, _Kept[ClientT]] = OrderedDict()
        # A parent's clients, in a forked child: neither used nor closed. Their sockets are the
        # parent's, and closing one that speaks TLS would write on its connection.
        self._forgotten: list[object] = []
        self._async_clients: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, OrderedDict[Hashable, _Kept[AsyncClientT]]
        ] = weakref.WeakKeyDictionary()
        self._making: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[Hashable, asyncio.Future[_Kept[AsyncClientT]]]
        ] = weakref.WeakKeyDictionary()
        self._closers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncIterator[None]] = (
            weakref.WeakKeyDictionary()
        )
        self._close = close

        def close_all() -> None:
            for kept in self._clients.values():
                kept.is_closed = True
                with contextlib.suppress(Exception):
                    close(kept.client)

        atexit.register(close_all)
        after_fork(self._begin_child)

    def sync(
        self, connection: Connection, make: Callable[[], ClientT], *, key: Hashable = None
    ) -> ClientT:
        """Return the client of a synchronous call: the user's own, or a default one.

        Args:
            connection: how the provider is reached.
            make: makes a default client, on first use; for an asynchronous call, in a thread.
            key: what tells default clients apart; None for the connection's settings and the
                environment.

        Raises:
            UsageError: the user's client is asynchronous, or a setting can't be compared.
        """
        client = connection.client
        if client is None:
            client = self.get(self._key(connection) if key is None else key, make)
        elif self._is_async(client):
            raise UsageError(
                f"client is asynchronous ({client.__class__.__name__!r}): give {self._names[0]}, "
                "or decorate an 'async def'"
            )
        _ready()
        return cast("ClientT", client)

    async def asynchronous(
        self, connection: Connection, make: Callable[[], AsyncClientT], *, key: Hashable = None
    ) -> AsyncClientT:
        """Return the client of an asynchronous call, in the running event loop; see `sync`."""
        client = connection.client
        if client is None:
            client = await self.get_async(self._key(connection) if key is None else key, make)
        elif self._is_async(client) is False:
            raise UsageError(
                f"client is synchronous ({client.__class__.__name__!r}): give {self._names[1]} "
                "to an 'async def'"
            )
        _ready()
        return cast("AsyncClientT", client)

    def get(self, key: Hashable, make: Callable[[], ClientT]) -> ClientT:
        """Return the client for `key`, made by `make` on first use.

        It is kept until `MAX_CLIENTS` others were used after it and the calls that use it are over.
        """
        with self._lock:
            kept = self._clients.get(key)
            if kept is None:
                kept = _Kept(make(), self._close)
            return _use(self._clients, key, kept)

    async def get_async(self, key: Hashable, make: Callable[[], AsyncClientT]) -> AsyncClientT:
        """Return the running event loop's client for `key`, made by `make` on first use."""
        loop = asyncio.get_running_loop()
        clients = self._async_clients.get(loop)
        if clients is None:
            clients = self._async_clients[loop] = OrderedDict()
            closer = self._close_with_loop(clients)
            # The first step makes the loop know the generator.
            await anext(closer)
            self._closers[loop] = closer
        kept = clients.get(key)
        if kept is None:
            # All calls wait for the same one, and it outlives their deadlines.
            making = self._making.setdefault(loop, {})
            if key not in making:
                making[key] = asyncio.ensure_future(self._make(clients, making, key, make))
            kept = await asyncio.shield(making[key])
        return _use(clients, key, kept)

    async def _make(
        self,
        clients: OrderedDict[Hashable, _Kept[AsyncClientT]],
        making: dict[Hashable, asyncio.Future[_Kept[AsyncClientT]]],
        key: Hashable,
        make: Callable[[], AsyncClientT],
    ) -> _Kept[AsyncClientT]:
        """Make a client beside the loop: reading certificates takes a tenth of a second."""
        try:
            kept = _Kept(await in_thread(make), self._closer_in(asyncio.get_running_loop()))
            clients[key] = kept
            return kept
        finally:
            del making[key]

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
        self._forgotten += (self._clients, self._async_clients, self._closers, self._making)
        self._clients = OrderedDict()
        self._async_clients = weakref.WeakKeyDictionary()
        self._making = weakref.WeakKeyDictionary()
        self._closers = weakref.WeakKeyDictionary()

    def _closer_in(self, loop: asyncio.AbstractEventLoop) -> Callable[[AsyncClientT], object]:
        """Return what closes a client in its event loop, from any thread and without waiting."""
        aclose = self._aclose

        async def close(client: AsyncClientT) -> None:
            with contextlib.suppress(Exception):
                await aclose(client)

        def close_later(client: AsyncClientT) -> None:
            # A loop that is closed has closed its clients.
            loop.call_soon_threadsafe(lambda: keep(loop.create_task(close(client))))

        return close_later

    async def _close_with_loop(
        self, clients: OrderedDict[Hashable, _Kept[AsyncClientT]]
    ) -> AsyncIterator[None]:
        try:
            yield
        finally:
            for kept in clients.values():
                kept.is_closed = True
                with contextlib.suppress(Exception):
                    await self._aclose(kept.client)
            clients.clear()


def _ready() -> None:
    if (opening := CURRENT.get()) is not None:
        opening.client_is_ready()


def _use(
    clients: OrderedDict[Hashable, _Kept[ClientT]], key: Hashable, kept: _Kept[ClientT]
) -> ClientT:
    """Note that a client is used, and let the one go that was not used for longest."""
    opening = CURRENT.get()
    if opening is not None:
        # Otherwise it might be closed under a stream that still reads.
        opening.hold(kept)
    clients[key] = kept
    clients.move_to_end(key)
    while len(clients) > MAX_CLIENTS:
        clients.popitem(last=False)
    return kept.client
