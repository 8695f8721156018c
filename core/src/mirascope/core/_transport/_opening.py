"""Blocking work that can be given up."""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DeadlinePassed(Exception):  # noqa: N818 - ends a wait; its caller knows which deadline it was
    """A wait reached its moment.

    A class of its own: the action may raise `TimeoutError` for a reason of its own, and only its
    class tells the two apart.
    """


class GivenUp(Exception):  # noqa: N818 - a signal between a stream and its driver, never seen outside
    """`cancel()` or `close()` ended a wait."""


def run_until(
    action: Callable[[], T],
    when: float | None,
    *,
    discard: Callable[[T], None],
    done: threading.Event | None = None,
) -> T:
    """Run a blocking action in a thread of its own and wait for it until a moment.

    An SDK that is connecting can't be interrupted; it is left to finish by itself, and what it
    then returns is discarded.

    Args:
        action: what to run; it sees the caller's context variables.
        when: the moment, on `time.monotonic()`; None waits as long as it takes.
        discard: what to do with a result that comes too late.
        done: ends the wait when it is set.

    Raises:
        DeadlinePassed: `when` was reached.
        GivenUp: `done` was set.
        BaseException: whatever `action` raised, unchanged.
    """
    lock = threading.Lock()
    done = done or threading.Event()
    result: list[T] = []
    failure: list[BaseException] = []
    abandoned = False

    def run() -> None:
        try:
            value = action()
        except BaseException as error:
            failure.append(error)
        else:
            with lock:
                if not abandoned:
                    result.append(value)
                    done.set()
                    return
            with contextlib.suppress(Exception):
                discard(value)
        done.set()

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), name="mirascope-open", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # No more threads are to be had: better uninterruptible than not at all.
        return action()
    try:
        seconds = None if when is None else max(0.0, when - time.monotonic())
        done.wait(seconds and min(seconds, threading.TIMEOUT_MAX))
    except BaseException:
        with lock:
            abandoned = True
        for value in result:
            discard(value)
        raise
    with lock:
        abandoned = not result
    if result:
        return result[0]
    if failure:
        raise failure[0]
    raise GivenUp if done.is_set() else DeadlinePassed
