"""The scripted server itself, with clients that are as plain as can be."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def tls(request: pytest.FixtureRequest) -> bool:
    return request.param


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


# TLS


def test_a_client_that_does_not_trust_the_certificate(tls: bool) -> None:
    with Server(whole({}), tls=True) as server:
        with (
            socket.create_connection(("127.0.0.1", server.port)) as sock,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            ssl.create_default_context().wrap_socket(sock, server_hostname="127.0.0.1")
        with client(server) as c:
            assert ask(c) == b"{}"
        assert len(server.requests) == 1


def test_tls_to_a_plain_server_and_the_reverse() -> None:
    with Server(whole({})) as plain, Server(whole({}), tls=True) as secret:
        with (
            socket.create_connection(("127.0.0.1", plain.port)) as sock,
            pytest.raises(ssl.SSLError),
        ):
            secret.client_context().wrap_socket(sock, server_hostname="127.0.0.1")
        with socket.create_connection(("127.0.0.1", secret.port), timeout=5) as sock:
            sock.sendall(GET)
            with contextlib.suppress(ConnectionResetError):
                assert not to_the_end(sock).startswith(b"HTTP")
        assert plain.requests == secret.requests == []


def test_without_trustme_a_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys; sys.modules['trustme'] = None\n"
        "from mirascope.core.testing import Server\n"
        "with Server(): pass\n"
        "Server(tls=True)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "mirascope-core[testing]"' in done.stderr.splitlines()[-1]


# What goes wrong in a test


def test_a_script_that_fails_fails_the_test() -> None:
    def broken(request: ReceivedRequest) -> Any:
        raise ZeroDivisionError("my own mistake")

    with (
        pytest.raises(ZeroDivisionError, match="my own mistake"),
        Server(broken) as server,
        client(server) as c,
        pytest.raises(ConnectionResetError),
    ):
        ask(c)
    with pytest.raises(LookupError), Server(broken):  # the test's own error goes first
        raise LookupError


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([b"HTTP/1.1 200 OK\r\n\r\n", Reset], "an instance such as Reset()"),
        (iter(whole({})), "a generator is played once"),
    ],
)
def test_scripts_that_can_not_be_played(script: Any, message: str) -> None:
    server = Server(script)
    server.start()
    with dialled(server) as sock:
        sock.sendall(GET * 2)
        with contextlib.suppress(ConnectionResetError):
            to_the_end(sock)
    server.stop()
    (error,) = server.errors
    assert message in str(error)


def test_a_request_that_nobody_scripted() -> None:
    with Server() as server, client(server) as c:
        c.request("GET", "/models")
        response = c.getresponse()
        assert response.status == 500
        assert b"no reply is scripted for GET /models" in response.read()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x00\x05hello",
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused(garbage: bytes) -> None:
    with Server(whole({})) as server, dialled(server) as sock:
        sock.sendall(garbage)
        assert to_the_end(sock).startswith(b"HTTP/1.1 400 Bad Request")
        assert server.requests == []


# Its own life


def test_a_server_leaves_nothing_behind(tls: bool) -> None:
    descriptors = set(os.listdir("/dev/fd"))
    threads = set(threading.enumerate())
    with Server(streamed(b"a", Hold()), tls=tls) as server, contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(dialled(server)).sendall(GET)
        server.wait_requests(5)
        port = server.port
    assert set(threading.enumerate()) == threads
    assert set(os.listdir("/dev/fd")) == descriptors
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_stopping_ends_what_is_under_way() -> None:
    with dialled_to_stopped() as (server, sock):
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 2
        to_the_end(sock)
        assert server.connections[0].closed_by == "server"
        server.stop()
        with pytest.raises(RuntimeError, match="is not running"):
            _ = server.url
        with pytest.raises(RuntimeError, match="started once"):
            server.start()


@contextlib.contextmanager
def dialled_to_stopped() -> Iterator[tuple[Server, socket.socket]]:
    with Server(streamed(b"a", Hold())) as server, dialled(server) as sock:
        sock.sendall(GET)
        assert sock.recv(65536)
        yield server, sock


def test_a_script_that_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mirascope.core.testing._server._JOIN", 0.1)
    release = threading.Event()

    def stuck(request: ReceivedRequest) -> Any:
        release.wait(30)
        return whole({})

    server = Server(stuck)
    server.start()
    try:
        with dialled(server) as sock:
            sock.sendall(GET)
            server.wait_requests()
            with pytest.raises(RuntimeError, match="mirascope-testing-connection-0"):
                server.stop()
    finally:
        release.set()


# Under load


def test_sixty_four_threads(tls: bool) -> None:
    rounds, clients = 20, 64

    def work(number: int) -> None:
        with client(server) as c:
            for count in range(rounds):
                assert ask(c, body=f"{number}.{count}") == f"{number}.{count}".encode() * 3

    def thrice(request: ReceivedRequest) -> Any:
        return streamed(request.body, request.body, request.body)

    with Server(thrice, tls=tls) as server, ThreadPoolExecutor(clients) as pool:
        list(pool.map(work, range(clients)))
        server.wait_open(0)
        assert len(server.requests) == clients * rounds
        assert [each.requests for each in server.connections] == [rounds] * clients
        assert {each.closed_by for each in server.connections} == {"client"}


def test_five_hundred_connections_at_once() -> None:
    go = threading.Event()
    count = 500

    async def one(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        await reader.readuntil(b"1\r\na\r\n")
        rest = await reader.readuntil(b"0\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        return rest

    async def all_of_them(port: int) -> list[bytes]:
        tasks = [asyncio.create_task(one(port)) for _ in range(count)]
        await asyncio.to_thread(server.wait_requests, count, 30)
        assert len(server.open_connections) == count
        go.set()
        return await asyncio.gather(*tasks)

    with Server(streamed(b"a", Hold(go), b"b")) as server:
        rests = asyncio.run(all_of_them(server.port))
        assert rests == [b"1\r\nb\r\n0\r\n\r\n"] * count
        server.wait_open(0)
        assert {each.closed_by for each in server.connections} == {"client"}


# Forks


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_has_no_part_in_the_server() -> None:
    code = """
