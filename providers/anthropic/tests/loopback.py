"""A scripted Messages server on 127.0.0.1, and the events that it sends."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOLD = b"hold"
"""A piece of a body that is not sent: wait until the client closes the connection."""


@dataclass
class Received:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Reply:
    """A response: the body's pieces are sent one by one, as HTTP chunks."""

    body: Iterable[bytes]
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    cut: bool = False
    """Drop the connection where the body would end."""


def json_reply(data: Any, status: int = 200, **headers: str) -> Reply:
    """A response that is no stream."""
    return Reply(
        [json.dumps(data).encode()],
        status,
        {
            "content-type": "application/json",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        },
    )


class Server:
    """Serves replies in turn, the last one again and again, until the `with` block ends."""

    def __init__(self, *replies: Reply | Callable[[Received], Reply]) -> None:
        self.replies = list(replies)
        self.requests: list[Received] = []
        self.connections = 0
        self.left_at: float | None = None
        self.left = threading.Event()
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def setup(self) -> None:
                super().setup()
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                owner.connections += 1

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = json.loads(self.rfile.read(length) or b"null")
                headers = {name.lower(): value for name, value in self.headers.items()}
                with contextlib.suppress(OSError):
                    self.reply(owner._next(Received(self.path, headers, body)))

            def reply(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for piece in reply.body:
                    if piece is HOLD:
                        self.hold()
                        return
                    if piece:
                        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                if reply.cut:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                else:
                    self.wfile.write(b"0\r\n\r\n")

            def hold(self) -> None:
                self.close_connection = True
                if select.select([self.connection], [], [], 10)[0]:
                    owner.left_at = time.monotonic()
                    owner.left.set()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def _next(self, request: Received) -> Reply:
        with self._lock:
            self.requests.append(request)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply(request) if callable(reply) else reply

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def event(data: Any, name: str | None = "") -> bytes:
    """A server-sent event; its name is the data's type unless one is given, None for no name."""
    name = data["type"] if name == "" else name
    head = b"" if name is None else b"event: " + name.encode() + b"\n"
    return head + b"data: " + json.dumps(data).encode() + b"\n\n"


def message_start(usage: Any = None, **fields: Any) -> bytes:
    """The event that begins a message."""
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude-sonnet-5",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage or {"input_tokens": 12, "output_tokens": 1},
        **fields,
    }
    return event({"type": "message_start", "message": message})


def start(index: int, **block: Any) -> bytes:
    """The event that begins a content block."""
    return event({"type": "content_block_start", "index": index, "content_block": block})


def delta(index: int, **delta: Any) -> bytes:
    """The event that goes on with a content block."""
    return event({"type": "content_block_delta", "index": index, "delta": delta})


def text(index: int, *texts: str) -> bytes:
    """The events of a whole text block."""
    pieces = [delta(index, type="text_delta", text=piece) for piece in texts]
    return b"".join([start(index, type="text", text=""), *pieces, stop(index)])


def stop(index: int) -> bytes:
    """The event that ends a content block."""
    return event({"type": "content_block_stop", "index": index})


def message_delta(reason: str | None = "end_turn", usage: Any = None, **delta: Any) -> bytes:
    """The event that says why the message ends, and its usage."""
    return event(
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None, **delta},
            "usage": usage or {"output_tokens": 102},
        }
    )


MESSAGE_STOP = event({"type": "message_stop"})
PING = event({"type": "ping"})


def answer(*blocks: bytes, reason: str = "end_turn", usage: Any = None) -> list[bytes]:
    """The events of a whole message."""
    return [message_start(), *blocks, message_delta(reason, usage), MESSAGE_STOP]
