"""The fixtures, as a project of its own uses them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CONFTEST = 'pytest_plugins = ["mirascope.core.testing.fixtures"]\n'
TESTS = """
import http.client
import pytest
from mirascope.core.testing import whole

servers = []

def ask(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/")
    try:
        return connection.getresponse().read()
    finally:
        connection.close()

def test_two_servers(serve):
    servers.extend([serve(whole(b"a"), path="/v1"), serve(whole(b"b"))])
    assert [ask(server) for server in servers] == [b"a", b"b"]
    assert servers[0].url.endswith("/v1")

def test_they_were_stopped():
    for server in servers:
        with pytest.raises(RuntimeError, match="not running"):
            server.port

def test_a_script_that_fails(serve):
    with pytest.raises(ConnectionResetError):
        ask(serve(lambda request: 1 / 0))
"""


def test_serve(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "3 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "ERROR at teardown of test_a_script_that_fails" in done.stdout
    assert "ZeroDivisionError" in done.stdout


def test_the_public_names() -> None:
    from mirascope.core import testing
    from mirascope.core.testing import fixtures

    for module in (testing, fixtures):
        assert module.__all__ == sorted(module.__all__)
        assert all(hasattr(module, name) for name in module.__all__)