import os, socket, sys, time
from mirascope.core.testing import Hangup, Hold, Server, streamed, whole

with Server(streamed(b"a", Hold()), whole(b"done", headers={"content-length": "9"})) as server:
    port = server.port
    held = socket.create_connection(("127.0.0.1", port))
    held.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
    server.wait_requests()
    theirs = set(os.listdir("/dev/fd"))
    child = os.fork()
    if child == 0:
        assert len(theirs - set(os.listdir("/dev/fd"))) == 4, "listener, two to wake, connection"
        server.stop()
        assert server.port == port, "a child may be a client of its parent's server"
        # A server of its own, while the parent's goes on.
        with Server(whole(b"child")) as own, socket.create_connection(("127.0.0.1", own.port)) as s:
            s.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
            assert s.recv(1000).endswith(b"child")
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            s.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
            assert s.recv(1000).endswith(b"done")
        time.sleep(60)
        os._exit(1)
    server.wait_requests(2)
    server.wait_closed(1)
    assert server.connections[0].closed_at is None, "the child has ended the parent's connection"
# The child lives, and yet the connection and the port are closed.
held.settimeout(5)
while held.recv(1000): pass
try:
    socket.create_connection(("127.0.0.1", port))
except ConnectionRefusedError:
    print("refused")
os.kill(child, 9)
os.waitpid(child, 0)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "refused\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_forks_while_connections_come_and_go() -> None:
    code = """
import os, socket, threading
from mirascope.core.testing import Server, whole

stop = threading.Event()
def busy():
    while not stop.is_set():
        with Server(whole(b"x")) as own:
            for _ in range(5):
                for port in (server.port, own.port):
                    with socket.create_connection(("127.0.0.1", port)) as s:
                        s.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
                        assert s.recv(1000)

with Server(whole(b"x")) as server:
    threads = [threading.Thread(target=busy) for _ in range(4)]
    for each in threads: each.start()
    for _ in range(100):
        child = os.fork()
        if child == 0:
            with Server(whole(b"x")):
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    stop.set()
    for each in threads: each.join()
    server.wait_open(0)
print(len(server.requests) > 10)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_nothing_of_pytest_is_needed() -> None:
    code = (
        "import sys, mirascope.core\n"
        "assert not [m for m in sys.modules if m.startswith('mirascope.core.testing')]\n"
        "import mirascope.core.testing\n"
        "print({'pytest', 'trustme', 'pluggy', 'httpx', 'httpx2'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
