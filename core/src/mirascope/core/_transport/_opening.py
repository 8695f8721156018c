"""Opening a response: one attempt, which can be given up at any moment."""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import threading
import time
import weakref
from collections.abc import Callable, Generator, Mapping
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar, cast

from .._interruptions import suppress_failures
from ._held_connection import shut_down

T = TypeVar("T")


class DeadlinePassed(Exception):  # noqa: N818 - ends a wait; its caller knows which deadline it was
    """A wait reached its moment.

    A class of its own: the action may raise `TimeoutError` for a reason of its own, and only its
    class tells the two apart.
    """


class GivenUp(BaseException):
    """`cancel()` or `close()` ended a wait, or stops what it was waiting for; never seen outside.

    Not an `Exception`: an SDK would take it for a dropped connection and send its request again.
    """


class OpeningFailed(Exception):  # noqa: N818 - carries an error, which is what its caller raises
    """The action itself raised an error.

    Whatever else a wait raises comes from elsewhere, such as a signal handler that ran during it.
    """

    def __init__(self, error: Exception) -> None:
        self.error = error


class Opening:
    """What is known of an attempt while it lasts, and how it is given up.

    `watch_request` makes a request ask it before it is sent, so that an SDK's retries end with the
    attempt, and tell it each step of a connection.

    Attributes:
        given_up: whether nobody waits for the response any more.
        lock: held while `given_up` changes, and by whoever must act before it does.
        may_be_cancelled: whether a task that sends the request may be cancelled here. Not between
            connecting and sending, nor while a response is closed: httpcore would keep the
            connection for good, unused.
        sent_at: when the request was sent, on `time.monotonic()`; None where it was not yet.
    """

    __slots__ = (
        "_held",
        "_is_sent",
        "_network_stream",
        "given_up",
        "lock",
        "may_be_cancelled",
        "sent_at",
    )

    def __init__(self) -> None:
        # Reentrant: `cancel()` may be called by a signal handler that runs in the middle of this.
        self.lock = threading.RLock()
        self._network_stream: Any = None
        self._held: list[object] = []
        self._is_sent = False
        self.given_up = False
        self.may_be_cancelled = True
        self.sent_at: float | None = None

    def hold(self, thing: object) -> None:
        """Keep something alive for as long as the response is in use, such as its client."""
        self._held.append(thing)

    def client_is_ready(self) -> None:
        """There is a client, which will send the request now.

        What came before, importing an SDK and making its client, takes seconds in a new process,
        and is no part of the time that a provider takes.
        """
        if not self._is_sent:
            self.sent_at = time.monotonic()

    def is_sending(self) -> None:
        """The request goes out; where it goes out again, the first time counts."""
        self.client_is_ready()
        self._is_sent = True

    def start_time(self, otherwise: float) -> float:
        """Return when the request was sent, in seconds since 1970, or `otherwise` if it was not."""
        if self.sent_at is None:
            return otherwise
        return time.time() - (time.monotonic() - self.sent_at)

    def let_go(self) -> None:
        """Forget what was held: the response is closed."""
        self._held = []

    def give_up(self) -> None:
        """Nobody waits any more. For any thread, and for signal handlers; never blocks."""
        with self.lock:
            self.given_up = True
            network_stream, self._network_stream = self._network_stream, None
            shut_down(network_stream)

    def end(self) -> None:
        """The attempt is over: what happens to its connection is no longer decided here."""
        with self.lock:
            self._network_stream = None

    @contextlib.contextmanager
    def as_current(self) -> Generator[None]:
        """Make this the attempt of what runs in a `with` block, which is the whole of it."""
        token = CURRENT.set(self)
        try:
            yield
        finally:
            self.end()
            CURRENT.reset(token)

    def check(self) -> None:
        """Raise `GivenUp` where nobody waits any more."""
        if self.given_up:
            raise GivenUp

    def step(self, name: str, info: Mapping[str, Any]) -> None:
        """Take note of a step of httpcore's `trace` extension.

        https://www.encode.io/httpcore/extensions/#trace

        Raises:
            GivenUp: nobody waits any more, and this is a step where stopping leaves nothing open.
        """
        _, _, step = name.partition(".")
        if step in _CONNECTED:
            network_stream = info.get("return_value")
            if not _is_shared(network_stream):
                self.uses(network_stream)
                _watch_writes(network_stream)
        elif step == "response_closed.started":
            # From here on the connection may be another request's. Who is cancelled in the middle
            # of this leaves it to nobody.
            self.end()
            self.may_be_cancelled = False
        elif step == "connect_tcp.started":
            self.may_be_cancelled = False
        elif step == "send_request_headers.started":
            self.check()
            self.may_be_cancelled = True
        elif step in _MAY_BE_CANCELLED:
            self.may_be_cancelled = True

    async def async_step(self, name: str, info: Mapping[str, Any]) -> None:
        """The same for an asynchronous client, which awaits its trace."""
        self.step(name, info)

    def uses(self, network_stream: Any) -> None:
        """Take note of the connection that the request is sent on."""
        with self.lock:
            if self.given_up:
                shut_down(network_stream)
            else:
                self._network_stream = network_stream


