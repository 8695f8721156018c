"""A scripted HTTP/1.1 server on 127.0.0.1 that speaks as Gemini does.

A reply is a list of steps; the server records every request and when each connection was closed.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias


class Hold:
    """Send nothing until the client closes."""


class Reset:
    """Drop the connection with a TCP reset."""


Step: TypeAlias = bytes | type[Hold] | type[Reset]


@dataclass
class Received:
    """A request as it arrived, and the connection that it came on."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Reply: TypeAlias = Iterable[Step] | Callable[[Received], Iterable[Step]]


@dataclass
class Connected:
    """One connection."""

    closed: threading.Event = field(default_factory=threading.Event)
    closed_at: float = 0.0


class _Gone(Exception):  # noqa: N818 - a signal
    pass


class Server:
    """Serves the replies in turn, the last one again and again, until the block ends."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self._stopping = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.requests: list[Received] = []
        self.connections: list[Connected] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Server:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for sock in (self._listener, *list(self._sockets)):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive(), "a thread of the server hangs"

    def seconds_until_closed(self, since: float, connection: int = 0) -> float:
        """Wait until the client has closed a connection; return how long after `since`."""
        record = self.connections[connection]
        assert record.closed.wait(5), "the client left the connection open"
        return record.closed_at - since

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.add(sock)
            self.connections.append(Connected())
            self._start(self._serve, sock, len(self.connections) - 1)

    def _serve(self, sock: socket.socket, number: int) -> None:
        buffer = bytearray()
        with contextlib.suppress(_Gone, OSError):
            while not self._stopping.is_set():
                request = _read_request(sock, buffer, number)
                self.requests.append(request)
                reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
                for step in reply(request) if callable(reply) else reply:
                    _play(sock, step)
        record = self.connections[number]
        record.closed_at = time.monotonic()
        record.closed.set()
        self._sockets.discard(sock)
        sock.close()


def _play(sock: socket.socket, step: Step) -> None:
    if isinstance(step, bytes):
        if select.select([sock], [], [], 0)[0] and not sock.recv(1, socket.MSG_PEEK):
            raise _Gone
        sock.sendall(step)
    elif step is Hold:
        while sock.recv(1024):
            pass
        raise _Gone
    else:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Gone


def _read_request(sock: socket.socket, buffer: bytearray, number: int) -> Received:
    def fill() -> None:
        if not (data := sock.recv(65536)):
            raise _Gone
        buffer.extend(data)

    while b"\r\n\r\n" not in buffer:
        fill()
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (each.partition(":") for each in lines)}
    buffer[:] = rest
    length = int(headers.get("content-length", 0))
    while len(buffer) < length:
        fill()
    body = bytes(buffer[:length])
    del buffer[:length]
    return Received(line.split(" ")[1], headers, body, number)


def streamed(
    *pieces: Step, end: bool = True, content_type: str = "text/event-stream"
) -> list[Step]:
    """A streamed reply: each piece of bytes is one HTTP chunk."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n"
    steps = [b"%x\r\n%b\r\n" % (len(p), p) if isinstance(p, bytes) else p for p in pieces]
    return [head.encode(), *steps, *([b"0\r\n\r\n"] if end else [])]


def whole(body: Any, status: int = 200, **headers: str) -> list[Step]:
    """A reply of known length; anything but bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"content-type": "application/json", "content-length": str(len(data)), **headers}
    head = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in lines.items())
    return [f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + data]


def event(data: Any) -> bytes:
    """A server-sent event as Gemini frames it."""
    return b"data: " + json.dumps(data).encode() + b"\r\n\r\n"


USAGE = {
    "promptTokenCount": 12,
    "candidatesTokenCount": 100,
    "thoughtsTokenCount": 2,
    "totalTokenCount": 114,
}


def response(*parts: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One response object; a string is a part of text."""
    made = [{"text": part} if isinstance(part, str) else part for part in parts]
    candidate: dict[str, Any] = {"content": {"parts": made, "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    candidate.update(more.pop("candidate", {}))
    return {
        "candidates": [candidate],
        "modelVersion": "gemini-2.5-flash",
        "responseId": "resp-1",
        **more,
    }


def answer(*texts: str) -> list[Step]:
    """A whole, ordinary streamed reply."""
    *some, last = texts
    events = [event(response(text)) for text in some]
    return streamed(*events, event(response(last, finish="STOP", usageMetadata=USAGE)))
