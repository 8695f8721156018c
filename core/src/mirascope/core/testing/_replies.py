"""The usual replies as data, and the usual framings of what they contain."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from ._steps import Pause, Step

_REQUEST_ID = {"x-request-id": "req_1"}


def head(status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a status line and headers, with the empty line behind them.

    Args:
        status: any number, known or not.
        headers: exactly what is sent; nothing is added.
    """
    known = status in HTTPStatus.__members__.values()
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase if known else 'Unknown'}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def streamed(
    *steps: Step, status: int = 200, headers: Mapping[str, str] | None = None
) -> list[Step]:
    """Return a reply whose body comes in pieces; the connection stays open for the next request.

    It can be played any number of times.

    Args:
        steps: each one of bytes is sent as one HTTP chunk; empty ones are left out, because an
            empty HTTP chunk is the end of a body.
        status: the HTTP status.
        headers: added to, or replacing, `content-type: text/event-stream`, the transfer coding and
            `x-request-id: req_1`.
    """
    return list(streaming(steps, status=status, headers=headers))


def streaming(
    steps: Iterable[Step], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Iterator[Step]:
    """Return what `streamed` returns, lazily: the steps may never end, and are played once."""
    framing = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
    yield head(status, {**framing, **_REQUEST_ID, **(headers or {})})
    for step in steps:
        if not isinstance(step, bytes):
            yield step
        elif step:
            yield b"%x\r\n%b\r\n" % (len(step), step)
    yield b"0\r\n\r\n"


def whole(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> list[Step]:
    """Return a reply with a body of known length.

    Args:
        body: bytes as they are; anything else is sent as JSON.
        status: the HTTP status.
        headers: added to, or replacing, `content-type: application/json`, the length and
            `x-request-id: req_1`. A larger `content-length`, with a `Hangup` behind the reply, is
            a body that was cut.
    """
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    framing = {"content-type": "application/json", "content-length": str(len(data))}
    return [head(status, {**framing, **_REQUEST_ID, **(headers or {})}) + data]


def redirect(location: str, *, status: int = 307) -> list[Step]:
    """Return a reply that sends the client elsewhere."""
    return whole(b"", status=status, headers={"location": location})


def dribble(steps: Iterable[Step], size: int = 1, *, seconds: float = 0.0) -> Iterator[Step]:
    """Cut every step of bytes into small ones.

    `dribble(streamed(…))` cuts what is on the wire, wherever an HTTP chunk or a character ends;
    `streamed(*dribble([…]))` cuts the body, and every piece is an HTTP chunk.

    Args:
        steps: a reply, or the steps of one.
        size: how many bytes each piece has, at most.
        seconds: the pause after each piece.
    """
    for step in steps:
        if not isinstance(step, bytes):
            yield step
            continue
        for start in range(0, len(step), size):
            yield step[start : start + size]
            if seconds:
                yield Pause(seconds)


def sse(data: Any, name: str | None = None, *, newline: bytes = b"\n") -> bytes:
    """Return one server-sent event.

    Args:
        data: bytes as they are; anything else is sent as JSON.
        name: its `event:` field, which is left out by default.
        newline: how its lines end; some servers write a carriage return before it.
    """
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    lines = [] if name is None else [b"event: " + name.encode()]
    return newline.join([*lines, b"data: " + text, b"", b""])


def ndjson(*objects: Any) -> bytes:
    """Return one line of JSON for each object."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)