_CONNECTED: Final = frozenset(
    {"connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete"}
)
_MAY_BE_CANCELLED: Final = frozenset(
    {"connect_tcp.failed", "start_tls.failed", "response_closed.complete"}
)

CURRENT: Final[ContextVar[Opening | None]] = ContextVar("mirascope_opening", default=None)
"""The attempt that the running code belongs to."""


def watch_request(request: Any) -> None:
    """Let the attempt that sends a request know how it goes, and stop it.

    An event hook for synchronous clients of httpx or httpx2; a request can also be handed over
    before it is sent.

    Raises:
        GivenUp: nobody waits for the response any more.
    """
    _watch(request, lambda opening: opening.step)


async def watch_request_async(request: Any) -> None:
    """The same for asynchronous clients."""
    _watch(request, lambda opening: opening.async_step)


def _watch(request: Any, trace: Callable[[Opening], Any]) -> None:
    opening = CURRENT.get()
    if opening is not None:
        opening.check()
        opening.is_sending()
        # A user's own trace, as tracing tools set it, is left alone.
        request.extensions.setdefault("trace", trace(opening))


class Attempt(Generic[T]):
    """A blocking action that can be given up from any thread, and by a signal handler.

    Args:
        discard: what to do with a result that comes too late.

    Attributes:
        opening: what is known of the action.
        result: what the action returned, unless it was given up before.
    """

    __slots__ = ("_discard", "_done", "_failure", "opening", "result")

    def __init__(self, discard: Callable[[T], None]) -> None:
        self.opening = Opening()
        self.result: T | None = None
        self._discard = discard
        self._failure: BaseException | None = None
        # Of all that wakes a thread up, this alone may be used inside a signal handler.
        self._done: SimpleQueue[None] = SimpleQueue()

    def run(self, action: Callable[[], T], when: float | None) -> T:
        """Run the action in a thread of its own and wait for it until a moment.

        Most of the waiting for a model comes before the headers of its response, and nothing else
        could end it.

        Args:
            action: what to run; it sees the caller's context variables.
            when: the moment, on `time.monotonic()`; None waits as long as it takes.

        Raises:
            DeadlinePassed: `when` was reached.
            GivenUp: `give_up` was called.
            OpeningFailed: the action raised an `Exception`.
            BaseException: whatever else the action raised, or a signal handler.
        """
        context = contextvars.copy_context()
        context.run(CURRENT.set, self.opening)
        thread = threading.Thread(
            target=context.run, args=(self._run, action), name="mirascope-open", daemon=True
        )
        try:
            try:
                # Inside the `try`: an interrupt may come when the thread has begun and before
                # this returns, and the thread must be given up then too.
                thread.start()
            except RuntimeError:
                if thread.ident is not None:
                    raise
                # No more threads are to be had: better uninterruptible than not at all.
                context.run(self._run, action)
            return self._wait(when)
        except OpeningFailed:
            raise
        except BaseException:
            self.give_up()
            raise

    def give_up(self) -> None:
        """End the wait; a result that still comes is discarded. Never blocks."""
        self.opening.give_up()
        self._done.put(None)

    def _wait(self, when: float | None) -> T:
        seconds = None if when is None else max(0.0, when - time.monotonic())
        try:
            self._done.get(timeout=seconds and min(seconds, threading.TIMEOUT_MAX))
        except Empty:
            raise DeadlinePassed from None
        if self.opening.given_up:
            raise GivenUp
        # Taken out, or the exception and the frames that it knows would keep each other alive.
        failure, self._failure = self._failure, None
        if isinstance(failure, Exception):
            raise OpeningFailed(failure)
        if failure is not None:
            raise failure
        result: Any = self.result
        return result  # type: ignore[no-any-return]

    def _run(self, action: Callable[[], T]) -> None:
        try:
            result = action()
        except BaseException as error:
            if not self.opening.given_up:
                self._failure = error
        else:
            self._take(result)
        finally:
            self.opening.end()
            self._done.put(None)

    def _take(self, result: T) -> None:
        with self.opening.lock:
            if not self.opening.given_up:
                self.result = result
                return
        with contextlib.suppress(Exception):
            self._discard(result)


def _is_shared(network_stream: Any) -> bool:
    """Whether a connection speaks HTTP/2, on which other requests may be under way."""
    with suppress_failures():
        ssl_object: Any = network_stream.get_extra_info("ssl_object")
        return ssl_object is not None and ssl_object.selected_alpn_protocol() == "h2"
    return False


def _watch_writes(network_stream: Any) -> None:
    """Let each attempt that sends a request on a connection know which one it is.

    A trace shows a connection when it is made, and not when the pool gives it to another request.
    """
    kind: Any = cast("Any", type(network_stream))
    if not hasattr(kind, "write") or inspect.iscoroutinefunction(kind.write):
        # Where waiting is asynchronous, what waits is cancelled.
        return
    itself = weakref.ref(network_stream)

    def write(*args: Any, **kwargs: Any) -> None:
        opening, written = CURRENT.get(), itself()
        if opening is not None:
            opening.uses(written)
        kind.write(written, *args, **kwargs)

    # A network stream of somebody else's may not take it: its connection is not known then.
    with contextlib.suppress(AttributeError, TypeError):
        network_stream.write = write
