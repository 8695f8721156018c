"""What the scripted server sends, when, and how it ends."""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from mirascope.core.testing import (
    Hangup,
    Hold,
    Pause,
    ReceivedRequest,
    Reset,
    Server,
    dribble,
    head,
    redirect,
    sse,
    streamed,
    streaming,
    whole,
)

from .clients import GET, ask, client, dialled, to_the_end

# What is sent


def test_replies_come_in_turn_and_the_last_one_again_and_again(tls: bool) -> None:
    with Server(whole(b"1"), streamed(b"2", b"", b"3"), tls=tls) as server, client(server) as c:
        assert [ask(c) for _ in range(4)] == [b"1", b"23", b"23", b"23"]
        assert [each.requests for each in server.connections] == [4]


def test_a_reply_may_be_made_from_the_request(tls: bool) -> None:
    def echo(request: ReceivedRequest) -> Any:
        return whole([request.method, request.path, request.headers["x-a"], request.json])

    with Server(echo, path="/v1", tls=tls) as server, client(server) as c:
        assert urlsplit(server.url).path == "/v1"
        c.request("PUT", "/v1/x?y=1", json.dumps({"z": "é" * 100_000}), {"x-a": "b"})
        assert json.loads(c.getresponse().read()) == [
            "PUT", "/v1/x?y=1", "b", {"z": "é" * 100_000},
        ]  # fmt: skip


def test_a_request_may_come_in_chunks_and_in_bytes() -> None:
    request = (
        b"POST / HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;note=1\r\nabc\r\n2\r\nde\r\n0\r\ntrailer: 1\r\n\r\n"
    )
    with Server(whole({})) as server, dialled(server) as sock:
        for byte in request + GET:
            sock.sendall(bytes([byte]))
        server.wait_requests(2)
        first, second = server.requests
        assert (first.body, first.headers["x-a"]) == (b"abcde", "1, 2")
        assert (second.method, second.body) == ("GET", b"")


def test_requests_that_wait_for_no_answer_are_kept_apart(tls: bool) -> None:
    with Server(whole(b"x"), tls=tls) as server, dialled(server) as sock:
        sock.sendall(GET * 3)
        server.wait_requests(3)
        while sock.recv(65536).count(b"HTTP/1.1 200 OK") == 0:
            pass
        assert [request.connection for request in server.requests] == [0, 0, 0]


def test_heads_statuses_and_redirects() -> None:
    assert head(529) == b"HTTP/1.1 529 Unknown\r\n\r\n"
    assert head(429, {"retry-after": "3"}).startswith(b"HTTP/1.1 429 Too Many Requests\r\nretry")
    replies = redirect("/b"), whole({}, status=503, headers={"x-b": "1"})
    with Server(*replies) as server, client(server) as c:
        c.request("GET", "/a")
        response = c.getresponse()
        response.read()
        assert (response.status, response.headers["location"]) == (307, "/b")
        c.request("GET", "/b")
        response = c.getresponse()
        assert (response.read(), response.status, response.headers["x-b"]) == (b"{}", 503, "1")


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_dribbled_replies_arrive_whole(size: int, tls: bool) -> None:
    reply = streamed("Grüße".encode(), sse({"a": 1}))
    with Server(list(dribble(reply, size)), tls=tls) as server, client(server) as c:
        assert ask(c) == ask(c) == 'Grüßedata: {"a": 1}\n\n'.encode()
    assert b"".join(s for s in dribble(reply, size) if isinstance(s, bytes)) == b"".join(
        s for s in reply if isinstance(s, bytes)
    )
    assert Pause(0.5) in list(dribble([b"ab"], seconds=0.5))


def test_an_endless_body_is_sent_as_it_is_read(tls: bool) -> None:
    made = 0

    def endless() -> Iterator[bytes]:
        nonlocal made
        while True:
            made += 1
            yield b"x" * 65536

    with Server(lambda _: streaming(endless()), tls=tls) as server:
        with dialled(server) as sock:
            sock.sendall(GET)
            assert sock.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
            time.sleep(0.3)
            so_far = made
            assert 0 < so_far < 1000  # the client does not read, so that the server waits
        server.wait_closed()
        assert made <= so_far + 200


def test_a_large_body_passes(tls: bool) -> None:
    body = os.urandom(3_000_000)
    with Server(whole(body), tls=tls) as server, client(server) as c:
        assert ask(c, body=body) == body
        assert server.requests[0].body == body


# When, and how it ends


def test_a_pause_is_as_long_as_it_says(tls: bool) -> None:
    with Server(streamed(b"a", Pause(0.2), b"b"), tls=tls) as server, client(server) as c:
        start = time.monotonic()
        assert ask(c) == b"ab"
        assert 0.2 <= time.monotonic() - start < 2


def test_a_hold_lasts_until_its_event(tls: bool) -> None:
    event = threading.Event()
    with Server(streamed(b"a", Hold(event), b"b"), tls=tls) as server, client(server) as c:
        c.request("GET", "/")
        response = c.getresponse()
        assert response.read(1) == b"a"
        event.set()
        assert response.read() == b"b"


@pytest.mark.parametrize(
    "step",
    [Hold(), Hold(threading.Event()), Pause(30), b"x" * 50_000_000],
    ids=lambda s: str(s)[:9],
)
def test_a_client_that_leaves_is_noticed_at_once(step: Any, tls: bool) -> None:
    with Server(streamed(b"a", step), tls=tls) as server:
        with dialled(server) as sock:
            sock.sendall(GET)
            sock.recv(10)
            assert len(server.open_connections) == 1
        left = time.monotonic()
        assert abs(server.wait_closed() - left) < 0.5
        assert server.connections[0].closed_by == "client"
        server.wait_open(0)
        assert server.open_connections == []


def test_a_client_that_leaves_between_requests_is_noticed(tls: bool) -> None:
    with Server(whole({}), tls=tls) as server:
        with client(server) as c:
            ask(c)
        server.wait_closed()
        assert server.connections[0].requests == 1


def test_a_client_that_crashes_is_noticed() -> None:
    with Server(streamed(b"a", Hold())) as server:
        with dialled(server) as sock:
            sock.sendall(GET)
            sock.recv(10)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        server.wait_closed()


def test_a_reset_is_a_reset_and_a_hangup_is_not(tls: bool) -> None:
    # The pause lets the client read before a reset throws away what is on its way.
    with Server(streamed(b"a", Pause(0.1), Reset()), streamed(b"a", Hangup()), tls=tls) as server:
        with dialled(server) as sock:
            sock.sendall(GET)
            # TLS of Python calls a reset so.
            with pytest.raises((ConnectionResetError, ssl.SSLEOFError)):
                to_the_end(sock)
        with dialled(server) as sock:
            sock.sendall(GET)
            assert to_the_end(sock).endswith(b"1\r\na\r\n")
        assert [each.closed_by for each in server.connections] == ["server", "server"]
        with pytest.raises(AssertionError, match="the server closed connection 1"):
            server.wait_closed(1)


def test_waiting_in_vain_fails() -> None:
    with Server(streamed(b"a", Hold())) as server, dialled(server) as sock:
        with pytest.raises(AssertionError, match="0 of 1 requests arrived"):
            server.wait_requests(seconds=0.05)
        sock.sendall(GET)
        server.wait_requests()
        with pytest.raises(AssertionError, match="the client left connection 0 open"):
            server.wait_closed(seconds=0.05)
        with pytest.raises(AssertionError, match="1 connections are open, not 0"):
            server.wait_open(seconds=0.05)
