"""A scripted HTTP/1.1 server on 127.0.0.1: what it sends, when, and how it ends is data.

A reply is a sequence of steps: bytes to send, pauses, a reset. The server records every request
and the moment at which each connection was closed by its client.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Pause:
    """Send nothing for a while."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """Send nothing until the event is set; without one, until the client closes."""

    until: threading.Event | None = None


class Reset:
    """Drop the connection with a TCP reset."""


class Hangup:
    """Close the connection cleanly, here and now."""


Step: TypeAlias = bytes | Pause | Hold | type[Reset] | type[Hangup]
Reply: TypeAlias = Iterable[Step]


@dataclass
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Connected:
    """One connection and how long it lived."""

    requests: int = 0
    closed_at: float | None = None
    closed: threading.Event = field(default_factory=threading.Event)


class _Gone(Exception):  # noqa: N818 - a signal, never an error of a test
    """The client closed the connection, or the script did."""


class Server:
    """Serves scripted replies until the `with` block ends.

    Args:
        replies: one reply per request, the last one again and again; or a function of the request.
    """

    def __init__(self, *replies: Reply | Callable[[Received], Reply]) -> None:
        self._replies = chain(replies, repeat(replies[-1]) if replies else ())
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.requests: list[Received] = []
        self.connections: list[Connected] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Server:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        # A blocked accept() is woken by a shutdown of the listening socket, not by its close.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            sockets = list(self._sockets)
        for connection in sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive(), "a thread of the loopback server hangs"

    def wait_closed(self, connection: int = 0, seconds: float = 5) -> float:
        """Wait until a client has closed its connection; return when that was (monotonic)."""
        record = self.connections[connection]
        assert record.closed.wait(seconds), "the client left the connection open"
        assert record.closed_at is not None
        return record.closed_at

    def wait_requests(self, count: int = 1, seconds: float = 5) -> None:
        """Wait until so many requests have arrived."""
        end = time.monotonic() + seconds
        while len(self.requests) < count:
            assert time.monotonic() < end, f"{len(self.requests)} of {count} requests arrived"
            time.sleep(0.002)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, name="loopback", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets.append(connection)
                self.connections.append(Connected())
                number = len(self.connections) - 1
            self._start(self._serve, connection, number)

    def _serve(self, connection: socket.socket, number: int) -> None:
        record = self.connections[number]
        try:
            with contextlib.suppress(_Gone, OSError):
                buffer = bytearray()
                while not self._stopping.is_set():
                    request = _read_request(connection, buffer, number)
                    with self._lock:
                        record.requests += 1
                        self.requests.append(request)
                        reply = next(self._replies)
                    self._play(connection, reply(request) if callable(reply) else reply)
        finally:
            record.closed_at = time.monotonic()
            record.closed.set()
            with self._lock:
                self._sockets.remove(connection)
            connection.close()

    def _play(self, connection: socket.socket, reply: Reply) -> None:
        for step in reply:
            if isinstance(step, bytes):
                _raise_if_closed(connection, 0)
                connection.sendall(step)
            elif isinstance(step, Pause):
                _raise_if_closed(connection, step.seconds)
            elif isinstance(step, Hold):
                while not (step.until is not None and step.until.is_set()):
                    _raise_if_closed(connection, None if step.until is None else 0.01)
            elif step is Reset:
                # Lingering for no time turns the close into a reset.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise _Gone
            else:
                raise _Gone


def _raise_if_closed(connection: socket.socket, seconds: float | None) -> None:
    """Wait so long for the client to close, which alone makes an idle connection readable."""
    if select.select([connection], [], [], seconds)[0] and not connection.recv(1, socket.MSG_PEEK):
        raise _Gone


def _read_request(connection: socket.socket, buffer: bytearray, number: int) -> Received:
    while b"\r\n\r\n" not in buffer:
        _fill(connection, buffer)
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    method, path, _ = line.split(" ")
    buffer[:] = rest
    length = int(headers.get("content-length", 0))
    while len(buffer) < length:
        _fill(connection, buffer)
    body = bytes(buffer[:length])
    del buffer[:length]
    return Received(method, path, headers, body, number)


def _fill(connection: socket.socket, buffer: bytearray) -> None:
    if not (data := connection.recv(65536)):
        raise _Gone
    buffer += data


def event(data: Any, name: str | None = None) -> bytes:
    """A server-sent event; anything but bytes is sent as JSON."""
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return (b"event: " + name.encode() + b"\n" if name else b"") + b"data: " + text + b"\n\n"


DONE = b"data: [DONE]\n\n"


def chunk(content: str | None = None, **more: Any) -> bytes:
    """The event of one chat-completion chunk.

    `finish=` and `usage=` say the end; `choices=` replaces the one choice; what else is given is
    put into the delta.
    """
    finish, usage = more.pop("finish", None), more.pop("usage", None)
    index = more.pop("choice", 0)
    delta = {**({} if content is None else {"content": content}), **more}
    choices = more.pop("choices", None)
    if choices is None:
        choices = [{"index": index, "delta": delta, "finish_reason": finish}]
    data: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "gpt-4o-2024-08-06",
        "choices": choices,
    }
    if usage is not None:
        data["usage"] = usage
    return event(data)


USAGE = {"prompt_tokens": 12, "completion_tokens": 102, "total_tokens": 114}


def answer(*texts: str, usage: dict[str, Any] | None = USAGE) -> list[bytes]:
    """The events of a whole, ordinary answer."""
    events = [chunk("", role="assistant"), *map(chunk, texts), chunk(finish="stop")]
    if usage is not None:
        events.append(chunk(choices=[], usage=usage))
    return [*events, DONE]


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def streamed(*steps: Step, status: int = 200, headers: dict[str, str] | None = None) -> list[Step]:
    """A reply whose body comes in pieces, one for each bytes step; the connection stays open."""
    return list(streaming(steps, status=status, headers=headers))


def streaming(
    steps: Iterable[Step], *, status: int = 200, headers: dict[str, str] | None = None
) -> Iterator[Step]:
    """The same, lazily: the steps may never end."""
    yield _head(
        status,
        {
            "content-type": "text/event-stream",
            "transfer-encoding": "chunked",
            "x-request-id": "req_1",
            **(headers or {}),
        },
    )
    for step in steps:
        if not isinstance(step, bytes):
            yield step
        elif step:
            yield b"%x\r\n%b\r\n" % (len(step), step)
    yield b"0\r\n\r\n"


def whole(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> list[Step]:
    """A reply with a body of known length; anything but bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return [
        _head(
            status,
            {
                "content-type": "application/json",
                "content-length": str(len(data)),
                "x-request-id": "req_1",
                **(headers or {}),
            },
        )
        + data
    ]


def completion(content: str | None = "Hi", **message: Any) -> dict[str, Any]:
    """A chat completion that was not streamed."""
    finish = message.pop("finish", "stop")
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "logprobs": None,
                "message": {"role": "assistant", "content": content, "refusal": None, **message},
            }
        ],
        "usage": USAGE,
    }
