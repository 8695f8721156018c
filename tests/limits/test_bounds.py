"""Whatever a server sends, reading it ends, and takes no more memory than its bound."""

from __future__ import annotations

import gzip
import itertools
import json
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mirascope.core import (
    APIError,
    BadRequestError,
    StreamDecodeError,
    StreamLimitError,
    StreamState,
    StreamTimeoutError,
    UsageError,
)
from mirascope.core._transport import _bounds
from mirascope.core.testing import Pause, Server, streamed, streaming, whole
from mirascope_tests.chat import answer

from .conftest import FULL, Memory, some_ways
from .wires import Counted, Wire, error_body

MB = 1024 * 1024
# What lies between a server's send() and a client that reads no more: two sockets' buffers.
BUFFERS = 12 * MB
SMALL = 100_000

UNASKED = ["br", "zstd", "gzip, br", "gzip, gzip, gzip, gzip, gzip"]

Serve = Callable[..., Server]


def compressed(pieces: Iterator[bytes], window: int = 16 + zlib.MAX_WBITS) -> Iterator[bytes]:
    deflate = zlib.compressobj(9, wbits=window)
    for piece in pieces:
        if data := deflate.compress(piece) + deflate.flush(zlib.Z_SYNC_FLUSH):
            yield data


def forever(piece: bytes) -> Iterator[bytes]:
    return itertools.repeat(piece)


