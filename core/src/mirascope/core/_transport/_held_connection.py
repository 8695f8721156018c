"""The connection under a response, for as long as the response holds it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any, cast

from .. import _process
from ._unbroken import shielded, unbroken


class HeldConnection:
    """Shuts a response's connection down, and never one that the response has let go.

    When the last byte of a body is read, or the response is closed, its connection goes back to
    the pool, and another thread may send a request on it in the next instant. So the response's
    stream tells this object before it lets go, under the lock that `shut_down` takes: whichever
    comes first has the connection, and the other does nothing.

    Args:
        response: an open response of httpx or httpx2, or anything else; what has no connection in
            the way of these two is never shut down.
    """

    __slots__ = ("_aclose", "_close", "_forks", "_lock", "_response")

    def __init__(self, response: Any) -> None:
        # Reentrant: a signal handler may shut down what its own thread is giving back.
        self._lock = threading.RLock()
        self._response: Any = response
        self._forks: int = _process.forks
        self._close: Callable[[], None] | None = None
        self._aclose: Callable[[], Awaitable[None]] | None = None
        self._watch(getattr(response, "stream", None))

    def close(self) -> None:
        """Close the response's stream, unless that has begun.

        A response that is interrupted before its stream is closed takes itself for closed, and does
        nothing when it is asked again.
        """
        if self._close is not None:
            self._close()

    async def aclose(self) -> None:
        """The same for the response of an asynchronous client."""
        if self._aclose is not None:
            await self._aclose()

    def shut_down(self) -> None:
        """Shut the socket down, which ends a read that waits on it. For any thread; never blocks.

        In a forked child it does nothing: the socket is its parent's.
        """
        with self._lock:
            response, self._response = self._response, None
            if response is None or self._forks != _process.forks:
                return
            # On HTTP/2 the socket is shared with other requests.
            if getattr(response, "http_version", "") != "HTTP/2":
                extensions: Any = getattr(response, "extensions", None) or {}
                shut_down(extensions.get("network_stream"))

    def _watch(self, stream: Any) -> None:
        """Know before a response's stream lets its connection go.

        `Response.stream` is what both libraries close at the end of a body and in `close()`.
        """
        name = "aclose" if hasattr(stream, "aclose") else "close"
        close: Any = getattr(stream, name, None)
        if close is None:
            return

        def let_go() -> Any:
            with self._lock:
                # From here on the connection belongs to the pool, or is closed.
                self._response = self._close = self._aclose = None
                # Also ends the cycle of references between the stream and this object.
                begun = cast("dict[str, Any]", vars(stream)).pop(name, None) is None
            return None if begun else close()

        def let_go_unbroken() -> None:
            unbroken(let_go)

        async def let_go_shielded() -> None:
            closing = let_go()
            if closing is not None:
                await shielded(closing)

        # An object of another library may not take it: its connection is not known here either.
        with contextlib.suppress(AttributeError, TypeError):
            if name == "aclose":
                setattr(stream, name, let_go_shielded)
                self._aclose = let_go_shielded
            else:
                setattr(stream, name, let_go_unbroken)
                self._close = let_go_unbroken


def shut_down(network_stream: Any) -> None:
    """Shut down the socket of a network stream of httpcore.

    `get_extra_info("socket")` is documented API of httpx and httpx2
    (https://www.python-httpx.org/advanced/extensions/#network_stream).
    """
    sock = network_stream.get_extra_info("socket") if network_stream is not None else None
    if sock is not None:
        # Already closed, or never connected: nothing waits on it then.
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
