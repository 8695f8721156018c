"""The two drivers: they read a source, hand its pieces to the state machine, and close it.

Nothing that a stream decides is decided here. The drivers differ only in how they wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, TypeVar, cast

from ._call_response import BaseCallResponse
from ._machine import Item, Machine
from ._outcome import StreamState
from ._source import AsyncSource, Piece, Source
from ._stream_base import ChunkT, StreamBase
from ._tools import BaseTool
from ._watchdog import WATCHDOG

T = TypeVar("T")

_DRAIN_SECONDS = 0.2
"""How long the end of a body is waited for after the protocol's end, to reuse the connection."""
_DRAIN_BYTES = 64 * 1024


class BaseStream(StreamBase[ChunkT], Generic[ChunkT]):
    """A streamed response that is read with `for`.

    Nothing is sent until the first `next()`, `open()` or `with`. A stream is read once. Leaving the
    loop closes the connection at once; so do `close()` and the end of a `with` block.

    Example:
        ```python
        for chunk, tool in stream:
            print(chunk.content, end="", flush=True)
        print(stream.usage, stream.cost)
        ```
    """

    _source: Source | None = None
    _opening: threading.Event | None = None
    _reading = False

    def __iter__(self) -> Iterator[tuple[ChunkT, BaseTool | None]]:
        """Iterate pairs of a chunk and the tool call that it completes, if any.

        Raises:
            StreamConsumedError: the stream has ended, or something else iterates it.
            APIError: opening failed; `StreamError` while reading. All that arrived stays readable.
        """
        self._check_readable()
        return self._iterate()

    def __aiter__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} is synchronous: write 'for chunk, tool in stream', or decorate "
            "an 'async def' for a stream to use with 'async for'"
        )

    def open(self) -> Self:
        """Send the request now and return the stream.

        Raises:
            APIError: the request failed.
            StreamConsumedError: the stream has ended.
        """
        if self._state.ended:
            self._check_readable()
        if self._source is None:
            self._begin()
            try:
                self._source = self._open_source()
            except _Cancelled:
                self._finish(StreamState.CANCELLED)
                return self
            except Exception as error:
                failure = self._opening_error(error)
                raise failure from failure.__cause__
            except BaseException:
                self._finish(StreamState.CANCELLED)
                raise
            if self._cancelled:
                self._release(self._source)
        return self

    def close(self) -> None:
        """End the stream and close its connection. What arrived stays readable. Idempotent."""
        ended = self._state.ended
        self._finish(StreamState.STOPPED)
        if not ended:
            self._unblock()
        self._release(self._source)

    def cancel(self) -> None:
        """End the stream from any thread; a read that is blocked in another thread returns."""
        if self._state.ended:
            return
        self._cancelled = True
        self._unblock()
        source = self._source
        if not self._reading:
            self._finish(StreamState.CANCELLED)
            if source is not None:
                self._release(source)

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def text(self) -> Iterator[str]:
        """Iterate the text only."""
        for chunk, _ in self:
            if chunk.content:
                yield chunk.content

    def collect(self) -> BaseCallResponse[Any]:
        """Read to the end and return what the call would have returned without `stream=True`."""
        for _ in self:
            pass
        return cast("BaseCallResponse[Any]", self.construct_call_response())

    def _iterate(self) -> Iterator[Item[ChunkT]]:
        self._claim()
        # The generator refers to the stream and never the other way round: when the loop drops
        # it, reference counting alone runs `finally` and closes the connection.
        source: Source | None = None
        try:
            source = self.open()._source
            if source is None:
                return
            machine = self._machine
            pieces = iter(source) if self._deadlines is None else self._timely(source)
            self._reading = True
            for piece in pieces:
                self._reading = False
                for item in machine.feed(piece):
                    yield item
                    if self._state is not StreamState.STREAMING:
                        return
                if machine.done:
                    break
                self._reading = True
            else:
                self._reading = False
                if not self._cancelled:
                    yield from machine.end()
            if self._cancelled:
                self._finish(StreamState.CANCELLED)
                return
            if machine.trailing:
                _drain(pieces, source, machine)
            error = self._end_of_body()
            if error is None:
                _drain(pieces, source, machine)
        except GeneratorExit:
            self._finish(StreamState.STOPPED)
            raise
        except Exception as exc:
            if self._cancelled:
                self._finish(StreamState.CANCELLED)
                return
            if self._state.ended:
                if exc is self._error:
                    raise
                # close() in another thread ended this read.
                return
            error = self._read_error(exc)
        except BaseException:
            self._finish(StreamState.CANCELLED)
            raise
        finally:
            self._reading = False
            self._release(source)
        if error is not None:
            raise error

    def _open_source(self) -> Source:
        deadline = None if self._deadlines is None else self._deadlines.next(time.monotonic())
        done = self._opening = threading.Event()
        try:
            # In a thread of its own, because most of the waiting for a model comes before the
            # headers of its response, and nothing else can end that.
            return run_until(
                self._call.send,
                None if deadline is None else deadline.when,
                discard=lambda source: source.close(),
                done=done,
            )
        except TimeoutError as error:
            if str(error):
                raise
            if deadline is None or self._cancelled or self._state.ended:
                raise _Cancelled from None
            raise self._timeout_error(deadline.name, deadline.seconds) from None
        finally:
            self._opening = None

    def _unblock(self) -> None:
        """End whatever another thread waits for on behalf of this stream."""
        if (opening := self._opening) is not None:
            opening.set()
        if self._source is not None:
            self._source.abort()

    def _timely(self, source: Source) -> Iterator[Piece]:
        """Read the source; a wait that is too long is ended by shutting its connection down."""
        assert self._deadlines is not None  # noqa: S101 - narrows the type
        pieces = iter(source)
        while True:
            deadline = self._deadlines.next(time.monotonic())
            alarm = WATCHDOG.at(deadline.when, source.abort) if deadline is not None else None
            piece: Piece | None = None
            try:
                piece = next(pieces, None)
            except Exception:
                if alarm is None or not alarm.fired:
                    raise
            finally:
                if alarm is not None:
                    alarm.cancel()
            if deadline is not None and time.monotonic() >= deadline.when:
                raise self._timeout_error(deadline.name, deadline.seconds)
            if piece is None:
                return
            chunks = self._machine.chunks
            yield piece
            if self._machine.chunks != chunks:
                self._deadlines.progress()

    def _release(self, source: Source | None) -> None:
        if source is None:
            return
        with self._lock:
            released, self._released = self._released, True
        if not released:
            # The answer is settled; a connection that fails to close has nothing to add to it.
            with contextlib.suppress(Exception):
                source.close()

    _released = False


