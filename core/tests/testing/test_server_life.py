"""What the scripted server leaves behind, bears, and does when its process forks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from mirascope.core.testing import (
    Hold,
    ReceivedRequest,
    Server,
    streamed,
    whole,
)

from .clients import GET, ask, client, dialled, to_the_end

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


def test_a_client_that_leaves_a_full_connection_is_noticed(tls: bool) -> None:
    """The kernel keeps what nobody will read, so that nothing more can ever be written."""
    for _ in range(10):
        with Server(streamed(*[b"x" * 65536] * 200), tls=tls) as server:
            with dialled(server) as sock:
                sock.sendall(GET)
                server.wait_requests(1)
                time.sleep(0.05)
                sock.recv(4096)
                sock.shutdown(socket.SHUT_RDWR)
            server.wait_closed(0, seconds=1)


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
