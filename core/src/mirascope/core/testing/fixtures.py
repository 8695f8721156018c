"""Fixtures for pytest.

`fault_server` and `recorded` are there wherever pytest is: an entry point leads to them. `serve` is
there with `pytest_plugins = ["mirascope.core.testing.fixtures"]` in the top `conftest.py`.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Protocol

import pytest

from ..._pytest_plugin import Record, StartFaultServer, fault_server, recorded
from .._public import publish as _publish
from ._server import Server
from ._steps import Script

__all__ = ["Record", "Serve", "StartFaultServer", "fault_server", "recorded", "serve"]


class Serve(Protocol):
    """What the fixture `serve` is."""

    def __call__(
        self, *scripts: Script, path: str = "", tls: bool | ssl.SSLContext = False
    ) -> Server:
        """Start a server; the arguments are those of `Server`."""
        ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start scripted servers, which are stopped at the end of the test.

    The test fails if one of their scripts did.
    """
    with contextlib.ExitStack() as stack:

        def start(*scripts: Script, path: str = "", tls: bool | ssl.SSLContext = False) -> Server:
            return stack.enter_context(Server(*scripts, path=path, tls=tls))

        yield start


_publish(globals())
