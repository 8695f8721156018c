"""Clients that are as plain as can be, so that the server is seen as it is."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterator
from typing import Any

from mirascope.core.testing import (
    Server,
)

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@contextlib.contextmanager
def dialled(server: Server) -> Iterator[socket.socket]:
    """A bare connection."""
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    if server.url.startswith("https"):
        sock = server.client_context().wrap_socket(
            sock, server_hostname="127.0.0.1", suppress_ragged_eofs=False
        )
    with sock:
        yield sock


@contextlib.contextmanager
def client(server: Server) -> Iterator[http.client.HTTPConnection]:
    if server.url.startswith("https"):
        made: Any = http.client.HTTPSConnection(
            "127.0.0.1", server.port, timeout=10, context=server.client_context()
        )
    else:
        made = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with contextlib.closing(made):
        yield made


def ask(connection: http.client.HTTPConnection, path: str = "/", body: Any = None) -> bytes:
    connection.request("POST", path, body)
    return connection.getresponse().read()


def to_the_end(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(65536), b""))
