"""Asynchronous requests that are read whole, in tasks of their own."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ._background import keep
from ._opening import CURRENT, Opening

T = TypeVar("T")


async def in_own_task(send: Callable[[], Coroutine[Any, Any, T]], opening: Opening) -> T:
    """Send a request in a task of its own, which a cancelled caller does not tear apart.

    A connection on which nothing was sent yet would stay in its pool for good, unused. Nobody waits
    for the task of a caller that was cancelled: it ends as soon as that leaves nothing open.

    Args:
        send: sends the request and returns its answer.
        opening: what is known of the attempt.

    Raises:
        BaseException: whatever `send` raised, or the caller's cancellation.
    """
    context = contextvars.copy_context()
    context.run(CURRENT.set, opening)
    task = keep(asyncio.create_task(send(), context=context))
    task.add_done_callback(lambda done: _ended(done, opening))
    try:
        await asyncio.wait({task})
    except BaseException:
        opening.give_up()
        if opening.may_be_cancelled:
            task.cancel()
        raise
    try:
        return task.result()
    finally:
        # Or an exception and the frames that it knows would keep each other alive.
        del task


def _ended(task: asyncio.Future[Any], opening: Opening) -> None:
    opening.end()
    opening.let_go()
    # Looked at, or asyncio would report it where nobody waits any more.
    if not task.cancelled():
        task.exception()
