"""The asynchronous driver: the twin of `_stream.py`, for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, cast

from .._errors import StreamTimeoutError
from .._state import StreamState
from .._tools._base_tool import BaseTool
from .._transport._drain import drain_async
from .._transport._lease import AsyncLease
from .._transport._opening import GivenUp, OpeningFailed
from .._transport._source import Piece
from ._call_response import BaseCallResponse
from ._reader import Item
from ._stream_base import ChunkT, StreamBase


class BaseAsyncStream(StreamBase[ChunkT], Generic[ChunkT]):
    """A streamed response that is read with `async for`; see `BaseStream`."""

    _lease_class = AsyncLease
    _lease: AsyncLease
    _waiting_task: asyncio.Task[Any] | None = None
    _wait_ended: bool = False
    _loop: asyncio.AbstractEventLoop | None = None
    _claimed_by: object = None

    def __aiter__(self) -> AsyncIterator[tuple[ChunkT, BaseTool | None]]:
        """Iterate pairs of a chunk and the tool call that it completes, if any.

        Raises:
            StreamConsumedError: the stream has ended, or something else iterates it.
            APIError: opening failed; `StreamError` while reading. All that arrived stays readable.
        """
        self._check_readable()
        claim = object()
        return _AsyncStreamIterator(self, self._iterate(claim), claim)

    def __iter__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} is asynchronous: write 'async for chunk, tool in stream' in an "
            "'async def'"
        )

    def __enter__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} is asynchronous: write 'async with' in an 'async def'"
        )

    def __exit__(self, *_: object) -> None:
        """Only looked up: `__enter__` raises."""

    async def open(self) -> Self:
        """Send the request now and return the stream.

        Raises:
            APIError: the request failed.
            StreamConsumedError: the stream has ended.
        """
        if self.state.ended:
            self._check_readable()
        with self._alone():
            if self._lease.source is None:
                # An iterator that has not opened yet is about to.
                self._check_readable()
                await self._open()
        return self

    async def _open(self) -> None:
        """Send the request, for the one that opens or iterates."""
        if self._lease.source is not None or not self._begin():
            return
        failure: BaseException | None = None
        try:
            if not self._cancelled:
                await self._in_time(self._lease.open(self._call.send_async))
        except GivenUp:
            # cancel() or aclose() came while the request was under way: not an error.
            self._finish(StreamState.CANCELLED)
            await self._lease.release()
        except OpeningFailed as failed:
            failure = self._opening_error(failed.error)
        except StreamTimeoutError as error:
            failure = self._broken(error)
        except BaseException as exc:
            # The task was cancelled, or Ctrl-C: it passes unchanged.
            self._interrupted(exc)
            raise
        if failure is not None:
            # Outside of the handler, where it would get the raw exception as its context.
            raise failure

    async def aclose(self) -> None:
        """End the stream and close its connection. What arrived stays readable. Idempotent."""
        self._finish(StreamState.STOPPED)
        if self._waiting_task is not None:
            self._cancelled = True
            self._end_wait(self._waiting_task)
        await self._lease.release()

    def cancel(self) -> None:
        """End the stream; a read that waits in another task returns.

        For any task or thread, and for signal handlers.
        """
        if self.state.ended:
            return
        self._cancelled = True
        loop = self._loop
        if loop is None or loop.is_closed():
            self._finish(StreamState.CANCELLED)
        else:
            then: Callable[[], None] = self._cancel_in_loop
            if loop is _running_loop():
                self._cancel_in_loop()
                # Called by a signal handler, the loop may be asleep, and has to be woken.
                then = _nothing
            # A loop that is closed meanwhile has ended whatever waited in it.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(then)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def text(self) -> AsyncIterator[str]:
        """Iterate the text only."""
        return _AsyncTextIterator(self.__aiter__())

    async def collect(self) -> BaseCallResponse[Any]:
        """Read to the end and return what the call would have returned without `stream=True`.

        Raises:
            StreamCancelledError: `cancel()` or `aclose()` ended the stream before its end.
            APIError: as iterating does.
        """
        async for _ in self:
            pass
        return cast("BaseCallResponse[Any]", self._whole_response())

    async def _iterate(self, claim: object) -> AsyncIterator[Item[ChunkT]]:
        with self._alone():
            # From here on nobody else opens.
            self._claim()
        self._claimed_by = claim
        piece: Piece | None = None
        error: BaseException | None
        try:
            await self._open()
            source = self._lease.source
            if source is None or self._ending is not None:
                return
            reader = self._reader
            reader.opened(source)
            pieces = aiter(source)
            while True:
                piece = await self._in_time(anext(pieces, None))
                if piece is None:
                    break
                chunks = reader.chunks
                for item in reader.feed(piece):
                    yield item
                    if self._ending is not None:
                        # The loop's body called aclose() or cancel(): the rest of this piece is
                        # not for it any more.
                        return
                # A fork may have come while the loop's body ran: what follows is the parent's.
                self._check_owned()
                if reader.done:
                    break
                # Only a chunk is progress: pings and comments would keep a dead answer alive.
                if self._deadlines is not None and reader.chunks != chunks:
                    self._deadlines.progress()
            if not reader.done:
                for item in reader.end():
                    yield item
            if reader.trailing:
                # Before the ending, which the usage behind an error event is a part of.
                await drain_async(pieces, reader.take_rest)
            error = self._end_of_body()
            if error is None:
                # After the ending, which nothing in the rest can change: it is read so that the
                # connection goes back to the pool.
                await drain_async(pieces, reader.take_rest)
        except GeneratorExit:
            # The iterator was closed, or finalised by its event loop.
            self._finish(StreamState.STOPPED)
            raise
        except GivenUp:
            # cancel() ended the wait for a piece.
            self._finish(StreamState.CANCELLED)
            return
        except Exception as exc:
            error = self._ended_by(exc)
        except BaseException as exc:
            # The task was cancelled, or Ctrl-C: it passes unchanged.
            self._interrupted(exc)
            raise
        finally:
            await self._lease.release()
        if error is not None:
            # What the server sent may be what the error hides.
            piece = None
            raise error

    async def _in_time(self, awaitable: Any) -> Any:
        """Await with the deadline of this wait, in a way that `cancel()` can end."""
        self._loop = asyncio.get_running_loop()
        task = self._waiting_task = asyncio.current_task()
        cancelling = task.cancelling() if task is not None else 0
        came = False
        try:
            if self._cancelled:
                # In the steps before this, where there was no wait yet that it could end.
                awaitable.close()
                raise GivenUp
            if self._deadlines is None:
                return await awaitable
            now = time.monotonic()
            deadline = self._deadlines.next(now)
            if deadline is None:
                return await awaitable
            scope = asyncio.timeout(deadline.when - now)
            try:
                async with scope:
                    return await awaitable
            except TimeoutError:
                # The client's own timeout has the same class; only our scope knows whose it was.
                if not scope.expired():
                    raise
                raise self._timeout_error(deadline.name, deadline.seconds) from None
        except asyncio.CancelledError:
            came = True
            # Ours, unless somebody cancelled the task itself as well.
            if self._cancelled and task is not None and task.uncancel() <= cancelling:
                raise GivenUp from None
            raise
        finally:
            self._waiting_task = None
            if self._wait_ended and not came and task is not None:
                # A signal handler asked for it while this very task ran: it comes with the task's
                # next wait, which must not be the caller's.
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0)
                if task.uncancel() > cancelling:
                    raise asyncio.CancelledError
                raise GivenUp

    def _end_wait(self, task: asyncio.Task[Any]) -> None:
        """Cancel the task that waits; once, or it would be taken for somebody else's doing."""
        if not self._wait_ended:
            self._wait_ended = True
            task.cancel()

    def _cancel_in_loop(self) -> None:
        if self._waiting_task is not None:
            self._end_wait(self._waiting_task)
            return
        self._finish(StreamState.CANCELLED)
        if self._lease.source is not None:
            self._lease.release_later()

    def _dropped(self, claim: object) -> None:
        """An iterator was dropped: by `break`, or at the end of the function that held it."""
        if self._claimed_by is claim:
            self._finish(StreamState.STOPPED)


class _AsyncStreamIterator(Generic[ChunkT]):
    """An asynchronous generator that tells its stream at once when it is dropped.

    The event loop finalises a dropped generator only in its next turn; the stream's state and what
    depends on it must be right in the very next line of the user's code.
    """

    __slots__ = ("_anext", "_claim", "_stream", "aclose")

    def __init__(
        self,
        stream: BaseAsyncStream[ChunkT],
        generator: AsyncIterator[Item[ChunkT]],
        claim: object,
    ) -> None:
        self._stream = stream
        self._claim = claim
        self._anext: Callable[[], Any] = generator.__anext__
        self.aclose: Callable[[], Any] = cast("Any", generator).aclose

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Any:
        return self._anext()

    def __del__(self) -> None:
        self._stream._dropped(self._claim)  # pyright: ignore[reportPrivateUsage]


class _AsyncTextIterator:
    __slots__ = ("_items",)

    def __init__(self, items: AsyncIterator[tuple[Any, Any]]) -> None:
        self._items = items

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            chunk, _ = await anext(self._items)
            if chunk.content:
                return str(chunk.content)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _nothing() -> None:
    """Wake an event loop, by being called in it."""
