"""The reader of a response: pieces in, chunks and tools out. Knows no I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeAlias, cast

from pydantic_core import from_json
from typing_extensions import TypeVar

from .._errors import (
    StreamDecodeError,
    StreamError,
    StreamProviderError,
    StreamTruncatedError,
    describe,
)
from .._interruptions import interruption
from .._provider._accumulate import Accumulator
from .._provider._decoder import Decoder
from .._provider._deltas import (
    Delta,
    ErrorDelta,
    FinishDelta,
    MetaDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    UsageDelta,
)
from .._provider._faults import returned, wrong_deltas
from .._provider._halves import Halves, whole_value
from .._provider._provider import Provider
from .._tools._base_tool import BaseTool, ToolCall
from .._tools._toolset import Toolset
from .._transport._bounds import MAX_STREAM_BYTES, json_size, too_large
from .._transport._source import AsyncSource, Piece, Source
from .._types import JSONObject
from ..wire import STRAY, Event, Framer, SSEFramer
from ._call_response_chunk import (
    BaseCallResponseChunk,
    Unbuilt,
    is_made_plainly,
    repeated_chunk,
)
from ._framing import CheckedFramer
from ._parsing import EventParser
from ._partial_tools import PartialTools
from ._repeats import Repeats

ChunkT = TypeVar("ChunkT", bound=BaseCallResponseChunk[Any], default=BaseCallResponseChunk[Any])
Item: TypeAlias = tuple[ChunkT, BaseTool | None]

_SAID = (TextDelta, ThinkingDelta, RefusalDelta)
_TRAILING = (UsageDelta, MetaDelta, FinishDelta)


class ResponseReader(Generic[ChunkT]):
    """Reads one response.

    Args:
        framer: cuts the body into events.
        decoder: turns them into deltas.
        chunk_class: what a chunk is.
        toolset: the tools that the model may have called.
        provider: whose chunks they are, or None.
        hide: takes credentials out of what errors show of the response.
        max_bytes: how large the body may be; of objects of an SDK, their JSON counts.
        partial_tools: whether tools are shown while their arguments arrive.

    Attributes:
        answer: everything that has arrived.
        done: True once nothing more is to be read: the protocol's end came, or `failure` is set.
        failure: why the response can't be read on; it is raised after the items before it.
        events: how many events had data (the end marker is not counted).
        chunks: how many chunks were made.
        tools: the tools that were yielded.
        trailing: True after the provider's error event; from then on only usage, metadata and
            finish reasons are read.

    `done`, `failure` and `trailing` combine so: without `done`, the response goes on; with `done`
    alone, it has ended as its protocol wants; with `failure` too, it broke; with `trailing` as
    well, it broke by an error event of the provider's, behind which usage may still come.
    """

    __slots__ = (
        "_checked",
        "_chunk_class",
        "_decode",
        "_decoder",
        "_done_sentinel",
        "_framer",
        "_halves",
        "_is_quick",
        "_last",
        "_learner",
        "_left",
        "_max_bytes",
        "_parser",
        "_partials",
        "_provider",
        "_repeats",
        "_sse",
        "_stray",
        "_toolset",
        "_unbuilt",
        "answer",
        "chunks",
        "done",
        "events",
        "failure",
        "tools",
        "trailing",
    )

    def __init__(
        self,
        framer: Framer,
        decoder: Decoder,
        chunk_class: type[ChunkT],
        toolset: Toolset,
        provider: Provider | None = None,
        hide: Callable[[str], str] = str,
        max_bytes: int = MAX_STREAM_BYTES,
        *,
        partial_tools: bool = False,
    ) -> None:
        self._framed_by(framer, provider)
        self._decoder = decoder
        self._decode = decoder.decode
        self._done_sentinel = decoder.done_sentinel
        # JSON is parsed with no call in between: this is the hot path.
        is_json = type(decoder).parse is Decoder.parse
        self._parser = EventParser(from_json if is_json else decoder.parse, hide)
        self._chunk_class = chunk_class
        self._toolset = toolset
        self._provider = provider
        self._stray = b""
        # Joins what was cut inside a character; there is none as long as JSON was parsed strictly.
        self._halves: Halves | None = None if is_json else Halves()
        self._is_quick = is_json and not partial_tools
        can_repeat = self._is_quick and is_made_plainly(chunk_class)
        self._learner = Repeats.of(decoder) if can_repeat else None
        self._repeats: Repeats | None = None
        self._max_bytes = self._left = max_bytes
        self._last: ChunkT | None = None
        self._unbuilt: Unbuilt | None = None
        self.answer = Accumulator()
        self.done = False
        self.failure: StreamError | None = None
        self.trailing = False
        self.events = 0
        self.chunks = 0
        self.tools: list[BaseTool] = []
        self._partials = PartialTools(toolset, self.answer) if partial_tools else None

    def _framed_by(self, framer: Framer, provider: Provider | None) -> None:
        # A framer of core's own keeps its word: this is the hot path.
        is_own = type(framer).__module__.startswith("mirascope.core.")
        checked = None if is_own or provider is None else CheckedFramer(framer, provider)
        self._checked = checked
        self._framer = checked or framer
        # Of a framer that is somebody else's only `feed` and `end` are known.
        self._sse: SSEFramer | None = framer if type(framer) is SSEFramer else None

    def opened(self, source: Source | AsyncSource) -> None:
        """The response has begun: it may know how the objects of its chunks are made."""
        make = getattr(source, "chunk_object", None)
        self._unbuilt = None if make is None else Unbuilt(make)

    def feed(self, piece: Piece) -> Iterable[Item[ChunkT]]:
        """Take the next piece and return the chunks that it completes, to be iterated at once.

        Each event is decoded when its turn comes: what the answer holds is never ahead of the
        chunks that were seen, however many events one read brought.

        An event is framed first. Where it is alone in its read, as most are, and the framer is
        core's own of server-sent events, its lines need not be looked at; what is found to repeat
        the last event but for its text is not even framed. Several in one read wait in `_each`.

        Then `_take` reads it: a repeat is neither parsed nor decoded (`Repeats`; half of the time
        of a stream of text), whatever framed it. `_event` takes the time to look at everything
        that is not plainly a JSON object.
        """
        sse = self._sse
        if sse is not None and isinstance(piece, bytes) and len(piece) <= self._left:
            repeats = self._repeats
            if repeats is not None and sse.is_between and len(piece) <= sse.max_event_bytes:
                text = repeats.text_of(piece)
                if text is not None:
                    self._left -= len(piece)
                    before, behind = repeats.framed
                    return self._repeat(repeats, text, piece[len(before) : -len(behind)])
            event = sse.whole_event(piece)
            if event is not None:
                self._left -= len(piece)
                return self._take(*event)
        if not isinstance(piece, bytes):
            if type(piece) is not tuple or len(piece) != 2:
                self._fail(self._fault("open", piece, "a source of bytes"))
                return ()
            return self._sdk_object(*piece)
        over = len(piece) > self._left
        if over:
            # What the bound lets through is read like any other piece, the end included.
            piece = piece[: self._left]
        self._left -= len(piece)
        try:
            events = self._framer.feed(piece)
            if self._checked is not None and self._checked.successor is not None:
                self._framed_by(self._checked.successor, self._provider)
        except Exception as error:
            self._unframed(error)
            return ()
        if len(events) == 1 and not over:
            return self._take(*events[0])
        return self._each(events, over)

    def _each(self, events: list[Event], over: bool) -> Iterator[Item[ChunkT]]:
        for name, data in events:
            yield from self._take(name, data)
            if self.done and not self.trailing:
                return
        if over:
            self._fail(too_large(self._max_bytes))

    def _sdk_object(self, obj: Any, view: JSONObject) -> Sequence[Item[ChunkT]]:
        items: list[Item[ChunkT]] = []
        self._left -= json_size(view)
        if self._left < 0:
            self._fail(too_large(self._max_bytes))
            return items
        self.events += 1
        # The SDK parsed it, as leniently as it likes.
        self._join_halves()
        self._object(view, None, None, obj, items)
        return items

    def end(self) -> Iterator[Item[ChunkT]]:
        """Take note that the body has ended and yield the chunks that this completes."""
        items: list[Item[ChunkT]] = []
        try:
            events = self._framer.end()
        except Exception as error:
            self._unframed(error)
            return
        for event in events:
            if self.done and not self.trailing:
                break
            if not self._is_cut(event):
                self._event(*event, items)
        # A body that was cut may have cut a call's arguments: only a complete one closes its calls.
        if not self.done and self.complete:
            self._yield_calls(items)
        yield from items

    def take_rest(self, piece: Piece | None) -> None:
        """Take a piece that came after the end, where it may still matter; None: the body ended."""
        rest: Iterable[Item[ChunkT]]
        if piece is None:
            rest = self.end()
        elif self.trailing:
            rest = self.feed(piece)
        else:
            return
        # Nobody sees these chunks; but several in one read are decoded as they are iterated.
        for _ in rest:
            pass

    @property
    def complete(self) -> bool:
        """Whether the protocol's own end was seen."""
        answer = self.answer
        if self.failure is not None:
            return False
        return answer.ended or (self._decoder.finish_reason_ends and answer.finished)

    def ending_error(self) -> StreamError | None:
        """Return why a body that ended here is not a complete response, or None."""
        if self.failure is not None:
            return self.failure
        if self.complete:
            return None
        if not self.events and self._stray:
            shown = self._parser.shown(self._stray)
            return StreamDecodeError(f"the response is not an event stream: {shown}")
        if not self.events:
            return StreamTruncatedError("the response is empty")
        return StreamTruncatedError(
            "the response ended before its protocol's end marker or finish reason"
        )

    def _take(self, name: str | None, data: bytes) -> Sequence[Item[ChunkT]]:
        """Read one event.

        What does not repeat the last event is read here where it is a JSON object which makes a
        chunk and nothing more, as long as nothing has failed and nothing was cut inside a
        character. This does what `_event` does, with no call between the parser, the decoder, the
        answer and the chunk.
        """
        repeats = self._repeats
        if repeats is not None:
            text = repeats.text_of_event(name, data)
            if text is not None:
                return self._repeat(repeats, text, data)
            # Whatever else an event says may change what the next text means.
            self._repeats = None
        items: list[Item[ChunkT]] = []
        # Looked at and not tried: what fails to parse goes to `_event`, which asks for more.
        if not self._is_quick or name == STRAY or data[:1] != b"{":
            self._event(name, data, items)
            return items
        try:
            parsed: Any = from_json(data)
        except Exception as error:
            if interruption(error) is not None:
                raise
            self._event(name, data, items)
            return items
        self.events += 1
        answer = self.answer
        deltas: Sequence[Delta] | None = None
        try:
            deltas = self._decode(parsed, name)
            if deltas is None:
                return items
            calls = answer.add(deltas)
            if calls or answer.error is not None:
                self._tell(calls, deltas, parsed, data, self._unbuilt, items)
                return items
            chunk = self._last = self._chunk_class(
                deltas, parsed, data, self._unbuilt, self._provider
            )
            self.chunks += 1
            if answer.ended:
                self.done = True
            elif self._learner is not None:
                blank_line = b"\n\n" if self._sse is None else self._sse.blank_line
                self._repeats = self._learner.learn(name, data, deltas, answer, blank_line)
        except Exception as error:
            self._undecoded(deltas, data, error)
            return items
        return ((chunk, None),)

    def _repeat(self, repeats: Repeats, text: str, data: bytes) -> Sequence[Item[ChunkT]]:
        """Make the chunk of an event that was found to be the last one with another text."""
        self.events += 1
        block = repeats.block
        try:
            if repeats.told is not None:
                repeats.told(text)
        except Exception as error:
            self._undecoded(repeats.deltas, data, error)
            return ()
        block.append(text)
        usage = repeats.usage
        if usage is not None:
            self.answer.usage = usage
        content = text if block.kind == "text" else ""
        repeated = repeats.deltas, text, usage
        chunk = self._last = repeated_chunk(
            self._chunk_class, repeated, content, data, self._unbuilt, self._provider
        )
        self.chunks += 1
        return ((chunk, None),)

    def _event(self, name: str | None, data: bytes, items: list[Item[ChunkT]]) -> None:
        if name == STRAY:
            self._take_stray(data, items)
        elif self._is_sentinel(data):
            self._take_sentinel(items)
        else:
            read = self._parser.read(name, data)
            if not self._parser.is_strict:
                self._join_halves()
            if read is None:
                return
            self.events += 1
            if isinstance(read, ErrorDelta):
                self._provider_failed(read)
            elif isinstance(read, StreamError):
                self._fail(read)
            else:
                self._object(read, name, data, self._unbuilt, items)

    def _is_sentinel(self, data: bytes) -> bool:
        return self._done_sentinel is not None and data.startswith(self._done_sentinel)

    def _take_sentinel(self, items: list[Item[ChunkT]]) -> None:
        self.done = True
        self.trailing = False
        # OpenRouter sends [DONE] behind an error event as well: there it completes nothing.
        if self._decoder.done_sentinel_ends and self.failure is None:
            self.answer.ended = True
            self._yield_calls(items)

    def _object(
        self,
        data: JSONObject,
        name: str | None,
        raw: bytes | None,
        obj: Any,
        items: list[Item[ChunkT]],
    ) -> None:
        deltas: Sequence[Delta] | None = None
        try:
            deltas = self._decoder.decode(data, name)
            if deltas is not None:
                self._take_deltas(deltas, data, raw, obj, items)
        except Exception as error:
            shown = raw if raw is not None else json.dumps(data, default=str).encode()
            self._undecoded(deltas, shown, error)

    def _undecoded(self, deltas: Sequence[Delta] | None, shown: bytes, error: Exception) -> None:
        """Fail where an event could not be decoded, or its deltas not be taken in."""
        wrong = None
        if deltas is not None and self._provider is not None and interruption(error) is None:
            wrong = wrong_deltas(self._provider, self._decoder, deltas)
        if wrong is not None:
            self._fail(wrong, error)
        else:
            self._unreadable(shown, error)

    def _take_deltas(
        self,
        deltas: Sequence[Delta],
        data: JSONObject,
        raw: bytes | None,
        obj: Any,
        items: list[Item[ChunkT]],
    ) -> None:
        answer = self.answer
        if self._halves is not None:
            deltas = self._halves.join(deltas)
            whole = whole_value(data)
            if whole != data:
                data, raw = whole, None
        if self.failure is not None:
            answer.add(delta for delta in deltas if isinstance(delta, _TRAILING))
            return
        self._tell(answer.add(deltas), deltas, data, raw, obj, items)

    def _tell(
        self,
        calls: list[ToolCall] | None,
        deltas: Sequence[Delta],
        data: JSONObject,
        raw: bytes | None,
        obj: Any,
        items: list[Item[ChunkT]],
    ) -> None:
        """Make what the loop gets of an event that the answer has taken in."""
        answer = self.answer
        if answer.error is not None:
            if any(isinstance(delta, _SAID) for delta in deltas):
                # What came besides the failure counts.
                items.append((self._chunk_class(deltas, data, raw, obj, self._provider), None))
                self.chunks += 1
            self._provider_failed(answer.error)
            return
        chunk = self._last = self._chunk_class(deltas, data, raw, obj, self._provider)
        self.chunks += 1
        if self._partials is not None:
            for partial in self._partials.of(deltas, calls or ()):
                items.append((chunk, partial))
                chunk = chunk.without_deltas()
        if not calls:
            if chunk is self._last:
                items.append((chunk, None))
        else:
            for call in calls:
                tool = self._toolset.resolve(call)
                self.tools.append(tool)
                items.append((chunk, tool))
                chunk = chunk.without_deltas()
        if answer.ended:
            self.done = True

    def _provider_failed(self, error: ErrorDelta) -> None:
        self._fail(
            StreamProviderError(
                error.message,
                type=error.type,
                code=error.code,
                status=error.status,
            )
        )
        self.trailing = True

    def _yield_calls(self, items: list[Item[ChunkT]]) -> None:
        """Yield what no event closed, now that the response is known to be complete."""
        if self._halves is not None and (deltas := self._halves.end()):
            self.answer.add(deltas)
            data = self._last.data if self._last is not None else {}
            items.append((self._chunk_class(deltas, data, provider=self._provider), None))
        for call in self.answer.end_calls():
            last = self._last
            if last is None:
                chunk = self._chunk_class((), {}, provider=self._provider)
            else:
                chunk = last.without_deltas()
            if self._partials is not None:
                items += ((chunk, partial) for partial in self._partials.of((), [call]))
            tool = self._toolset.resolve(call)
            self.tools.append(tool)
            items.append((chunk, tool))

    def _take_stray(self, text: bytes, items: list[Item[ChunkT]]) -> None:
        self._stray = self._stray or text
        try:
            parsed = from_json(text)
        except ValueError:
            return
        if isinstance(parsed, dict):
            data = cast("JSONObject", parsed)
            try:
                deltas = self._decoder.decode_stray(data)
                if deltas is not None:
                    self._take_deltas(deltas, data, text, self._unbuilt, items)
            except Exception as error:
                self._unreadable(text, error)

    def _is_cut(self, event: Event) -> bool:
        """Whether an event that only the body's end closed was cut in the middle.

        Then the body is truncated, which is the error to raise, rather than one of bad data.
        """
        name, data = event
        return name != STRAY and not self._is_sentinel(data) and not self._parser.can_parse(data)

    def _unreadable(self, raw: bytes, error: Exception) -> None:
        """A shape that no decoder has met must end as one of our errors, with what came before."""
        if interruption(error) is not None:
            raise error
        self._fail(self._parser.unreadable(raw, error))

    def _unframed(self, error: Exception) -> None:
        """End the response for what the framer did."""
        if interruption(error) is not None:
            raise error
        if isinstance(error, StreamError):
            self._fail(error)
        else:
            self._fail(StreamDecodeError(str(error) or describe(error)), error)

    def _fault(self, method: str, value: object, expected: str) -> StreamError:
        if self._provider is None:
            return StreamDecodeError(f"a piece of the body is a {type(value).__name__!r}")
        return returned(self._provider, method, value, expected)

    def _fail(self, error: StreamError, cause: Exception | None = None) -> None:
        self.done = True
        # Nothing behind bytes that can't be read is to be trusted, not even behind an error event.
        self.trailing = False
        self._end_quick_way()
        # The first failure is the reason; what follows it is its consequence.
        if self.failure is None:
            error.__cause__ = cause or error.__cause__
            self.failure = error

    def _join_halves(self) -> None:
        """From here on, what was cut inside a character is joined."""
        self._halves = self._halves or Halves()
        self._end_quick_way()

    def _end_quick_way(self) -> None:
        """From here on, everything is `_event`'s."""
        self._is_quick = False
        self._repeats = self._learner = None
