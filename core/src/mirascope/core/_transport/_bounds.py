"""How large a response may be, and the reading that holds to it.

A body is bounded by what it expands to: 1 MB of gzip is 1 GB of text. So it is decompressed here,
a little at a time, and never by the HTTP client, which expands each piece that it reads at once.
"""

from __future__ import annotations

import contextlib
import functools
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final, cast

from pydantic_core import to_json

from .._errors import StreamDecodeError, StreamLimitError
from .._types import JSONObject

MAX_STREAM_BYTES: Final = 1024 * 1024 * 1024
"""The default of `max_bytes` for a stream: hundreds of times what the longest answers take."""

MAX_RESPONSE_BYTES: Final = 64 * 1024 * 1024
"""The default of `max_bytes` for an answer that is not streamed, which is held as a whole."""

MAX_ERROR_BYTES: Final = 1024 * 1024
"""How much of an error's body is read; of what is longer, the beginning counts."""

MAX_ERROR_SECONDS: Final = 10.0
"""How long an error's body is read; then what has come of it counts."""

_PIECE: Final = 64 * 1024
"""How much is decompressed at a time."""

_CODINGS: Final = 4
"""How many codings of one body are undone; servers apply one."""

# 32 added: the header tells gzip and zlib apart.
_WINDOW: Final = 32 + zlib.MAX_WBITS

_GZIP: Final = b"\x1f\x8b"
"""What a member of a gzip body begins with."""


class Inflater:
    """Undoes gzip or deflate, in pieces of bounded size. Pure.

    Args:
        coding: `"gzip"` or `"deflate"`; another one is refused.
    """

    __slots__ = ("_begun", "_coding", "_head", "_inflate", "_is_over")

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._inflate = zlib.decompressobj(_WINDOW)
        self._begun = False
        self._head = b""
        self._is_over = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes and yield what they expand to, little by little.

        Raises:
            zlib.error: the bytes are damaged, or of a coding that is not known here.
        """
        if self._coding not in ("gzip", "deflate"):
            raise zlib.error(f"{self._coding!r} was not asked for")
        while data:
            if self._inflate.eof:
                data = self._next_member(data)
                continue
            try:
                piece = self._inflate.decompress(data, _PIECE)
            except zlib.error:
                # "deflate" is zlib by the standard (RFC 9110 §8.4.1.2), and without its header
                # from some servers.
                if self._begun or self._coding != "deflate":
                    raise
                self._begun = True
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
                continue
            self._begun = True
            if piece:
                yield piece
            data = self._inflate.unused_data or self._inflate.unconsumed_tail

    def _next_member(self, data: bytes) -> bytes:
        """Begin the next member of a gzip body and return its bytes, or none where nothing begins.

        Gateways that compress a stream event by event make each event a member of its own
        (RFC 1952 §2.2). Other bytes behind a member are not a part of the body.
        """
        if self._is_over or self._coding != "gzip":
            return b""
        self._head += data
        if len(self._head) < len(_GZIP) and _GZIP.startswith(self._head):
            return b""
        data, self._head = self._head, b""
        if not data.startswith(_GZIP):
            self._is_over = True
            return b""
        self._inflate = zlib.decompressobj(_WINDOW)
        return data


class Gauge:
    """Decompresses a body and measures it, before and after. Knows no I/O.

    Args:
        codings: the body's content codings, in the order in which they were applied.
        limit: how many bytes of the body are handed on.

    Attributes:
        full: whether the body goes on behind the limit.
    """

    __slots__ = ("_inflaters", "_left", "_left_raw", "full")

    def __init__(self, codings: list[str], limit: int) -> None:
        if len(codings) > _CODINGS:
            # Each is a step of its own for every byte.
            codings = ["several codings"]
        self._inflaters = [Inflater(coding) for coding in reversed(codings)]
        self._left = self._left_raw = limit
        self.full = False

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """Take the next bytes from the wire and yield those of the body, up to the limit."""
        # Compressed bytes that expand to nothing count as well: a body of them has no end either.
        self._left_raw -= len(raw)
        for piece in self._expand(raw, 0):
            if len(piece) > self._left:
                self.full = True
                yield piece[: self._left]
                return
            self._left -= len(piece)
            yield piece
        self.full = self._left_raw < 0

    def _expand(self, data: bytes, stage: int) -> Iterator[bytes]:
        if stage == len(self._inflaters):
            yield data
            return
        for piece in self._inflaters[stage].feed(data):
            yield from self._expand(piece, stage + 1)


class _Bounded:
    """The byte stream of a response, decompressed and measured on its way.

    It takes the place of `Response.stream`, and gets the base class that the HTTP client looks for.
    """

    def __init__(
        self, stream: Any, gauge: Gauge, excess: Callable[[], Exception] | None, until: float | None
    ) -> None:
        self._stream = stream
        self._gauge = gauge
        self._excess = excess
        self._until = until

    def _is_over(self) -> bool:
        if self._gauge.full and self._excess is not None:
            raise self._excess()
        return self._gauge.full or (self._until is not None and time.monotonic() >= self._until)

    def _failed(self, error: Exception) -> None:
        """Raise what reading failed with, unless what has come of an error's body is enough."""
        if isinstance(error, zlib.error):
            if self._excess is not None:
                raise StreamDecodeError(f"the response can't be decompressed: {error}") from error
        elif self._excess is not None or not _is_transports(error):
            raise error