class TestErrors:
    def test_an_endless_body_is_read_to_its_bound(
        self, wire: Wire, is_async: bool, stream: bool, serve: Serve
    ) -> None:
        body = Counted(forever(b"x" * 65536))
        headers = {"content-type": "application/json"}
        server = serve(lambda _: streaming(body, status=400, headers=headers))
        error = wire.read(server.url, is_async=is_async, stream=stream).error
        assert isinstance(error, BadRequestError)
        assert error.status == 400
        assert len(str(error)) < 5000
        server.wait_closed()
        assert body.sent < _bounds.MAX_ERROR_BYTES + BUFFERS

    @some_ways
    def test_a_bomb_is_defused(
        self, wire: Wire, is_async: bool, stream: bool, serve: Serve, memory: Memory
    ) -> None:
        body = Counted(compressed(forever(bytes(8 * MB))))
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        server = serve(lambda _: streaming(body, status=400, headers=headers))
        error = wire.read(server.url, is_async=is_async, stream=stream).error
        assert isinstance(error, BadRequestError)
        server.wait_closed()
        # The server's own pieces of 8 MB are counted as well.
        assert memory.peak < 40 * MB

    @some_ways
    @pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
    def test_what_it_tells_is_kept(
        self, wire: Wire, is_async: bool, stream: bool, coding: str, serve: Serve
    ) -> None:
        body = error_body("the model is on holiday")
        packed = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[coding](body)
        server = serve(whole(packed, status=400, headers={"content-encoding": coding}))
        error = wire.read(server.url, is_async=is_async, stream=stream).error
        assert isinstance(error, BadRequestError)
        assert "the model is on holiday" in str(error)

    @pytest.mark.parametrize("body", [b"<h1>late</h1>", b""], ids=["drips", "is silent"])
    @some_ways
    def test_its_body_holds_nothing_up(
        self,
        wire: Wire,
        is_async: bool,
        stream: bool,
        body: bytes,
        serve: Serve,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(_bounds, "MAX_ERROR_SECONDS", 0.2)
        drips = [Pause(0.05), b"."] * 200 if body else [Pause(10)]
        server = serve(lambda _: streaming([body, *drips], status=400))
        start = time.monotonic()
        error = wire.read(server.url, is_async=is_async, stream=stream).error
        assert isinstance(error, BadRequestError)
        assert time.monotonic() - start < 5
        assert error.status == 400

    @some_ways
    def test_a_deadline_ends_it(
        self, wire: Wire, is_async: bool, stream: bool, serve: Serve
    ) -> None:
        drips = [Pause(0.05), b"."] * 200
        server = serve(lambda _: streaming(drips, status=400))
        start = time.monotonic()
        error = wire.read(server.url, is_async=is_async, stream=stream, timeout=0.5).error
        assert isinstance(error, APIError)
        assert "timeout 'total'" in str(error)
        assert time.monotonic() - start < 3


class TestMaxBytes:
    def test_an_endless_answer_ends(
        self, wire: Wire, is_async: bool, serve: Serve, memory: Memory
    ) -> None:
        body = Counted(itertools.chain([b'{"a": "'], forever(b"x" * 65536)))
        headers = {"content-type": "application/json"}
        server = serve(lambda _: streaming(body, headers=headers))
        error = wire.read(server.url, is_async=is_async, stream=False, max_bytes=SMALL).error
        assert isinstance(error, StreamLimitError)
        assert error.limit == SMALL
        server.wait_closed()
        assert body.sent < BUFFERS
        assert memory.peak < 20 * MB

    def test_an_endless_stream_ends(self, wire: Wire, is_async: bool, serve: Serve) -> None:
        body = Counted(forever(wire.delta("word ")))
        server = serve(lambda _: streaming(body))
        outcome = wire.read(server.url, is_async=is_async, max_bytes=SMALL)
        error, stream = outcome.error, outcome.result
        assert isinstance(error, StreamLimitError)
        assert "100,000 bytes" in str(error)
        assert "max_bytes=" in str(error)
        assert error.stream is stream
        assert error.limit == SMALL
        assert not error.retryable
        assert stream.state is StreamState.FAILED
        # All that came within the bound is there.
        assert set(stream.content.split()) == {"word"}
        assert stream.event_count == SMALL // len(wire.delta("word "))
        server.wait_closed()
        assert body.sent < BUFFERS

    @pytest.mark.parametrize(
        "piece", [b": ping\n\n", b": " + b"x" * 100, b"data: " + b"x" * 5000], ids=repr
    )
    def test_what_is_not_a_chunk_counts(
        self, wire: Wire, is_async: bool, piece: bytes, serve: Serve
    ) -> None:
        server = serve(lambda _: streaming(forever(piece)))
        error = wire.read(server.url, is_async=is_async, max_bytes=SMALL).error
        assert isinstance(error, StreamLimitError)
        server.wait_closed()

    @pytest.mark.parametrize("window", [31, 15, -15] if FULL else [31, -15])
    def test_a_bomb_in_a_stream_is_defused(
        self, wire: Wire, is_async: bool, window: int, serve: Serve, memory: Memory
    ) -> None:
        body = compressed(itertools.chain([wire.delta("a"), b"data: "], forever(b"x" * MB)), window)
        headers = {"content-encoding": "gzip" if window == 31 else "deflate"}
        server = serve(lambda _: streaming(body, headers=headers))
        outcome = wire.read(server.url, is_async=is_async, max_bytes=2 * MB)
        assert isinstance(outcome.error, StreamLimitError)
        assert outcome.result.content == "a"
        server.wait_closed()
        assert memory.peak < 40 * MB

    def test_a_bomb_in_a_whole_answer_is_defused(
        self, wire: Wire, is_async: bool, serve: Serve, memory: Memory
    ) -> None:
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        server = serve(lambda _: streaming(compressed(forever(bytes(8 * MB))), headers=headers))
        outcome = wire.read(server.url, is_async=is_async, stream=False, max_bytes=2 * MB)
        assert isinstance(outcome.error, StreamLimitError)
        assert memory.peak < 40 * MB

    def test_compressed_bytes_that_expand_to_nothing_count(
        self, wire: Wire, is_async: bool, serve: Serve
    ) -> None:
        # After its end, gzip is followed by anything.
        body = itertools.chain([gzip.compress(wire.delta("a"))], forever(b"\0" * 4096))
        server = serve(lambda _: streaming(body, headers={"content-encoding": "gzip"}))
        outcome = wire.read(server.url, is_async=is_async, stream=False, max_bytes=SMALL)
        assert isinstance(outcome.error, APIError)
        server.wait_closed()

    def test_an_ordinary_answer_passes(self, wire: Wire, is_async: bool, serve: Serve) -> None:
        server = serve(whole(wire.whole("Hi there")))
        outcome = wire.read(server.url, is_async=is_async, stream=False, max_bytes=SMALL)
        assert outcome.error is None
        assert outcome.result.content == "Hi there"

    def test_a_compressed_answer_is_read(self, wire: Wire, is_async: bool, serve: Serve) -> None:
        packed = gzip.compress(json.dumps(wire.whole("Hi there")).encode())
        server = serve(whole(packed, headers={"content-encoding": "gzip"}))
        outcome = wire.read(server.url, is_async=is_async, stream=False)
        assert outcome.error is None
        assert outcome.result.content == "Hi there"

    def test_the_function_has_the_last_word(self, serve: Serve) -> None:
        from mirascope.core import compatible

        server = serve(lambda _: streaming(forever(b": ping\n\n")))

        @compatible.call("m", stream=True, base_url=server.url, max_bytes=10**9)
        def ask() -> Any:
            return {"messages": "Hi", "max_bytes": 1000}

        with pytest.raises(StreamLimitError, match="1,000 bytes"):
            ask().collect()

    @pytest.mark.parametrize("given", [0, -1, 1.5, True, "9"])
    def test_nonsense_is_refused(self, given: Any) -> None:
        from mirascope.core import compatible

        with pytest.raises(UsageError, match="max_bytes must be a positive whole number"):
            compatible.call("m", max_bytes=given)

    def test_the_end_may_come_with_the_last_byte(self, serve: Serve) -> None:
        from mirascope.core import compatible

        body = b"".join(answer("Hi"))
        server = serve(streamed(body + b": more\n\n" * 100))
        ask = compatible.call("m", stream=True, base_url=server.url, max_bytes=len(body))
        stream = ask(lambda: "Hi")()
        stream.collect()
        assert stream.state is StreamState.COMPLETED
        short = compatible.call("m", stream=True, base_url=server.url, max_bytes=len(body) - 9)
        with pytest.raises(StreamLimitError):
            short(lambda: "Hi")().collect()


class TestHeaders:
    @some_ways
    def test_endless_ones_end(self, wire: Wire, is_async: bool, stream: bool, serve: Serve) -> None:
        lines = itertools.chain(
            [b"HTTP/1.1 200 OK\r\n"],
            (b"x-%d: %s\r\n" % (i, b"y" * 1000) for i in itertools.count()),
        )
        body = Counted(lines)
        server = serve(lambda _: body)
        error = wire.read(server.url, is_async=is_async, stream=stream, timeout=20).error
        assert isinstance(error, APIError)
        assert not isinstance(error, StreamTimeoutError)


class TestCodings:
    @some_ways
    @pytest.mark.parametrize("coding", UNASKED if FULL else UNASKED[:1])
    def test_one_that_was_not_asked_for_is_refused(
        self, wire: Wire, is_async: bool, stream: bool, coding: str, serve: Serve
    ) -> None:
        server = serve(lambda _: streaming([b"x" * 100], headers={"content-encoding": coding}))
        error = wire.read(server.url, is_async=is_async, stream=stream).error
        assert isinstance(error, StreamDecodeError)
        assert "was not asked for" in str(error)

    def test_each_event_may_be_compressed_by_itself(
        self, wire: Wire, is_async: bool, serve: Serve
    ) -> None:
        events = (*map(wire.delta, "Hi"), *wire.end)
        server = serve(streamed(*map(gzip.compress, events), headers={"content-encoding": "gzip"}))
        outcome = wire.read(server.url, is_async=is_async)
        assert outcome.error is None
        assert outcome.result.content == "Hi"

    @pytest.mark.parametrize("cut", [1, 2, 3, 7, 1000])
    def test_members_are_found_however_reads_are_cut(self, cut: int) -> None:
        body = b"".join(map(gzip.compress, (b"one", b"", b"two" * 9000, b"three")))
        for rest in (b"", b"\0" * 99, b"\x1f", b"\x1fno"):
            inflater = _bounds.Inflater("gzip")
            sent = body + rest
            pieces = [sent[start : start + cut] for start in range(0, len(sent), cut)]
            assert b"".join(p for piece in pieces for p in inflater.feed(piece)) == gzip.decompress(
                body
            )

    @some_ways
    def test_damage_is_one_of_our_errors(
        self, wire: Wire, is_async: bool, stream: bool, serve: Serve
    ) -> None:
        server = serve(whole(b"\x1f\x8bno", headers={"content-encoding": "gzip"}))
        error = wire.read(server.url, is_async=is_async, stream=stream).error
        assert isinstance(error, StreamDecodeError)

    def test_two_are_undone(self, wire: Wire, is_async: bool, serve: Serve) -> None:
        packed = gzip.compress(zlib.compress(json.dumps(wire.whole("Hi")).encode()))
        server = serve(whole(packed, headers={"content-encoding": "deflate, gzip"}))
        assert wire.read(server.url, is_async=is_async, stream=False).result.content == "Hi"

    def test_words_that_are_none_are_passed_over(
        self, wire: Wire, is_async: bool, serve: Serve
    ) -> None:
        server = serve(whole(wire.whole("Hi"), headers={"content-encoding": "utf-8"}))
        assert wire.read(server.url, is_async=is_async, stream=False).result.content == "Hi"
