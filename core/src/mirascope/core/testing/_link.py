"""The server's side of one connection: whatever it waits for, it notices when its client leaves.

The socket never blocks. Every wait is a poll, so that sending, reading and pausing all end as soon
as the client closes, or as another thread shuts the socket down.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import time

from ._records import ReceivedRequest

# poll() has no limit on the numbers of descriptors; select() fails from 1024 on.
_Selector: type[selectors.BaseSelector] = getattr(
    selectors, "PollSelector", selectors.SelectSelector
)
_BYTES = 65536


class ClientLeft(Exception):  # noqa: N818 - a signal between the parts of the server
    """The client has closed the connection, or the server is being stopped."""


class NotHTTP(Exception):  # noqa: N818 - a signal between the parts of the server
    """What the client has sent is not a request of HTTP/1.1."""


class Link:
    """A connection, with TLS or without.

    Args:
        sock: the accepted socket, which it owns from now on.
        tls: the context for TLS.
    """

    def __init__(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._readable, self._any = _Selector(), _Selector()
        self._readable.register(sock, selectors.EVENT_READ)
        self._any.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
        self._received = bytearray()
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        if tls is not None:
            # Over memory, so that the socket stays a plain one: another thread may shut it down.
            self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def handshake(self) -> None:
        """Begin TLS, if there is any.

        Raises:
            ClientLeft: the client closed, or does not trust the certificate.
        """
        if self._tls is None:
            return
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            except ssl.SSLError as error:
                with contextlib.suppress(ClientLeft):
                    self._flush()
                raise ClientLeft from error
        self._flush()
        # What the client sent right behind its handshake is here already.
        self._decrypt(self._tls)

    def send(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            ClientLeft: the client closed.
        """
        self.wait(0)
        if self._tls is None:
            return self._send_all(data)
        # Piece by piece: a large body is not encrypted for a client that has left.
        for start in range(0, len(data), _BYTES):
            try:
                self._tls.write(data[start : start + _BYTES])
            except ssl.SSLError as error:
                raise ClientLeft from error
            self._flush()
        return None

    def wait(self, seconds: float | None) -> None:
        """Do nothing for a while, or for ever.

        Raises:
            ClientLeft: the client closed.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while self._poll(deadline):
            self._fill()

    def receive(self, number: int) -> ReceivedRequest:
        """Read the next request; `number` is the connection's.

        Raises:
            ClientLeft: the client closed.
            NotHTTP: it is not a request.
        """
        try:
            return self._receive(number)
        except ValueError as error:
            raise NotHTTP from error

    def _receive(self, number: int) -> ReceivedRequest:
        if not self._received:
            self._fill()
        if self._received and not self._received[:1].isupper():
            raise ValueError  # such as TLS, whose client would wait for an answer
        head = self._until(b"\r\n\r\n").decode("latin-1")
        line, *lines = head.split("\r\n")
        headers: dict[str, str] = {}
        for name, _, value in (each.partition(":") for each in lines):
            name, value = name.lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        method, path, _ = line.split(" ")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
        else:
            body = self._take(int(headers.get("content-length", 0)))
        return ReceivedRequest(method, path, headers, body, number, time.monotonic())

    def reset(self) -> None:
        """Close with a TCP reset."""
        # Lingering for no time turns the close into a reset.
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def hang_up(self) -> None:
        """Close in good order."""
        if self._tls is not None:
            with contextlib.suppress(ClientLeft, ssl.SSLError, ValueError):
                try:
                    self._tls.unwrap()
                except ssl.SSLWantReadError:
                    self._flush()
        self.close()

    def shut_down(self) -> None:
        """End every wait in another thread; the socket stays open until that one closes it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the socket, in this process only: what a fork shares is not ended."""
        self._socket.close()

    def _until(self, end: bytes) -> bytes:
        while (found := self._received.find(end)) < 0:
            self._fill()
        taken = self._take(found)
        self._take(len(end))
        return taken

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            self._fill()
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := int(self._until(b"\r\n").split(b";")[0], 16):
            body += self._take(size)
            self._until(b"\r\n")
        while self._until(b"\r\n"):
            pass  # trailers
        return bytes(body)

    def _fill(self) -> None:
        """Read what is there; wait until something is."""
        self._poll(None)
        try:
            data = self._socket.recv(_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ClientLeft from error
        if not data:
            raise ClientLeft
        if self._tls is None:
            self._received += data
            return None
        self._incoming.write(data)
        return self._decrypt(self._tls)

    def _decrypt(self, tls: ssl.SSLObject) -> None:
        try:
            while tls.version() is not None and (data := tls.read(_BYTES)):
                self._received += data
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            raise ClientLeft from error
        if tls.version() is not None:
            raise ClientLeft  # the client has announced its close

    def _flush(self) -> None:
        self._send_all(self._outgoing.read())

    def _send_all(self, data: bytes) -> None:
        with memoryview(data) as left:
            while left:
                try:
                    left = left[self._socket.send(left) :]
                except BlockingIOError:
                    # A client that leaves a full connection makes it readable, not writable.
                    for _, events in self._any.select():
                        if events & selectors.EVENT_READ:
                            self._fill()
                except OSError as error:
                    raise ClientLeft from error

    def _poll(self, deadline: float | None) -> bool:
        """Wait until there is something to read, and return True, or until the deadline."""
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        return bool(self._readable.select(left))