class _BoundedStream(_Bounded):
    def __iter__(self) -> Iterator[bytes]:
        try:
            for raw in self._stream:
                yield from self._gauge.feed(raw)
                if self._is_over():
                    return
        except Exception as error:
            self._failed(error)

    def close(self) -> None:
        self._stream.close()


class _AsyncBoundedStream(_Bounded):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for raw in self._stream:
                for piece in self._gauge.feed(raw):
                    yield piece
                if self._is_over():
                    return
        except Exception as error:
            self._failed(error)

    async def aclose(self) -> None:
        await self._stream.aclose()


def bound_error(response: Any) -> None:
    """Bound the body of a response with an error's status, or of a redirect.

    Args:
        response: a response of httpx or httpx2 whose body was not read yet.
    """
    if response.status_code < 300:
        return
    # Clients read on with this timeout: a server that falls silent must not hold up its error.
    timeouts: Any = response.request.extensions.get("timeout")
    if isinstance(timeouts, dict):
        read: float | None = cast("dict[str, Any]", timeouts).get("read")
        timeouts["read"] = MAX_ERROR_SECONDS if read is None else min(read, MAX_ERROR_SECONDS)
    _bound(response, MAX_ERROR_BYTES, None, until=time.monotonic() + MAX_ERROR_SECONDS)


async def bound_error_async(response: Any) -> None:
    """The same, as the hook of an asynchronous client."""
    bound_error(response)


def bound_body(response: Any, max_bytes: int) -> None:
    """Bound the body of a response that is about to be read.

    Args:
        response: a response of httpx or httpx2 whose body was not read yet; of another library's,
            nothing is bounded here.
        max_bytes: how large the body may be; reading on raises `StreamLimitError`.
    """
    _bound(response, max_bytes, lambda: too_large(max_bytes))


def inflate_body(response: Any) -> None:
    """Decompress a streamed body little by little, if it is compressed; its reader counts."""
    headers: Mapping[str, str] = getattr(response, "headers", None) or {}
    if "content-encoding" in headers:
        bound_body(response, MAX_STREAM_BYTES * 1024)


def too_large(max_bytes: int) -> StreamLimitError:
    """Return the error of a body that is larger than `max_bytes`."""
    return StreamLimitError(
        f"the response is larger than {max_bytes:,} bytes, the bound of this call: give it a "
        "larger max_bytes=, or ask for less",
        limit=max_bytes,
    )


def _bound(
    response: Any,
    limit: int,
    excess: Callable[[], Exception] | None,
    *,
    until: float | None = None,
) -> None:
    stream: Any = getattr(response, "stream", None)
    base = _stream_base(stream)
    if base is None or isinstance(stream, _Bounded):
        return
    headers: MutableMapping[str, str] = response.headers
    found = headers.get("content-encoding", "").lower().split(",")
    codings = [coding.strip().removeprefix("x-") for coding in found]
    foreign = [coding for coding in codings if coding in ("br", "zstd")]
    if foreign and all(coding in _asked_for(response) for coding in foreign):
        # A client of the user's own that has decoders for more.
        return
    headers.pop("content-encoding", None)
    # Servers put other words there, such as "utf-8": clients pass these over.
    gauge = Gauge([c for c in codings if c in ("gzip", "deflate", *foreign)], limit)
    response.stream = _bounded(base)(stream, gauge, excess, until)


def _asked_for(response: Any) -> str:
    try:
        return str(response.request.headers.get("accept-encoding", ""))
    except (AttributeError, RuntimeError):
        # httpx raises RuntimeError for a response that no request was given to.
        return ""


@lru_cache(maxsize=8)
def _bounded(base: type) -> Callable[..., Any]:
    bounded = _BoundedStream if base.__name__ == "SyncByteStream" else _AsyncBoundedStream
    return type("BoundedStream", (bounded, base), {})


def _stream_base(stream: object) -> type | None:
    """Return the class of byte streams of the library that a stream belongs to.

    httpx and httpx2 have distinct ones of the same names; core imports neither.
    """
    names = ("SyncByteStream", "AsyncByteStream")
    return next((base for base in type(stream).__mro__ if base.__name__ in names), None)


def _is_transports(error: Exception) -> bool:
    return any(base.__name__ == "TransportError" for base in type(error).__mro__)


def json_size(data: JSONObject) -> int:
    """Return the bytes of an object's JSON; what can't be written as JSON is guessed."""
    for measure in (functools.partial(to_json, fallback=str), repr):
        with contextlib.suppress(ValueError, RecursionError):
            return len(measure(data))
    return 1024
