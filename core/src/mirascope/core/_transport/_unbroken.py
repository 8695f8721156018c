"""Work that is done to its end, whatever comes in between."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Awaitable, Callable
from queue import Empty, SimpleQueue
from typing import Final

from .. import _process
from ._background import keep

_SECONDS: Final = 0.5
"""How long to wait for an action that waits for a lock of whoever asked for it."""
_IDLE: Final = 4
"""How many threads without work are kept."""


class _Outcome:
    """What became of an action."""

    __slots__ = ("done", "error")

    def __init__(self) -> None:
        # Of all that wakes a thread up, this alone may be used inside a signal handler.
        self.done: SimpleQueue[None] = SimpleQueue()
        self.error: BaseException | None = None


class _Worker:
    """A thread that does one thing after another."""

    __slots__ = ("_jobs",)

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Callable[[], object], _Outcome]] = SimpleQueue()
        threading.Thread(target=self._run, name="mirascope-close", daemon=True).start()

    def do(self, action: Callable[[], object], outcome: _Outcome) -> None:
        """Begin an action."""
        self._jobs.put((action, outcome))

    def _run(self) -> None:
        stays = True
        while stays:
            action, outcome = self._jobs.get()
            try:
                action()
            except BaseException as error:
                outcome.error = error
            # Idle before the one who waits knows, who then finds it for the next action.
            stays = len(_idle) < _IDLE
            if stays:
                _idle.append(self)
            outcome.done.put(None)
            del action, outcome


_idle: Final[list[_Worker]] = []

# A forked child has none of its parent's threads.
_process.after_fork(_idle.clear)


def unbroken(
    action: Callable[[], object], is_exiting: Callable[[], bool] = sys.is_finalizing
) -> None:
    """Run an action in another thread and wait for it.

    Closing a response must not be done by just any code that asks for it:

    - A signal handler runs in the main thread between any two steps of whatever runs there. What it
      raises in the middle of closing would leave a connection that is neither in use nor free, and
      that its pool counts for good.
    - A signal handler, or an object that the garbage collector drops, may ask for it in a thread
      that holds the pool's lock just then, and would wait for itself. After a while such a caller
      goes on, lets go of the lock, and the action ends.

    Raises:
        BaseException: what the action raised, or a signal handler meanwhile.
    """
    if is_exiting():
        # No thread but this one runs any more.
        action()
        return
    try:
        worker = _idle.pop()
    except IndexError:
        try:
            worker = _Worker()
        except RuntimeError:
            # No more threads are to be had.
            action()
            return
    outcome = _Outcome()
    context = contextvars.copy_context()
    worker.do(lambda: context.run(action), outcome)
    try:
        outcome.done.get(timeout=_SECONDS)
    except Empty:
        return
    if outcome.error is not None:
        raise outcome.error


async def shielded(awaitable: Awaitable[object]) -> None:
    """Await something to its end, even if the task that asks is cancelled.

    A task that is cancelled in the middle of closing a response would leave its connection to
    nobody, as a signal handler does.
    """
    await asyncio.shield(keep(asyncio.ensure_future(awaitable)))
