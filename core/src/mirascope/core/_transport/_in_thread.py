"""Blocking work of asynchronous calls, beside the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

T = TypeVar("T")


async def in_thread(action: Callable[[], T]) -> T:
    """Run a blocking action in a thread of its own; a task that is cancelled does not wait for it.

    It is not `asyncio.to_thread`: that thread is joined when the event loop ends, and there are
    few of them.

    Args:
        action: what to run; it sees the caller's context variables.

    Raises:
        BaseException: whatever `action` raised.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(setter: Callable[[Any], None], value: Any) -> None:
        if not future.done():
            setter(value)

    def run() -> None:
        try:
            outcome: tuple[Callable[[Any], None], Any] = (future.set_result, action())
        except BaseException as error:
            outcome = (future.set_exception, error)
        # A loop that has ended has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, *outcome)

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), name="mirascope-aside", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # No more threads are to be had: better in the loop than not at all.
        return action()
    return await future


class Loads(Protocol):
    """What has something to import before it is used: a provider."""

    def load(self) -> None: ...


_loaded: Final[weakref.WeakSet[Loads]] = weakref.WeakSet()


async def load(provider: Loads) -> None:
    """Let a provider import what its calls need, once, beside the event loop.

    An SDK takes a second or more, in which no other task of the process would run.
    """
    if provider not in _loaded:
        await in_thread(lambda: _load(provider))
        _loaded.add(provider)


def _load(provider: Loads) -> None:
    provider.load()
    # httpx and httpx2 wait by anyio, which imports this on first use, inside the event loop.
    if "anyio" in sys.modules:
        with contextlib.suppress(ImportError):
            importlib.import_module("anyio._backends._asyncio")
