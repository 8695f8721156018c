"""The synchronous driver: it reads a source, hands its pieces to the reader, and closes it.

Nothing that a stream decides is decided here or in `_async_stream.py`; the two differ only in how
they wait.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, cast

from .._interruptions import interruption
from .._state import StreamState
from .._tools._base_tool import BaseTool
from .._transport._blocked_loop import warn_of_blocked_loop
from .._transport._drain import drain
from .._transport._lease import Lease
from .._transport._opening import DeadlinePassed, GivenUp, OpeningFailed
from .._transport._source import Piece, Source
from .._transport._watchdog import WATCHDOG
from ._at_exit import close_at_exit
from ._call_response import BaseCallResponse
from ._reader import Item
from ._stream_base import ChunkT, StreamBase
from ._text import TextIterator


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

    _lease_class = Lease
    _lease: Lease
    _generator: weakref.ref[Generator[Item[ChunkT]]] | None = None

    def __iter__(self) -> Iterator[tuple[ChunkT, BaseTool | None]]:
        """Iterate pairs of a chunk and the tool call that it completes, if any.

        Raises:
            StreamConsumedError: the stream has ended, or something else iterates it.
            APIError: opening failed; `StreamError` while reading. All that arrived stays readable.
        """
        self._check_readable()
        generator = self._iterate()
        self._generator = weakref.ref(generator)
        return generator

    def __aiter__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} is synchronous: write 'for chunk, tool in stream', or decorate "
            "an 'async def' for a stream to use with 'async for'"
        )

    async def __aenter__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} is synchronous: write 'with', or decorate an 'async def' for a "
            "stream to use with 'async with'"
        )

    async def __aexit__(self, *_: object) -> None:
        """Only looked up: `__aenter__` raises."""

    def open(self) -> Self:
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
                self._open()
        return self

    def _open(self) -> None:
        """Send the request, for the one that opens or iterates."""
        if self._lease.source is not None:
            return
        warn_of_blocked_loop(
            "a synchronous stream is read inside a running event loop, and no other task runs "
            "while it waits: decorate an 'async def' and write 'async for'"
        )
        if not self._begin():
            return
        deadline = None if self._deadlines is None else self._deadlines.next(time.monotonic())
        failure: BaseException | None = None
        try:
            close_at_exit(self)
            if not self._cancelled:
                self._lease.open(self._call.send, None if deadline is None else deadline.when)
        except GivenUp:
            # cancel() or close() came while the request was under way: not an error.
            self._finish(StreamState.CANCELLED)
        except DeadlinePassed:
            assert deadline is not None  # noqa: S101 - narrows the type
            failure = self._broken(self._timeout_error(deadline.name, deadline.seconds))
        except OpeningFailed as failed:
            failure = self._opening_error(failed.error)
        except BaseException as exc:
            # Ctrl-C, or what a signal handler raised while this waited: it passes unchanged.
            self._interrupted(exc)
            self._lease.release()
            raise
        if failure is not None:
            # Outside of the handler, where it would get the raw exception as its context.
            raise failure
        if self._cancelled:
            # cancel() came before there was anything to interrupt, or with the response.
            self._finish(StreamState.CANCELLED)
            self._lease.release()

    def close(self) -> None:
        """End the stream and close its connection. What arrived stays readable. Idempotent."""
        ended = self.state.ended
        self._finish(StreamState.STOPPED)
        if not ended:
            self._lease.interrupt()
        if not self._is_running:
            self._lease.release()

    def cancel(self) -> None:
        """End the stream; a read that is blocked in another thread returns.

        For any thread, and for signal handlers.
        """
        if self.state.ended:
            return
        self._cancelled = True
        self._lease.interrupt()
        if not self._is_running:
            self._finish(StreamState.CANCELLED)
            self._lease.release()

    @property
    def _is_running(self) -> bool:
        """Whether a thread is reading just now, which closes the connection itself.

        An iterator that waits to be resumed reads nothing any more once the stream has ended or
        `cancel()` was called.
        """
        generator: Any = None if self._generator is None else self._generator()
        return generator is not None and bool(generator.gi_running)

    def end_of_process(self) -> None:
        """The interpreter ends: close the connection, unless a daemon thread is reading it."""
        if self._lease.source is None or self._is_running or self._lease.is_inherited:
            return
        generator = None if self._generator is None else self._generator()
        if generator is not None:
            # It holds the HTTP client's generators, which the interpreter would end later.
            generator.close()
        self._finish(StreamState.STOPPED)
        self._lease.drop()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def text(self) -> TextIterator:
        """Iterate the text only.

        What is returned can be iterated by `async for` as well, in a thread: it may be the body of
        an ASGI framework's response.
        """
        return TextIterator(self)

    def collect(self) -> BaseCallResponse[Any]:
        """Read to the end and return what the call would have returned without `stream=True`.

        Raises:
            StreamCancelledError: `cancel()` or `close()` ended the stream before its end.
            APIError: as iterating does.
        """
        for _ in self:
            pass
        return cast("BaseCallResponse[Any]", self._whole_response())

    def _iterate(self) -> Generator[Item[ChunkT]]:
        with self._alone():
            # From here on nobody else opens.
            self._claim()
        piece: Piece | None = None
        error: BaseException | None
        # The generator refers to the stream and never the other way round: when the loop drops
        # it, reference counting alone runs `finally` and closes the connection.
        try:
            self._open()
            source = self._lease.source
            if source is None or self._ending is not None:
                return
            reader = self._reader
            reader.opened(source)
            pieces = iter(source) if self._deadlines is None else self._timely(source)
            for piece in pieces:
                for item in reader.feed(piece):
                    yield item
                    if self._ending is not None or self._cancelled:
                        # close() or cancel() was called meanwhile: the rest of this piece is not
                        # for the loop any more.
                        self._finish(StreamState.CANCELLED)
                        return
                # A fork may have come while the loop's body ran: what follows is the parent's.
                self._check_owned()
                if reader.done or self._cancelled:
                    break
            else:
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
            error = self._ended_by(exc)
        except BaseException as exc:
            # Ctrl-C and its like: it passes unchanged.
            self._interrupted(exc)
            raise
        finally:
            self._lease.release()
        if error is not None:
            # What the server sent may be what the error hides.
            piece = None
            raise error

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
            except Exception as error:
                # Where the alarm shut the connection down, the deadline below is the reason.
                if alarm is None or not alarm.fired or interruption(error) is not None:
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
