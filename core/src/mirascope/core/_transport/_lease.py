"""What a stream owns: an attempt to open a response, and then the response.

A stream has one lease, and only the lease opens, interrupts or closes:

- *opening*, while the request is under way. What is given up now is closed by whoever finishes it,
  and never reaches the stream.
- *leased*, from the response's headers until it is closed. While a thread reads, another one may
  only shut the connection down; the reader closes it. A descriptor that is closed under a read may
  be another connection's in the next instant.
- *over*, once it is closed. A response whose body was read to its end gave its connection back
  before, and nothing here touches it any more (`HeldConnection`).

In a forked child a lease is its parent's: it is forgotten, and its socket left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable

from .. import _process
from .._interruptions import suppress_failures
from ._background import keep
from ._opening import CURRENT, Attempt, GivenUp, Opening, OpeningFailed
from ._source import AsyncSource, Source
from ._unbroken import unbroken


class Lease:
    """A synchronous stream's lease."""

    __slots__ = ("_attempt", "_closed", "_forks")

    def __init__(self) -> None:
        self._attempt: Attempt[Source] = Attempt(lambda source: source.close())
        self._closed = False
        self._forks: int | None = None

    @property
    def source(self) -> Source | None:
        """The open response, once it is there."""
        return self._attempt.result

    @property
    def opening(self) -> Opening:
        """What is known of the attempt to open it."""
        return self._attempt.opening

    @property
    def is_inherited(self) -> bool:
        """Whether this is a lease of the process that this one was forked from."""
        return self._forks is not None and self._forks != _process.forks

    def open(self, send: Callable[[], Source], when: float | None) -> None:
        """Open the response; see `Attempt.run` for what it raises."""
        self._forks = _process.forks
        try:
            self._attempt.run(send, when)
        except OpeningFailed:
            self._attempt.opening.let_go()
            raise
        except BaseException:
            # The response may have come in the instant of the interrupt.
            self.release()
            raise

    def interrupt(self) -> None:
        """End whatever waits on this lease. For any thread, and for signal handlers."""
        if self.is_inherited:
            return
        self._attempt.give_up()
        source = self.source
        if source is not None and not self._closed:
            source.abort()

    def release(self) -> None:
        """Let the response go, also where a signal handler raises meanwhile."""
        try:
            self._release()
        except BaseException:
            # The interrupt may have come before the closing had begun.
            self._release()
            raise

    def _release(self) -> None:
        source = self.source
        if source is not None and not self._closed and not self.is_inherited:
            unbroken(lambda: self._close(source))

    def _close(self, source: Source) -> None:
        # The answer is settled; a connection that fails to close has nothing to add to it.
        with suppress_failures():
            source.close()
        # After the fact: closing twice does no harm, and an interrupt must not leave it undone.
        self._closed = True
        self._attempt.opening.let_go()

    def drop(self) -> None:
        """Let everything go: nobody has the stream any more."""
        self.interrupt()
        self.release()


class AsyncLease:
    """An asynchronous stream's lease."""

    __slots__ = ("_closing", "_failure", "_forks", "_loop", "_task", "opening", "source")

    def __init__(self) -> None:
        self.source: AsyncSource | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.opening = Opening()
        self._failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None
        self._forks: int | None = None
        self._closing: asyncio.Future[None] | None = None

    @property
    def is_inherited(self) -> bool:
        """Whether this is a lease of the process that this one was forked from."""
        return self._forks is not None and self._forks != _process.forks

    async def open(self, send: Callable[[], Awaitable[AsyncSource]]) -> None:
        """Open the response in a task of its own, which a cancelled caller does not tear apart.

        Raises:
            GivenUp: the stream was closed meanwhile.
            OpeningFailed: sending raised an `Exception`.
            BaseException: whatever else sending raised, or the caller's cancellation.
        """
        self._forks = _process.forks
        self._loop = asyncio.get_running_loop()
        context = contextvars.copy_context()
        context.run(CURRENT.set, self.opening)
        task = self._task = asyncio.create_task(self._send(send), context=context)
        keep(task)
        try:
            await asyncio.wait({task})
        except BaseException:
            self._give_up()
            if self.source is not None:
                # It came in the instant of the cancellation.
                self.release_later()
            raise
        self._task = None
        failure, self._failure = self._failure, None
        if isinstance(failure, Exception):
            self.opening.let_go()
            raise OpeningFailed(failure)
        if failure is not None:
            raise failure
        if self.source is None:
            raise GivenUp

    async def release(self) -> None:
        """Let the response go, also where the task that asks is being cancelled."""
        if self.is_inherited:
            return
        if self.source is None:
            self._give_up()
            return
        # Once: whoever else asks waits for the same closing.
        closing = self._closing
        if closing is None:
            closing = self._closing = keep(asyncio.ensure_future(self.source.aclose()))
        with suppress_failures():
            await asyncio.shield(closing)
        self.opening.let_go()

    def release_later(self) -> None:
        """Let the response go in the running event loop, without waiting for it."""
        if self._closing is None:
            keep(asyncio.ensure_future(self.release()))

    def drop(self) -> None:
        """Let everything go: nobody has the stream any more. For any thread."""
        loop = self._loop
        if self._closing is not None or loop is None or self.is_inherited:
            return
        # A loop that is not running now does it when it runs again; one that is closed has closed
        # its connections.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self.release_later)

    def _give_up(self) -> None:
        """Nobody waits for the response: stop sending where that leaves nothing open."""
        self.opening.give_up()
        task = self._task
        if task is not None and self.opening.may_be_cancelled:
            # Once: the second time, it would interrupt what the client does after the first.
            self._task = None
            task.cancel()

    async def _send(self, send: Callable[[], Awaitable[AsyncSource]]) -> None:
        try:
            source = await send()
        except BaseException as error:
            if not self.opening.given_up:
                self._failure = error
        else:
            if not self.opening.given_up:
                self.source = source
                return
            with suppress_failures():
                await source.aclose()
        finally:
            self.opening.end()
