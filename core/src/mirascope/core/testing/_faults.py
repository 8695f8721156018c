"""What can happen to an answer on its way, as data."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

from .._errors import UsageError
from ._replies import dribble, streaming, whole
from ._spoken import Answer
from ._steps import Hangup, Hold, Pause, Reply, Reset, Step

CutHow: TypeAlias = Literal["end", "close", "reset"]
"""How a body ends that was cut: as if it were whole, by closing the connection, by resetting it."""

_PIECE: Final = 64 * 1024
_SETTLE: Final = 0.05
"""Seconds before a reset, which throws away what its client has not read yet."""
_PAGE: Final = b"<!DOCTYPE html>\n<html><body><h1>Bad gateway</h1></body></html>\n"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with an answer; made by its class methods, such as `Fault.cut`.

    A place in the answer is `event=`, how many whole events are sent before (negative: all but so
    many), or `byte=`, how many bytes of the body. Events are those of the wire: some protocols
    begin with one or two that have no text yet. An answer that is not streamed is one event.

    Attributes:
        name: how it was made, such as `"cut(event=2)"`.
    """

    name: str
    _reply: Callable[[Answer], Reply] = field(repr=False, compare=False)

    def __str__(self) -> str:
        return self.name

    def reply(self, answer: Answer) -> Reply:
        """Return what is sent in place of an answer."""
        return self._reply(answer)

    # The connection

    @classmethod
    def cut(
        cls, *, event: int | None = None, byte: int | None = None, how: CutHow = "end"
    ) -> Fault:
        """End the body early.

        Args:
            event: how many whole events are sent.
            byte: how many bytes are sent, in place of `event`.
            how: `"end"` ends the body as if it were whole, which no HTTP client can see; `"close"`
                closes the connection in good order; `"reset"` resets it, as a crash does.

        Raises:
            UsageError: not exactly one place is given, or `how` is another word.
        """
        _check_one(event, byte)
        if how not in get_args(CutHow):
            raise UsageError(f"how must be 'end', 'close' or 'reset', not {how!r}")
        after: dict[str, tuple[Step, ...]] = {
            "end": (),
            "close": (Hangup(),),
            "reset": (Pause(_SETTLE), Reset()),
        }

        def reply(answer: Answer) -> Reply:
            sent = _until(answer, event, byte)
            if answer.streams:
                return _stream(answer, (*sent, *after[how]))
            body = b"".join(sent)
            if how == "end":
                return whole(body)
            # The length that was announced is that of the whole answer.
            return [*whole(body, headers=_length(answer.whole)), *after[how]]

        return cls(_name("cut", event=event, byte=byte, how=how), reply)

    @classmethod
    def dropped(cls) -> Fault:
        """Reset the connection before anything is sent."""
        return cls("dropped()", lambda _: [Reset()])

    @classmethod
    def silent(cls) -> Fault:
        """Send nothing at all, not even a status, until the client leaves."""
        return cls("silent()", lambda _: [Hold()])

    @classmethod
    def stall(
        cls,
        *,
        event: int | None = None,
        byte: int | None = None,
        pings: float | None = None,
        seconds: float | None = None,
    ) -> Fault:
        """Fall silent in the middle.

        Args:
            event: how many whole events are sent before.
            byte: how many bytes are sent before, in place of `event`.
            pings: seconds between keep-alives meanwhile, which are no progress; none by default.
            seconds: how long it takes until the answer goes on; until the client leaves by default.

        Raises:
            UsageError: not exactly one place is given.
        """
        _check_one(event, byte)

        def reply(answer: Answer) -> Reply:
            sent = _until(answer, event, byte)
            rest = b"".join(answer.parts)[sum(map(len, sent)) :]
            waiting = _waiting(answer.ping if answer.streams else b" ", pings, seconds)
            if answer.streams:
                return _stream(answer, itertools.chain(sent, waiting, (rest,)))
            body = whole(b"".join(sent), headers=_length(answer.whole))
            # A pause of JSON is white space, for which the length has no room.
            return itertools.chain(body, (w for w in waiting if not isinstance(w, bytes)), (rest,))

        return cls(_name("stall", event=event, byte=byte, pings=pings, seconds=seconds), reply)

    @classmethod
    def drip(cls, *, seconds: float = 0.001, size: int = 1) -> Fault:
        """Send the whole answer a few bytes at a time.

        Args:
            seconds: the pause after each piece.
            size: how many bytes a piece has.
        """

        def reply(answer: Answer) -> Reply:
            return dribble(good(answer), size, seconds=seconds)

        return cls(_name("drip", seconds=seconds, size=size), reply)

    # What is sent

    @classmethod
    def malformed(cls, *, event: int = 0) -> Fault:
        """Send an event that is not JSON, and then the rest of the answer."""
        return cls(_name("malformed", event=event), _inserted(event, lambda a: a.malformed))

    @classmethod
    def garbage(cls, *, event: int = 0, size: int = 64) -> Fault:
        """Send bytes that are not text, and then the rest of the answer.

        Args:
            event: how many whole events are sent before.
            size: how many bytes.
        """
        noise = (b"\xff\xfe\x00\x17" * (size // 4 + 1))[:size] + b"\n\n"
        return cls(_name("garbage", event=event, size=size), _inserted(event, lambda _: noise))

    @classmethod
    def error(cls, *, event: int = 0, message: str = "overloaded") -> Fault:
        """Report a failure inside the answer, in the protocol's own words, and end it.

        Args:
            event: how many whole events are sent before.
            message: what the server says.
        """

        def reply(answer: Answer) -> Reply:
            if not answer.streams:
                return whole({"error": {"message": message, "code": "overloaded"}})
            return _stream(answer, (*_until(answer, event, None), answer.error(message)))

        return cls(_name("error", event=event, message=message), reply)

    @classmethod
    def status(
        cls,
        status: int,
        *,
        message: str = "not today",
        retry_after: float | str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Fault:
        """Refuse the request with an HTTP status.

        Args:
            status: the status, such as 429 or 503.
            message: what the server says.
            retry_after: the header of that name: seconds, or a date as HTTP writes them.
            headers: more headers.
            body: the body in place of the usual object with the message.
        """
        sent = dict(headers or {})
        if retry_after is not None:
            sent["retry-after"] = f"{retry_after}"
        said: Any = {"error": {"message": message, "type": "error", "code": None}}
        said = said if body is None else body

        def reply(_: Answer) -> Reply:
            return whole(said, status=status, headers=sent)

        return cls(_name("status", status, retry_after=retry_after), reply)

    @classmethod
    def content_type(cls, content_type: str = "text/html", body: bytes | None = _PAGE) -> Fault:
        """Answer with status 200 and something else than was asked for.

        Args:
            content_type: the header of that name.
            body: what is sent: an HTML page by default, the answer itself if None.
        """

        def reply(answer: Answer) -> Reply:
            if body is not None:
                return whole(body, headers={"content-type": content_type})
            if answer.streams:
                return _stream(answer, answer.events, content_type=content_type)
            return whole(answer.whole, headers={"content-type": content_type})

        return cls(_name("content_type", content_type, *(() if body is _PAGE else (body,))), reply)

    @classmethod
    def endless(cls, *, event: int = 1, pings: bool = False) -> Fault:
        """Never end: send text, or keep-alives, as fast as they are read.

        Args:
            event: how many whole events are sent before.
            pings: keep-alives in place of text.
        """

        def reply(answer: Answer) -> Reply:
            more = answer.ping if pings else answer.text("and so on, ")
            # Many in one write: what is tried is the reader, and not how fast this one writes.
            many = more * max(1, _PIECE // len(more))
            if answer.streams:
                sent = _until(answer, event, None)
                return _stream(answer, itertools.chain(sent, itertools.repeat(many)))
            begun = whole(answer.whole[:-1], headers=_length(b"", 2**62))
            return itertools.chain(begun, itertools.repeat(b" " * _PIECE))

        return cls(_name("endless", event=event, pings=pings or None), reply)

    @classmethod
    def huge(cls, *, event: int = 1, size: int = 100 * 2**20) -> Fault:
        """Send one event of so many bytes of text, and then the rest of the answer.

        Args:
            event: how many whole events are sent before.
            size: bytes of text in it.
        """

        def reply(answer: Answer) -> Reply:
            first, _, last = answer.text("%TEXT%").partition(b"%TEXT%")
            pieces = itertools.chain(
                (first,),
                itertools.repeat(b"x" * _PIECE, size // _PIECE),
                (b"x" * (size % _PIECE) + last,),
            )
            if answer.streams:
                sent = _until(answer, event, None)
                return _stream(answer, itertools.chain(sent, pieces, answer.events[len(sent) :]))
            begun = whole(answer.whole[:-1], headers=_length(answer.whole, size))
            spaces = itertools.repeat(b" " * _PIECE, size // _PIECE)
            rest = b" " * (size % _PIECE) + answer.whole[-1:]
            return itertools.chain(begun, spaces, (rest,))

        return cls(_name("huge", event=event, size=size), reply)

    @classmethod
    def gzip(cls, *, damaged: bool = False) -> Fault:
        """Compress the answer, which every HTTP client undoes.

        Args:
            damaged: whether bytes in its middle are changed, so that it can't be undone.
        """

        def reply(answer: Answer) -> Reply:
            packed = gzip.compress(b"".join(answer.parts), mtime=0)
            if damaged:
                half = len(packed) // 2
                packed = packed[:half] + b"\xff" * 8 + packed[half + 8 :]
            if not answer.streams:
                return whole(packed, headers={"content-encoding": "gzip"})
            return _stream(answer, _cut_up(packed), **{"content-encoding": "gzip"})

        return cls(_name("gzip", damaged=damaged or None), reply)


def good(answer: Answer) -> Reply:
    """Return the reply without any fault."""
    return _stream(answer, answer.events) if answer.streams else whole(answer.whole)


def _stream(answer: Answer, steps: Iterable[Step], **headers: str) -> Iterator[Step]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return streaming(steps, headers={"content-type": answer.content_type, **named})


def _until(answer: Answer, event: int | None, byte: int | None) -> tuple[bytes, ...]:
    """Return what is sent of an answer before a place in it."""
    if byte is not None:
        return (b"".join(answer.parts)[:byte],)
    if not answer.streams:
        # There is one event, and a place inside of the answer is inside of it.
        return (answer.whole[: len(answer.whole) // 2] if event else b"",)
    return answer.events[:event]


def _inserted(event: int, what: Callable[[Answer], bytes]) -> Callable[[Answer], Reply]:
    def reply(answer: Answer) -> Reply:
        if not answer.streams:
            half = len(answer.whole) // 2
            return whole(answer.whole[:half] + what(answer))
        sent = _until(answer, event, None)
        return _stream(answer, (*sent, what(answer), *answer.events[len(sent) :]))

    return reply


def _waiting(ping: bytes, pings: float | None, seconds: float | None) -> Iterator[Step]:
    if pings is None:
        yield Hold() if seconds is None else Pause(seconds)
        return
    count = itertools.count() if seconds is None else range(max(1, round(seconds / pings)))
    for _ in count:
        yield ping
        yield Pause(pings)


def _cut_up(body: bytes, pieces: int = 4) -> Iterator[bytes]:
    size = len(body) // pieces + 1
    yield from (body[start : start + size] for start in range(0, len(body), size))


def _length(body: bytes, more: int = 0) -> dict[str, str]:
    return {"content-length": str(len(body) + more)}


def _check_one(event: int | None, byte: int | None) -> None:
    if (event is None) is (byte is None):
        raise UsageError("name one place: event= (whole events) or byte= (bytes of the body)")


def _name(made: str, *args: object, **given: object) -> str:
    words = [f"{name}={value!r}" for name, value in given.items() if value is not None]
    return f"{made}({', '.join([*map(repr, args), *words])})"
