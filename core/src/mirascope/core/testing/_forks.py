"""Servers and forks: a child must not keep alive what its parent closes, nor end what it serves.

Without this, a client would wait for ever for the end of a connection that its server has closed:
the socket is closed when the last process closes it, and a fork makes one more.
"""

from __future__ import annotations

import os
import threading
from typing import Protocol


class Forkable(Protocol):
    """What takes part."""

    def before_fork(self) -> None:
        """Begin nothing until one of the others is called."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Let go of everything that the parent has."""


lock = threading.Lock()
"""Held while a server opens or closes its listener, and while the process forks."""
running: list[Forkable] = []
"""What takes part; changed under the lock."""


def _before() -> None:
    lock.acquire()
    for server in running:
        server.before_fork()


def _in_parent() -> None:
    for server in running:
        server.after_fork_in_parent()
    lock.release()


def _in_child() -> None:
    for server in running:
        server.after_fork_in_child()
    running.clear()
    lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
