"""What a stream knows, whichever way it is iterated."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, ClassVar, Generic, NoReturn, cast, get_args

from typing_extensions import TypeVar, override

from .. import _observers
from .._errors import (
    APIError,
    MirascopeError,
    NotCopyableError,
    StreamCancelledError,
    StreamConsumedError,
    StreamError,
    StreamNotExhaustedError,
    StreamProviderError,
    StreamTimeoutError,
    StreamTruncatedError,
)
from .._interruptions import interruption
from .._provider._accumulate import Accumulator
from .._provider._faults import new_decoder, new_framer
from .._request._prepared import PreparedCall
from .._scrub import forget
from .._state import StreamState
from .._transport._deadlines import Deadlines
from .._transport._lease import AsyncLease, Lease
from ._call_response import BaseCallResponse
from ._call_response_chunk import BaseCallResponseChunk
from ._call_result import CallResult
from ._failures import hide_in_answer, opening_failure, shown
from ._notebook import Shown, markdown
from ._picture import StreamPicture
from ._reader import ResponseReader

ChunkT = TypeVar("ChunkT", bound=BaseCallResponseChunk[Any], default=BaseCallResponseChunk[Any])


class StreamBase(CallResult, Generic[ChunkT]):
    """The state and the properties that synchronous and asynchronous streams share.

    The parameter is the chunk class: `class AcmeStream(BaseStream[AcmeChunk])` yields `AcmeChunk`.
    """

    chunk_class: ClassVar[type[BaseCallResponseChunk[Any]]] = BaseCallResponseChunk

    _lease_class: ClassVar[type[Lease | AsyncLease]]
    _ending: tuple[StreamState, MirascopeError | None, float] | None = None
    _shown: Shown | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # The parameter of `BaseStream[AcmeChunk]` is kept here alone; a TypeVar that is left open
        # stands for its default.
        for base in cls.__dict__.get("__orig_bases__", ()):
            for argument in get_args(base):
                argument = getattr(argument, "__default__", argument)
                chunk_class = getattr(argument, "__origin__", argument)
                if isinstance(chunk_class, type) and issubclass(chunk_class, BaseCallResponseChunk):
                    cls.chunk_class = chunk_class

    def __init__(self, call: PreparedCall) -> None:
        self._reader: ResponseReader[ChunkT] = ResponseReader(
            new_framer(call.provider, call.model),
            new_decoder(call.provider, call.model),
            cast("type[ChunkT]", self.chunk_class),
            call.toolset,
            call.provider,
            call.hide,
            call.connection.max_bytes,
            partial_tools=call.partial_tools,
        )
        super().__init__(call, self._reader.answer, self._reader.tools)
        self._begun = False
        self._lease: Any = self._lease_class()
        # Held while one caller opens; nobody ever waits for it.
        self._lock = threading.Lock()
        self._iterated = False
        self._cancelled = False
        self._deadlines: Deadlines | None = None

    def __del__(self, is_exiting: Callable[[], bool] = sys.is_finalizing) -> None:
        # Opened, and never read to its end. Streams that were never sent have nothing to end; at
        # the end of the interpreter, modules are empty already, and sockets are closed anyway.
        if getattr(self, "_begun", False) and not is_exiting() and not self._lease.is_inherited:
            self._finish(StreamState.STOPPED)
            self._lease.drop()

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.provider}/{self._call.model} {self.state}, "
            f"{self._reader.chunks} chunks>"
        )

    def _repr_markdown_(self) -> str:
        return markdown(self)

    def _ipython_display_(self) -> None:
        # IPython asks here first, and where this is not implemented for the line above.
        if self.state.ended:
            raise NotImplementedError
        shown = self._shown or Shown()
        shown.add(self)
        self._shown = shown

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        # copy and pickle come here: a copy would be a second reader of one connection.
        raise NotCopyableError(
            f"{type(self).__name__} can't be copied or pickled, it reads a connection of this "
            "process: keep stream.picture(), which has what has arrived"
        )

    @property
    @override
    def state(self) -> StreamState:
        """How the stream stands."""
        if self._ending is not None:
            return self._ending[0]
        return StreamState.STREAMING if self._begun else StreamState.CREATED

    @property
    @override
    def _end_time(self) -> float:
        return 0.0 if self._ending is None else self._ending[2]

    @property
    def error(self) -> MirascopeError | None:
        """The error that ended the stream, or None."""
        return None if self._ending is None else self._ending[1]

    @property
    def event_count(self) -> int:
        """How many events with data have arrived; an end marker does not count."""
        return self._reader.events

    def picture(self) -> StreamPicture:
        """Return what has arrived so far, as data that can be pickled and copied."""
        return StreamPicture.of(self)

    def construct_call_response(self) -> Any:
        """Return what the same call would have returned without `stream=True`.

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        answer = self._ended("construct_call_response()")
        provider = self._call.provider
        response_class: type[BaseCallResponse[Any]] = provider.response_class
        return response_class(
            self._call,
            answer,
            lambda: provider.response_object(answer),
            tools=self._tools,
            start_time=self._start_time,
            end_time=self._end_time,
            state=self.state,
        )

    def _whole_response(self) -> Any:
        """Return the response for `collect()`, which promises a whole one.

        Raises:
            StreamCancelledError: `cancel()` or `close()` ended the stream before its end.
        """
        if not self._completed:
            error = StreamCancelledError(
                f"the stream was ended before its end ({self.state}): error.stream has what had "
                "arrived",
                provider=self._call.provider.name,
                model=self._call.model,
            )
            error.stream = self
            raise error
        return self.construct_call_response()

    # The state machine's transitions, used by the two drivers

    def _ended(self, what: str) -> Accumulator:
        if not self.state.ended:
            raise StreamNotExhaustedError(
                f"{what} is known once the stream has ended: iterate it to its end first, or call "
                f"collect() or close() (it is {self.state})"
            )
        return self._answer

    def _check_owned(self) -> None:
        if self._lease.is_inherited:
            raise StreamConsumedError(
                "this stream was opened before the process was forked, and its parent reads it: "
                "call the function in the child for a stream of its own"
            )

    def _check_readable(self) -> None:
        self._check_owned()
        if self.state.ended:
            raise StreamConsumedError(
                f"this stream has ended ({self.state}) and is read once: its content is still "
                "there, call the function again for a new answer"
            )
        if self._iterated:
            raise StreamConsumedError(
                "this stream is being iterated already: keep one iterator, as in it = iter(stream)"
            )

    @contextlib.contextmanager
    def _alone(self) -> Generator[None]:
        """Open alone: two requests for one stream would both be billed, and one never read."""
        if not self._lock.acquire(blocking=False):
            raise StreamConsumedError(
                "this stream is being opened by another thread or task: wait for that one"
            )
        try:
            yield
        finally:
            self._lock.release()

    def _claim(self) -> None:
        self._check_readable()
        self._iterated = True

    def _begin(self) -> bool:
        """The request is about to be sent; return whether it still is to be.

        cancel() may come in between: from a signal handler, another thread, or a plugin that is
        told of the stream.
        """
        self._start_time = time.time()
        self._begun = True
        if self._call.timeouts:
            self._deadlines = Deadlines(time.monotonic(), **self._call.timeouts)
        if self._shown is not None:
            self._shown.begin(self)
        _observers.stream_started(self)
        return self._ending is None

    def _finish(self, state: StreamState, error: MirascopeError | None = None) -> None:
        """Enter an ending; only the first one counts."""
        if self._ending is None:
            self._start_time = self._lease.opening.start_time(self._start_time or time.time())
        # The first claim wins, in one step of the interpreter: a lock would deadlock with a signal
        # handler that calls cancel() while its own thread holds it. What an ended stream has is a
        # part of the claim, because an interrupt may come right behind it. The clock may have been
        # set back in between: a stream never ends before it began.
        ending = (state, error, max(self._start_time, time.time()))
        if vars(self).setdefault("_ending", ending) is not ending:
            return
        if self._lease.is_inherited:
            # The recording and the observers are the parent's, which goes on with the stream.
            return
        if self._call.recorder is not None:
            self._call.recorder.ended(state, error)
        if self._begun:
            # Else nobody was told of a beginning.
            if error is None:
                _observers.stream_finished(self)
            else:
                _observers.stream_failed(self, error)
            if self._lease.source is not None:
                _observers.call_finished(self)
        if self._shown is not None:
            self._shown.end(self)

    def _end_of_body(self) -> MirascopeError | None:
        """The body was read to its end: complete the stream, or return why it is not complete."""
        error = self._reader.ending_error()
        if error is None:
            self._finish(StreamState.COMPLETED)
            return None
        return self._broken(error)

    def _broken(self, error: MirascopeError) -> MirascopeError:
        """End the stream with an error and return it with what is known of the call."""
        if isinstance(error, APIError):
            error.provider = error.provider or self._call.provider.name
            error.model = error.model or self._call.model
            error.request_id = error.request_id or getattr(self._lease.source, "request_id", None)
        if isinstance(error, StreamError):
            error.stream = self
        hide_in_answer(self._call, self._answer, self._lease.source)
        shown(self._call, error, self._lease.source)
        if isinstance(error, StreamTimeoutError):
            state = StreamState.TIMED_OUT
        elif isinstance(error, StreamTruncatedError):
            state = StreamState.TRUNCATED
        else:
            state = StreamState.FAILED
        self._finish(state, error)
        return error

    def _interrupted(self, error: BaseException) -> None:
        """End the stream for what passes it unchanged: an interrupt, a cancelled task."""
        self._finish(StreamState.CANCELLED)
        forget(error)

    def _ended_by(self, error: Exception) -> BaseException | None:
        """Return what an exception in the middle of reading makes the loop raise, if anything."""
        if (outside := interruption(error)) is not None:
            # A signal handler raised it inside a read: it passes unchanged.
            self._interrupted(error)
            return outside
        if self._lease.is_inherited:
            self._finish(StreamState.STOPPED)
            return error
        if self._cancelled:
            # The read that cancel() ended: its exception is the shutting down, not a fault.
            self._finish(StreamState.CANCELLED)
            return None
        if self.state.ended:
            # The opening failed; or close() in another thread or task ended this read.
            return error if error is self.error else None
        return self._read_error(error)

    def _read_error(self, error: Exception) -> MirascopeError | None:
        """Return what an exception of the source means, or None where it ends nothing new."""
        mapped = self._call.provider.stream_error(error, self._call.model)
        if self._reader.complete and not isinstance(mapped, StreamProviderError):
            # The protocol's end had come; how the connection went after it changes nothing.
            self._finish(StreamState.COMPLETED)
            return None
        mapped.__cause__ = error if mapped is not error else error.__cause__
        return self._broken(mapped)

    def _opening_error(self, error: Exception) -> BaseException:
        """Return what an exception of the attempt to open the response means."""
        if (outside := interruption(error)) is not None:
            self._interrupted(error)
            return outside
        return self._broken(opening_failure(self._call, error))

    def _timeout_error(self, name: str, seconds: float) -> StreamTimeoutError:
        waited = {
            "first_chunk": "no chunk came within",
            "idle": "no further chunk came within",
            "total": "the stream did not end within",
        }[name]
        return StreamTimeoutError(f"{waited} {seconds:g} s (timeout {name!r})", deadline=name)
