"""Which process this is. A forked child begins without its parent's locks, threads and connections.

A lock that another thread of the parent held at the moment of the fork stays held in the child for
good; a socket that parent and child both read gives each the other's answers. Whatever holds one
of them registers here.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Final

forks: int = 0
"""How many forks lie between the process that imported this module and this one."""

_actions: Final[list[Callable[[], None]]] = []


def after_fork(action: Callable[[], None]) -> None:
    """Run an action in every child that is forked from now on, before any other code of it."""
    _actions.append(action)


class ProcessLock:
    """A reentrant lock that every forked child has free, for what lives as long as the process.

    Reentrant, because a signal handler runs in the middle of whatever its thread is doing and must
    never wait for itself.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _locks.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()

    def renew(self) -> None:
        """Forget who holds the lock: in a forked child, nobody does."""
        self._lock = threading.RLock()


_locks: Final[weakref.WeakSet[ProcessLock]] = weakref.WeakSet()


def _begin_child() -> None:
    global forks
    forks += 1
    for lock in _locks:
        lock.renew()
    for action in _actions:
        action()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_child)
