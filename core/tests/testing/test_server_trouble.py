"""The scripted server with TLS, and when a test itself is wrong."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import sys
from typing import Any

import pytest
from mirascope.core.testing import (
    ReceivedRequest,
    Reset,
    Server,
    whole,
)

from .clients import GET, ask, client, dialled, to_the_end

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
    last = done.stderr.splitlines()[-1]
    assert "a server with tls=True needs trustme: " in last
    assert last.endswith(' "mirascope-core[testing]"')


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