class BaseAsyncStream(StreamBase[ChunkT], Generic[ChunkT]):
    """A streamed response that is read with `async for`; see `BaseStream`."""

    _source: AsyncSource | None = None
    _released = False
    _reader: asyncio.Task[Any] | None = None
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

    async def open(self) -> Self:
        """Send the request now and return the stream.

        Raises:
            APIError: the request failed.
            StreamConsumedError: the stream has ended.
        """
        if self._state.ended:
            self._check_readable()
        if self._source is None:
            self._begin()
            try:
                self._source = await self._in_time(self._call.send_async())
            except _Cancelled:
                self._finish(StreamState.CANCELLED)
            except Exception as error:
                failure = self._opening_error(error)
                raise failure from failure.__cause__
            except BaseException:
                self._finish(StreamState.CANCELLED)
                raise
        return self

    async def aclose(self) -> None:
        """End the stream and close its connection. What arrived stays readable. Idempotent."""
        self._finish(StreamState.STOPPED)
        if self._reader is not None:
            self._cancelled = True
            self._reader.cancel()
        await self._release()

    def cancel(self) -> None:
        """End the stream from any task or thread; a read that waits in another task returns."""
        if self._state.ended:
            return
        self._cancelled = True
        loop = self._loop
        if loop is None or loop.is_closed():
            self._finish(StreamState.CANCELLED)
        elif loop is _running_loop():
            self._cancel_in_loop()
        else:
            loop.call_soon_threadsafe(self._cancel_in_loop)

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
        """Read to the end and return what the call would have returned without `stream=True`."""
        async for _ in self:
            pass
        return cast("BaseCallResponse[Any]", self.construct_call_response())

    async def _iterate(self, claim: object) -> AsyncIterator[Item[ChunkT]]:
        self._claim()
        self._claimed_by = claim
        try:
            source = (await self.open())._source
            if source is None:
                return
            machine = self._machine
            pieces = aiter(source)
            while True:
                piece = await self._in_time(anext(pieces, None))
                if piece is None:
                    break
                chunks = machine.chunks
                for item in machine.feed(piece):
                    yield item
                    if self._state is not StreamState.STREAMING:
                        return
                if machine.done:
                    break
                if self._deadlines is not None and machine.chunks != chunks:
                    self._deadlines.progress()
            if not machine.done:
                for item in machine.end():
                    yield item
            if machine.trailing:
                await _drain_async(pieces, machine)
            error = self._end_of_body()
            if error is None:
                await _drain_async(pieces, machine)
        except GeneratorExit:
            self._finish(StreamState.STOPPED)
            raise
        except _Cancelled:
            self._finish(StreamState.CANCELLED)
            return
        except Exception as exc:
            if self._state.ended:
                if exc is self._error:
                    raise
                # aclose() in another task ended this read.
                return
            error = self._read_error(exc)
        except BaseException:
            self._finish(StreamState.CANCELLED)
            raise
        finally:
            await self._release()
        if error is not None:
            raise error

    async def _in_time(self, awaitable: Any) -> Any:
        """Await with the deadline of this wait, in a way that `cancel()` can end."""
        self._loop = asyncio.get_running_loop()
        task = self._reader = asyncio.current_task()
        cancelling = task.cancelling() if task is not None else 0
        try:
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
                if not scope.expired():
                    raise
                raise self._timeout_error(deadline.name, deadline.seconds) from None
        except asyncio.CancelledError:
            # Ours, unless somebody cancelled the task itself as well.
            if self._cancelled and task is not None and task.uncancel() <= cancelling:
                raise _Cancelled from None
            raise
        finally:
            self._reader = None

    def _cancel_in_loop(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            return
        self._finish(StreamState.CANCELLED)
        if self._source is not None and not self._released:
            _keep(asyncio.ensure_future(self._release()))

    def _dropped(self, claim: object) -> None:
        """An iterator was dropped: by `break`, or at the end of the function that held it."""
        if self._claimed_by is claim:
            self._finish(StreamState.STOPPED)

    async def _release(self) -> None:
        source = self._source
        if source is None or self._released:
            return
        self._released = True
        # Shielded: a task that is being cancelled must still give its connection back.
        with contextlib.suppress(Exception):
            await asyncio.shield(_keep(asyncio.ensure_future(source.aclose())))


class _Cancelled(Exception):  # noqa: N818 - a signal, never seen outside
    """`cancel()` ended a wait."""


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


_background: set[asyncio.Future[Any]] = set()


def _keep(future: asyncio.Future[Any]) -> asyncio.Future[Any]:
    """Hold a future until it is done; the event loop alone holds only a weak reference."""
    _background.add(future)
    future.add_done_callback(_background.discard)
    return future


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _drain(pieces: Iterator[Piece], source: Source, machine: Machine[Any]) -> None:
    """Read what is left of a body, within bounds: for its connection, and for usage after an error.

    A complete body is read to its end so that the next call reuses the connection.
    """
    alarm = WATCHDOG.at(time.monotonic() + _DRAIN_SECONDS, source.abort)
    left = _DRAIN_BYTES
    with contextlib.suppress(Exception):
        for piece in pieces:
            left -= _trail(machine, piece)
            if left <= 0:
                break
        else:
            _exhaust(machine.end())
    alarm.cancel()


async def _drain_async(pieces: AsyncIterator[Piece], machine: Machine[Any]) -> None:
    left = _DRAIN_BYTES
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for piece in pieces:
                left -= _trail(machine, piece)
                if left <= 0:
                    return
        _exhaust(machine.end())


def _trail(machine: Machine[Any], piece: Piece) -> int:
    """Take a piece that came after the end, where it may still matter; return its size in bytes."""
    if machine.trailing:
        _exhaust(machine.feed(piece))
    return len(piece) if isinstance(piece, bytes) else 1024


def _exhaust(items: Iterator[object]) -> None:
    for _ in items:
        pass


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
        TimeoutError: the moment passed, or `done` was set (one of the action has a message).
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
    threading.Thread(target=context.run, args=(run,), name="mirascope-open", daemon=True).start()
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
    raise TimeoutError
