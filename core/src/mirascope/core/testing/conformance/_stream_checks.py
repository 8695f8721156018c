"""Checks of a stream: what its events say, how the wire may cut them, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import Any

from ..._errors import (
    APIError,
    StreamConsumedError,
    StreamDecodeError,
    StreamInterruptedError,
    StreamProviderError,
    StreamTruncatedError,
    UsageError,
)
from ..._state import FINISH_REASONS, StreamState
from .._replay import replay
from .._replies import dribble
from .._server import Server
from .._steps import Hangup, Pause, Reset
from ._check import NotApplicable, check, same, true
from ._driver import KEY, Driver, Outcome, held, release

_JUNK: tuple[bytes, ...] = (b"[]", b"null", b'"x"', b"<html><body>no</body></html>", b"", b"{}")


class StreamChecks(Driver):
    """One stream."""

    def _replay(self, body: bytes, chunk_bytes: int | None = None) -> Outcome:
        outcome = Outcome(stream=replay(self.tested, body, chunk_bytes=chunk_bytes))
        try:
            for chunk, tool in outcome.stream:
                outcome.chunks.append(chunk)
                if tool is not None:
                    outcome.tools.append(tool)
        except Exception as error:
            outcome.error = error
        return outcome

    @check("stream.text")
    def test_stream_text(self) -> None:
        """A stream has its text, its reasoning apart from it, its model, and ends `completed`.

        `truncated` means that no delta said the protocol's own end: see `EndDelta` and
        `finish_reason_ends`. Reasoning is a `ThinkingDelta`, never a `TextDelta`.
        """
        for way, outcome in self.answers(*self.needs("text")):
            stream = outcome.whole
            same(stream.content, self.wire.content, f"the {way} stream's content")
            same(stream.thinking, self.expect.get("thinking", self.wire.thinking), "its thinking")
            same(stream.state, StreamState.COMPLETED, "its state")
            same("".join(c.content for c in outcome.chunks), self.wire.content, "its chunks' text")
            if "model" in self.expect:
                same(stream.model, self.expect["model"], "its model")

    @check("stream.lazy")
    def test_stream_lazy(self) -> None:
        """Nothing is sent before the stream is read.

        `prepare` makes the request and sends nothing; `open` alone does.
        """
        with self.serve(self.reply(*self.needs("text"))) as server:
            made = self.function(False, self.connection(server.url, KEY, is_async=False))()
            time.sleep(0.02)
            same(len(server.requests), 0, "the number of requests before the loop")
            made.close()

    @check("stream.once")
    def test_stream_once(self) -> None:
        """A second loop over a stream raises, and what was gathered stays.

        A stream class must not override iteration.
        """
        for _, outcome in self.answers(*self.needs("text")):
            stream = outcome.whole
            try:
                if hasattr(stream, "__anext__") or not hasattr(stream, "collect"):
                    continue
                iter(stream)
            except (StreamConsumedError, TypeError):
                same(stream.content, self.wire.content, "its content after it")
                continue
            raise AssertionError("a second loop was let in")

    @check("stream.unbuffered")
    def test_stream_unbuffered(self) -> None:
        """A chunk is there before the server sends the next event.

        `open` returns once the headers are there, and hands on a response whose body has not been
        read: `client.send(request, stream=True)`, `HTTPSource(response)`.
        """
        events = self.needs("text")
        first = next(i for i in range(len(events)) if self._said(events[: i + 1]))
        for is_async in self.modes:
            with held() as hold:
                reply = self.reply(*events[: first + 1], hold, *events[first + 1 :])

                def read(chunk: Any, gate: Any = hold.until) -> bool:
                    if chunk.content or chunk.thinking:
                        gate.set()
                    return True

                began = time.monotonic()
                outcome = self.ask(is_async, reply, read=read)
            same(outcome.whole.content, self.wire.content, "the content")
            true(time.monotonic() - began < 2.5, "no chunk came before the next event was sent")

    def _said(self, events: tuple[bytes, ...]) -> bool:
        stream = self._replay(b"".join(events)).stream
        return bool(stream.content or stream.thinking)

    @check("stream.no_shared_state")
    def test_stream_no_shared_state(self) -> None:
        """Streams that are read in turns do not see each other.

        `decoder()` and `framer()` return new objects each time; a `Provider` keeps nothing of a
        call.
        """
        tested = self.tested
        true(tested.decoder() is not tested.decoder(), "decoder() returns one object for all")
        true(tested.framer() is not tested.framer(), "framer() returns one object for all")
        body = b"".join(self.needs("text"))
        pair = [replay(tested, body, chunk_bytes=7) for _ in range(2)]
        iterators = [iter(stream) for stream in pair]
        while iterators:
            iterators = [each for each in iterators if next(each, None) is not None]
        for stream in pair:
            same(stream.content, self.wire.content, "the content of a stream read in turns")

    # The wire

    @check("wire.split")
    def test_wire_split(self) -> None:
        """The result is the same however the transport cuts the body.

        A framer keeps bytes until an event is whole, and decodes no text before.
        """
        body = b"".join(self.needs("text"))
        whole = self._replay(body)
        for size in (1, 2, 3, 7, 64):
            cut = self._replay(body, size)
            same(
                (cut.stream.state, cut.stream.content, cut.stream.thinking, len(cut.chunks)),
                (whole.stream.state, self.wire.content, whole.stream.thinking, len(whole.chunks)),
                f"the stream in pieces of {size} bytes",
            )
        accented = self._accented(whole)
        if self._replay(accented).stream.content == _accent(self.wire.content):
            cut = self._replay(accented, 1)
            same(cut.stream.content, _accent(self.wire.content), "text beyond ASCII, byte by byte")
        for is_async in self.modes:
            outcome = self.ask(is_async, list(dribble(self.reply(body), 3)))
            same(outcome.whole.content, self.wire.content, "the content over a slow connection")

    def _accented(self, said: Outcome) -> bytes:
        """Return the text's events with characters of several bytes in what they say."""
        body = b"".join(self.needs("text"))
        for chunk in said.chunks:
            if chunk.content:
                body = body.replace(chunk.content.encode(), _accent(chunk.content).encode())
        return body

    @check("wire.crlf")
    def test_wire_crlf(self) -> None:
        """Lines may end with CR LF.

        `SSEFramer` and `LineFramer` take both; one of your own drops the CR before a line feed.
        """
        end = self.wire.lines_end
        if end is None:
            raise NotApplicable("the protocol has no lines")
        body = b"".join(self.needs("text")).replace(end, b"\r\n")
        same(self._replay(body).stream.content, self.wire.content, "the content with CR LF")
        same(self._replay(body, 1).stream.content, self.wire.content, "the same byte by byte")

    @check("wire.keep_alive")
    def test_wire_keep_alive(self) -> None:
        """What keeps the connection open is neither a chunk nor an error.

        `decode` returns None for it.
        """
        alive, events = self.needs("keep_alive"), self.needs("text")
        body = alive + alive.join(events[: self.wire.complete_at + 1]) + alive
        body += b"".join(events[self.wire.complete_at + 1 :])
        outcome = self._replay(body)
        same(outcome.whole.content, self.wire.content, "the content")
        plain = self._replay(b"".join(events))
        same(len(outcome.chunks), len(plain.chunks), "the number of chunks")

    @check("wire.unknown_event")
    def test_wire_unknown_event(self) -> None:
        """Events of a kind that does not exist yet are passed over.

        `decode` returns `()` for them: servers learn new words, and an old plugin must go on.
        """
        unknown, events = self.needs("unknown"), self.needs("text")
        body = events[0] + unknown + b"".join(events[1:])
        same(self._replay(body).whole.content, self.wire.content, "the content")

    @check("wire.bad_data")
    def test_wire_bad_data(self) -> None:
        """An event that can't be read is a `StreamDecodeError`, and what came before stays.

        Let `parse` and `decode` raise what they raise: core makes the error.
        """
        bad, events = self.needs("malformed"), self.needs("text")
        at = self.wire.complete_at
        for way, outcome in self.answers(*events[:at], bad, *events[at:]):
            true(isinstance(outcome.error, StreamDecodeError), f"{way}: {outcome.error!r}")
            same(outcome.stream.state, StreamState.FAILED, "the state")
            same(outcome.stream.content, self._content(events[:at]), "the content before it")

    def _content(self, events: tuple[bytes, ...]) -> str:
        return str(self._replay(b"".join(events)).stream.content)

    @check("wire.not_a_stream")
    def test_wire_not_a_stream(self) -> None:
        """A 200 whose body is something else than the answer is an error.

        Servers and proxies send pages, bare objects and nothing at all: none of it is an answer.
        """
        for junk in _JUNK:
            for is_async in self.modes:
                outcome = self.ask(is_async, self.whole_reply(junk))
                true(isinstance(outcome.error, APIError), f"{junk!r} ended with {outcome.error!r}")
                true(outcome.stream.state.ended, f"{junk!r} left the stream open")

    # Endings

    @check("end.truncated")
    def test_end_truncated(self) -> None:
        """A body that stops before the protocol's own end is `truncated`, wherever it stops.

        `EndDelta` is for the end marker alone; `finish_reason_ends` where there is none.
        """
        events = self.needs("text")
        for count in range(self.wire.complete_at + 1):
            before = b"".join(events[:count])
            for cut in (b"", events[count][: len(events[count]) // 2]):
                outcome = self._replay(before + cut)
                true(
                    isinstance(outcome.error, StreamTruncatedError),
                    f"cut in event {count} it ended with {outcome.error!r}, {outcome.stream.state}",
                )
                same(outcome.stream.content, self._content(events[:count]), "the content")

    @check("end.whole")
    def test_end_whole(self) -> None:
        """A body that stops behind the end is whole, whether usage came or not.

        What comes behind the end may be lost, and changes nothing of the answer.
        """
        at = self.wire.complete_at
        outcome = self._replay(b"".join(self.needs("text")[: at + 1]))
        same(outcome.whole.content, self.wire.content, "the content")

    @check("end.sentinel")
    def test_end_sentinel(self) -> None:
        """The end marker by itself is a whole answer only where the protocol says so.

        `done_sentinel_ends = False` where the marker ends the body and says nothing of the answer.
        """
        outcome = self._replay(self.needs("sentinel"))
        ended = outcome.error is None
        same(ended, self.wire.sentinel_ends, "whether the end marker alone ends an answer")

    @check("end.dropped")
    def test_end_dropped(self) -> None:
        """A connection that is reset is `StreamInterruptedError`, and what came stays.

        Let the transport's exception pass, or map it in `map_error`.
        """
        events = self.needs("text")
        for is_async in self.modes:
            for count in range(1, self.wire.complete_at + 1):
                # The pause lets the client read what a reset would throw away.
                outcome = self.ask(is_async, self.reply(*events[:count], Pause(0.03), Reset()))
                true(
                    isinstance(outcome.error, StreamInterruptedError),
                    f"reset behind event {count} it ended with {outcome.error!r}",
                )
                same(outcome.stream.content, self._content(events[:count]), "the content")

    @check("finish.unified")
    def test_finish_unified(self) -> None:
        """`finish_reason` is a word of `FINISH_REASONS`, and `stop` of an ordinary answer.

        `Provider.finish_reason` translates yours.
        """
        for _, outcome in self.answers(*self.needs("text")):
            reason = outcome.whole.finish_reason
            true(reason in FINISH_REASONS, f"the finish reason {reason!r} is in no list")
            same(reason, self.expect.get("finish_reason", "stop"), "the finish reason")
            true(outcome.stream.finish_reasons, "there is no finish reason in the server's word")
            raw = outcome.stream.finish_reasons[0]
            same(self.tested.finish_reason(raw), reason, f"Provider.finish_reason({raw!r})")
            same(self.tested.finish_reason("a-new-word"), "other", "that of an unknown word")
        for word, meant in self.wire.finish_words.items():
            same(self.tested.finish_reason(word), meant, f"Provider.finish_reason({word!r})")

    @check("error.event")
    def test_error_event(self) -> None:
        """A failure that the server tells inside the stream is `StreamProviderError`.

        `decode` returns an `ErrorDelta` for it (`failure_in` knows the usual shapes). A source of
        your own has the `request_id` that the response's headers name.
        """
        events, error = self.needs("text"), self.needs("error")
        at = self.wire.complete_at
        for way, outcome in self.answers(*events[:at], error):
            true(isinstance(outcome.error, StreamProviderError), f"{way}: {outcome.error!r}")
            same(getattr(outcome.error, "request_id", None), "req-7", "its request_id")
            same(outcome.stream.content, self._content(events[:at]), "the content before it")
            same(outcome.stream.state, StreamState.FAILED, "the state")

    # Closing

    @check("close.break")
    def test_close_break(self) -> None:
        """Leaving the loop closes the connection within a second.

        The source's `close` and `aclose` close the response; nothing else may refer to it.
        """
        events = self.needs("text")[: self.wire.complete_at]
        for is_async in self.modes:
            with held() as hold, self.serve(self.reply(*events, hold)) as server:
                connection = self.connection(server.url, KEY, is_async=is_async)
                began = time.monotonic()
                outcome = self.ask(is_async, connection=connection, read=lambda _: False)
                same(outcome.whole.state, StreamState.STOPPED, "the state")
                _left(server, began)

    @check("close.source")
    def test_close_source(self) -> None:
        """`close()` of a source that somebody still refers to closes its connection.

        Do not leave it to the garbage collector.
        """
        events = self.needs("text")[: self.wire.complete_at]
        with held() as hold, self.serve(self.reply(*events, hold)) as server:
            connection = self.connection(server.url, KEY, is_async=False)
            began = time.monotonic()
            stream = self.function(False, connection)().open()
            source = stream._lease.source
            iterator = iter(source)
            next(iterator)
            source.close()
            _left(server, began)
            stream.close()
            del iterator

    @check("close.context")
    def test_close_context(self) -> None:
        """The response lives as long as its source, whatever else is dropped.

        Some SDKs close it where their context manager is dropped: the source has to hold it.
        """
        events = self.needs("text")
        with held() as hold, self.serve(self.reply(events[0], hold, *events[1:])) as server:
            connection = self.connection(server.url, KEY, is_async=False)
            stream = self.function(False, connection)().open()
            gc.collect()
            release(hold)
            same(stream.collect().content, self.wire.content, "the content after a collection")

    @check("close.cancel")
    def test_close_cancel(self) -> None:
        """`cancel()` ends a read that waits, from another thread.

        The source's `abort` shuts the connection down, or makes the read return.
        """
        events = self.needs("text")[: self.wire.complete_at]
        for is_async in self.modes:
            streams: list[Any] = []
            with held() as hold, self.serve(self.reply(*events, hold)) as server:
                connection = self.connection(server.url, KEY, is_async=is_async)
                function = self.function(is_async, connection)
                began = time.monotonic()
                _cancelled(function, is_async, streams)
                true(time.monotonic() - began < 2.5, "the read went on for two seconds")
                same(streams[0].state, StreamState.CANCELLED, "the state")

    @check("timeout.idle")
    def test_timeout_idle(self) -> None:
        """A server that falls silent ends with `StreamTimeoutError`, within the deadline.

        Keep-alives are no progress: `decode` returns None for them.
        """
        events = self.needs("text")[: self.wire.complete_at]
        alive: tuple[Any, ...] = ()
        if self.wire.keep_alive:
            alive = tuple(s for _ in range(40) for s in (self.wire.keep_alive, Pause(0.05)))
        self._late(self.reply(*events, *alive, Pause(3)), {"idle": 0.4}, "idle")

    @check("timeout.first")
    def test_timeout_first(self) -> None:
        """A server that answers nothing ends with `StreamTimeoutError`.

        The timeouts of the client must not be shorter than those of the call.
        """
        with held() as hold:
            self._late([hold, Hangup()], {"first_chunk": 0.3}, "first_chunk")

    @check("timeout.total")
    def test_timeout_total(self) -> None:
        """A server that never comes to its end ends with `StreamTimeoutError`."""
        first = self.needs("text")[:1]
        endless = tuple(s for _ in range(100) for s in (*first, Pause(0.05)))
        self._late(self.reply(*endless), {"total": 0.5}, "total")

    def _late(self, reply: Any, timeout: dict[str, float], name: str) -> None:
        for is_async in self.modes:
            began = time.monotonic()
            outcome = self.ask(is_async, reply, timeout=timeout)
            true(time.monotonic() - began < 2.5, "the deadline was not kept")
            same(getattr(outcome.error, "deadline", outcome.error), name, "the deadline")

    @check("request.refused")
    def test_request_refused(self) -> None:
        """What the provider can't do is refused by a `UsageError` before anything is sent.

        In `prepare`, with your own sentence: content that your API has no form for is never left
        out silently.
        """
        odd = [{"role": "user", "content": [{"type": "hologram", "hologram": {"x": 1}}]}]
        for is_async in self.modes:
            with self.serve(self.reply(*self.needs("text"))) as server:
                connection = self.connection(server.url, KEY, is_async=is_async)
                outcome = self.ask(is_async, connection=connection, result=odd)
                if outcome.error is None:
                    sent = server.requests[0].body
                    true(b"hologram" in sent, "a part of a message was left out without a word")
                else:
                    true(isinstance(outcome.error, UsageError), f"it raised {outcome.error!r}")


def _accent(text: str) -> str:
    return text.translate({ord("o"): "ö", ord("e"): "é"})


def _left(server: Server, began: float) -> None:
    """Check that the client closes the server's connection now, and did not wait for its end."""
    true(time.monotonic() - began < 2.5, "it waited for the end of the answer")
    server.wait_closed(0, 1.0)


def _cancelled(function: Any, is_async: bool, streams: list[Any]) -> None:
    """Read a stream in this thread, and cancel it from another one."""

    def later() -> None:
        for _ in range(200):
            time.sleep(0.01)
            if streams and streams[0].event_count:
                break
        streams[0].cancel()

    thread = threading.Thread(target=later)

    async def read() -> None:
        streams.append(await function())
        thread.start()
        async for _ in streams[0]:
            pass

    if is_async:
        asyncio.run(read())
    else:
        streams.append(function())
        thread.start()
        for _ in streams[0]:
            pass
    thread.join(5)
