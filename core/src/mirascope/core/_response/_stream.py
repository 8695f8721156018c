"""The synchronous driver: it reads a source, hands its pieces to the reader, and closes it.

Nothing that a stream decides is decided here or in `_async_stream.py`; the two differ only in how
they wait.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, cast

from .._state import StreamState
from .._tools._base_tool import BaseTool
from .._transport._drain import drain
from .._transport._opening import DeadlinePassed, GivenUp, run_until
from .._transport._source import Piece, Source
from .._transport._watchdog import WATCHDOG
from ._call_response import BaseCallResponse
from ._reader import Item
from ._stream_base import ChunkT, StreamBase


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
        if self.state.ended:
            self._check_readable()
        with self._alone():
            if self._source is not None:
                return self
            if not self._begin():
                return self
            try:
                self._source = self._open_source()
            except GivenUp:
                # cancel() or close() came while the request was under way: not an error.
                self._finish(StreamState.CANCELLED)
                return self
            except Exception as error:
                failure = self._opening_error(error)
                raise failure from failure.__cause__
            except BaseException:
                # Ctrl-C, or what a signal handler raises: it passes unchanged.
                self._finish(StreamState.CANCELLED)
                raise
            if self._cancelled:
                # The response came in the same instant as cancel(), which had nothing to close yet.
                self._release(self._source)
        return self

    def close(self) -> None:
        """End the stream and close its connection. What arrived stays readable. Idempotent."""
        ended = self.state.ended
        self._finish(StreamState.STOPPED)
        if not ended:
            self._unblock()
        self._release(self._source)

    def cancel(self) -> None:
        """End the stream from any thread; a read that is blocked in another thread returns."""
        if self.state.ended:
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
            reader = self._reader
            pieces = iter(source) if self._deadlines is None else self._timely(source)
            self._reading = True
            for piece in pieces:
                self._reading = False
                for item in reader.feed(piece):
                    yield item
                    if self._ending is not None:
                        # The loop's body called close() or cancel(): the rest of this piece is
                        # not for it any more.
                        return
                if reader.done:
                    break
                self._reading = True
            else:
                self._reading = False
                # A connection that cancel() shut down looks like a body that has ended.
                if not self._cancelled:
                    yield from reader.end()
            if self._cancelled:
                self._finish(StreamState.CANCELLED)
                return
            if reader.trailing:
                # Before the ending, which the usage behind an error event is a part of.
                drain(pieces, source, reader.take_rest)
            error = self._end_of_body()
            if error is None:
                # After the ending, which nothing in the rest can change: it is read so that the
                # connection goes back to the pool.
                drain(pieces, source, reader.take_rest)
        except GeneratorExit:
            # `break`, or the iterator was dropped.
            self._finish(StreamState.STOPPED)
            raise
        except Exception as exc:
            if self._cancelled:
                # The read that cancel() ended: its exception is the shutting down, not a fault.
                self._finish(StreamState.CANCELLED)
                return
            if self.state.ended:
                if exc is self.error:
                    raise
                # close() in another thread ended this read.
                return
            error = self._read_error(exc)
        except BaseException:
            # Ctrl-C, or what a signal handler raises inside a read: it passes unchanged.
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
        except DeadlinePassed:
            assert deadline is not None  # noqa: S101 - narrows the type
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
                # Where the alarm shut the connection down, the deadline below is the reason.
                if alarm is None or not alarm.fired:
                    raise
            finally:
                if alarm is not None:
                    alarm.cancel()
            if deadline is not None and time.monotonic() >= deadline.when:
                raise self._timeout_error(deadline.name, deadline.seconds)
            if piece is None:
                return
            chunks = self._reader.chunks
            yield piece
            # Only a chunk is progress: pings and comments would keep a dead answer alive.
            if self._reader.chunks != chunks:
                self._deadlines.progress()

    def _release(self, source: Source | None) -> None:
        if source is None or self._released:
            return
        # The answer is settled; a connection that fails to close has nothing to add to it.
        with contextlib.suppress(Exception):
            source.close()
        # After the fact: closing twice does no harm, and an interrupt must not leave it undone.
        self._released = True

    _released = False
