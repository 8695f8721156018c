"""A scripted HTTP/1.1 server on 127.0.0.1: what it sends, when, and how it ends is data."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

from . import _forks
from ._certificates import client_context, server_context
from ._link import ClientLeft, Link, NotHTTP
from ._records import ReceivedRequest, ServedConnection
from ._replies import whole
from ._steps import Hangup, Hold, Pause, Reply, Reset, Script

_LOOKS: Final = (0.001, 0.002, 0.005, 0.01)
"""Seconds between the first looks at the event of a `Hold`; the last one is for all later ones."""
_JOIN: Final = 5.0
"""Seconds within which a thread must end when the server stops."""


class Server:
    """Serves scripted replies until its `with` block ends.

    Every connection has a thread, so that a script may wait, however many others are served. A
    connection serves one request after the other for as long as the client keeps it open. A forked
    child of the process that started it has no part in it: it holds none of its sockets.

    Args:
        scripts: one for each request in the order of arrival, the last one again and again.
        path: what `url` ends with, such as `/v1`.
        tls: True for a certificate of the authority that `client_context` trusts; or a context.

    Attributes:
        requests: the requests that arrived, in their order.
        connections: the connections that were accepted, in their order.
        errors: what scripts raised; each one reset its connection.
    """

    def __init__(
        self, *scripts: Script, path: str = "", tls: bool | ssl.SSLContext = False
    ) -> None:
        self._scripts = _in_turn(scripts)
        self._path = path
        self._tls = server_context() if tls is True else tls or None
        self._changed = threading.Condition(threading.Lock())
        self._links: dict[int, Link] = {}
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self._port: int | None = None
        self._wake: tuple[socket.socket, socket.socket] | None = None
        self._stopping = False
        self.requests: list[ReceivedRequest] = []
        self.connections: list[ServedConnection] = []
        self.errors: list[BaseException] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.stop()
        if kind is None and self.errors:
            raise self.errors[0]

    @property
    def port(self) -> int:
        """The port, which the system has chosen; a forked child may be a client on it.

        Raises:
            RuntimeError: the server is not running.
        """
        if self._port is None:
            raise RuntimeError("the server is not running: use it in a with block")
        return self._port

    @property
    def url(self) -> str:
        """The address that clients are given, with the path and without a slash behind it.

        Raises:
            RuntimeError: the server is not running.
        """
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}{self._path}"

    @property
    def open_connections(self) -> list[ServedConnection]:
        """The connections that nobody has closed yet."""
        with self._changed:
            return [each for each in self.connections if each.closed_at is None]

    def client_context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts this server's certificate: `httpx.Client(verify=…)`.

        Raises:
            ModuleNotFoundError: `trustme` is not installed.
        """
        return client_context()

    def start(self) -> None:
        """Listen, and accept connections in a thread.

        Raises:
            RuntimeError: it was started before.
        """
        if self._listener is not None or self._stopping:
            raise RuntimeError("a server is started once: make another one")
        with _forks.lock:
            # As many clients as a test has may come at once; the system's own limit applies.
            self._listener = listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
            listener.setblocking(False)
            self._port = listener.getsockname()[1]
            self._wake = wake = socket.socketpair()
            _forks.running.append(self)
        self._spawn("accept", self._accept, listener, wake[1])

    def stop(self) -> None:
        """Close every connection and wait until every thread has ended; again, nothing happens.

        Raises:
            RuntimeError: a script does not end.
        """
        with self._changed:
            if self._listener is None or self._wake is None or self._stopping:
                return
            self._stopping = True
            for link in self._links.values():
                link.shut_down()
            threads = list(self._threads)
        self._wake[0].send(b"stop")
        deadline = time.monotonic() + _JOIN
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with _forks.lock:
            _forks.running.remove(self)
            for each in (self._listener, *self._wake):
                each.close()
            self._listener = self._wake = self._port = None
        if alive := [thread.name for thread in threads if thread.is_alive()]:
            raise RuntimeError(f"a script does not end: {', '.join(alive)}")

    def wait_requests(self, count: int = 1, seconds: float = 5) -> None:
        """Wait until so many requests have arrived.

        Raises:
            AssertionError: they have not within `seconds`.
        """
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.requests) >= count, seconds)
            if not arrived:
                raise AssertionError(f"{len(self.requests)} of {count} requests arrived")

    def wait_closed(self, connection: int = 0, seconds: float = 5) -> float:
        """Wait until the client has closed a connection, and return when it did.

        Args:
            connection: its number.
            seconds: how long to wait.

        Returns:
            The moment, as `time.monotonic()` counts.

        Raises:
            AssertionError: the client has not within `seconds`, or a script closed it.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed_at(connection) is not None, seconds)
            closed_at = self._closed_at(connection)
            if closed_at is None:
                raise AssertionError(f"the client left connection {connection} open")
            if self.connections[connection].closed_by != "client":
                raise AssertionError(f"the server closed connection {connection}, not the client")
            return closed_at

    def wait_open(self, count: int = 0, seconds: float = 5) -> None:
        """Wait until exactly so many connections are open.

        Raises:
            AssertionError: they are not within `seconds`.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._links) == count, seconds):
                raise AssertionError(f"{len(self._links)} connections are open, not {count}")

    def _closed_at(self, connection: int) -> float | None:
        known = connection < len(self.connections)
        return self.connections[connection].closed_at if known else None

    def _spawn(self, what: str, target: Callable[..., None], *args: Any) -> None:
        name = f"mirascope-testing-{what}"
        thread = threading.Thread(target=target, args=args, name=name, daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket, woken: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while True:
                selector.select()
                # Under the lock, so that a fork meets no socket that nobody knows of.
                with self._changed:
                    if self._stopping:
                        return
                    with contextlib.suppress(BlockingIOError, ConnectionError):
                        self._begin(listener.accept()[0])

    def _begin(self, sock: socket.socket) -> None:
        number = len(self.connections)
        self.connections.append(ServedConnection(number, time.monotonic()))
        link = self._links[number] = Link(sock, self._tls)
        self._changed.notify_all()
        self._spawn(f"connection-{number}", self._serve, link, self.connections[number])

    def _serve(self, link: Link, connection: ServedConnection) -> None:
        end = link.close
        by_client = False
        try:
            link.handshake()
            while not self._stopping:
                request = link.receive(connection.number)
                with self._changed:
                    connection.requests += 1
                    self.requests.append(request)
                    script = next(self._scripts)
                    self._changed.notify_all()
                _play(link, script(request) if callable(script) else script)
        except ClientLeft:
            by_client = not self._stopping
        except NotHTTP:
            with contextlib.suppress(ClientLeft):
                _play(link, whole({"error": "not a request of HTTP/1.1"}, status=400))
        except _Ending as ending:
            end = link.reset if ending.reset else link.hang_up
        except BaseException as error:
            self.errors.append(error)
            end = link.reset
        at = time.monotonic()
        # The record comes first: whoever sees the end may ask for it at once.
        with self._changed:
            connection.closed_at = at
            connection.closed_by = "client" if by_client else "server"
        end()
        with self._changed:
            del self._links[connection.number]
            self._changed.notify_all()

    def before_fork(self) -> None:
        """Accept nothing and end nothing until the fork is done."""
        self._changed.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._changed.release()

    def after_fork_in_child(self) -> None:
        """Let go of everything: the child has the sockets and none of the threads."""
        self._changed = threading.Condition(threading.Lock())
        self._stopping = True
        for each in (self._listener, *(self._wake or ()), *self._links.values()):
            if each is not None:
                each.close()
        self._listener = self._wake = None
        self._links, self._threads = {}, []


class _Ending(Exception):  # noqa: N818 - a signal
    """The script ends the connection."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


def _in_turn(scripts: tuple[Script, ...]) -> Iterator[Script]:
    """Yield each script, then the last one for ever."""
    yield from scripts
    while True:
        yield scripts[-1] if scripts else _unscripted


def _unscripted(request: ReceivedRequest) -> Reply:
    message = f"no reply is scripted for {request.method} {request.path}"
    return whole({"error": {"message": message}}, status=500)


def _play(link: Link, reply: Reply) -> None:
    played = False
    for step in reply:
        played = True
        match step:
            case bytes():
                link.send(step)
            case Pause(seconds):
                link.wait(seconds)
            case Hold(threading.Event() as until):
                looks = iter(_LOOKS)
                while not until.is_set():
                    link.wait(next(looks, _LOOKS[-1]))
            case Hold():
                link.wait(None)
            case Reset() | Hangup():
                raise _Ending(reset=isinstance(step, Reset))
            case _:
                raise TypeError(f"a step is bytes or an instance such as Reset(), not {step!r}")
    if not played:
        raise ValueError("the reply is empty: a generator is played once; give a function or list")
