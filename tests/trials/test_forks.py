"""A fork at any step of a stream: the child has clients of its own, its parent keeps the stream."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from mirascope.core.testing import ReceivedRequest, Server

from .conftest import Tried
from .interrupting import DRIVERS, HTTPCORE
from .protocols import Protocol, name_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def ended(child: int, seconds: float = 20) -> int:
    """Wait for a child and return its exit code; one that hangs is killed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL


@pytest.mark.parametrize("thread", [None, "mirascope-open"], ids=["reading", "opening"])
@pytest.mark.parametrize("timeout", [None, 20], ids=["", "deadlines"])
def test_a_fork(
    protocol: Protocol,
    serve: Callable[..., Server],
    thread: str | None,
    timeout: float | None,
    tried: Tried,
) -> None:
    def reply(request: ReceivedRequest) -> Any:
        return protocol.reply(*[f"<{name_of(request.body)}>"] * 3)

    url = serve(reply, path="/v1").url

    def ask(name: str, **options: Any) -> Any:
        return protocol.ask(name, **protocol.settings(url), **options)

    children: list[int] = []

    def fork() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child:
            children.append(child)
            return
        code = 1
        with contextlib.suppress(BaseException):
            stream.close()
            right = ask("child").collect().content == "<child>" * 3
            code = 0 if right else 2
        os._exit(code)

    for moment in tried.moments(DRIVERS | HTTPCORE, step=41):
        stream = ask("parent", timeout=timeout)
        with moment(fork, thread=thread):
            content = stream.collect().content
        assert content == "<parent>" * 3, moment
        assert stream.state == "completed", moment
        assert [ended(child) for child in children] == [0] * len(children), moment
        children.clear()
    assert tried.furthest > 40 or tried.is_over
