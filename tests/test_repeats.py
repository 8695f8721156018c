"""Events that repeat the one before are read without their JSON, and mean what they mean with it.

Every stream here is read twice: as it is, and by a decoder whose class has promised nothing about
its events, so that each of them is parsed and decoded.
"""

from __future__ import annotations

import copy
import json
import pickle
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mirascope.core import BaseCallResponseChunk, Decoder, Delta, JSONObject, TextDelta, UsageDelta
from mirascope.core._provider._provider import Provider
from mirascope.core._response._reader import ResponseReader
from mirascope.core._tools._toolset import Toolset
from mirascope.core.plugins import load_provider
from mirascope.core.wire import Event, Framer, LineFramer, SSEFramer


@dataclass
class Body:
    """Writes the events of a protocol, as its servers do and as nobody should.

    Attributes:
        spaces: whether the JSON has spaces, as Python writes it.
        padded: whether there is padding.
        ascii: whether other characters are escaped.
        ordered: whether keys are in the order of the alphabet.
    """

    spaces: bool
    padded: bool
    ascii: bool
    ordered: bool
    random: random.Random
    number: int = field(default=-1)

    def dumps(self, data: JSONObject) -> bytes:
        separators = None if self.spaces else (",", ":")
        text = json.dumps(
            data, separators=separators, ensure_ascii=self.ascii, sort_keys=self.ordered
        )
        return text.encode("utf-8", "surrogatepass")

    def padding(self) -> dict[str, str]:
        return {"obfuscation": "aB3dE6"[: self.random.randrange(7)]} if self.padded else {}

    def chat(self, kind: str, text: str) -> bytes:
        deltas: dict[str, JSONObject] = {
            "text": {"content": text},
            "first": {"role": "assistant", "content": text},
            "thinking": {"reasoning_content": text, "content": None},
            "other thinking": {"reasoning": text},
            "both": {"reasoning": text, "reasoning_content": text},
            "refusal": {"refusal": text},
            "call": {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]},
            "arguments": {"tool_calls": [{"index": 0, "function": {"arguments": text}}]},
        }
        reason = "stop" if kind == "finish" else None
        choice: JSONObject = {"index": int(kind == "index"), "finish_reason": reason}
        choice["delta"] = deltas.get(kind, {"content": text} if kind == "index" else {})
        whole: JSONObject = {"id": "c", "model": "m", "choices": [choice], **self.padding()}
        if kind == "usage":
            whole["usage"] = {"prompt_tokens": 1, "completion_tokens": len(text)}
        return b"data: %b\n\n" % self.dumps(whole)

    def responses(self, kind: str, text: str) -> bytes:
        self.number += 1
        item = {"id": "i1", "type": "message", "content": [{"type": "output_text", "text": text}]}
        call = {"id": "f", "type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
        place = {"item_id": "i2" if kind == "index" else "i1", "output_index": kind == "index"}
        kinds: dict[str, tuple[str, JSONObject]] = {
            "thinking": ("response.reasoning_text.delta", {"item_id": "r", "delta": text}),
            "other thinking": ("response.reasoning_summary_text.delta", {"delta": text}),
            "refusal": ("response.refusal.delta", {"delta": text}),
            "call": ("response.output_item.added", {"item": call, "output_index": 2}),
            "arguments": (
                "response.function_call_arguments.delta",
                {"item_id": "f", "delta": text},
            ),
            "both": ("response.output_text.done", {**place, "text": text}),
            "first": ("response.output_item.added", {**place, "item": item}),
            "usage": ("response.in_progress", {"response": {"id": "x", "model": "m"}}),
            "finish": ("response.output_item.done", {**place, "item": item}),
        }
        said: JSONObject = {**place, "delta": text, "logprobs": []}
        name, fields = kinds.get(kind, ("response.output_text.delta", said))
        data = {"type": name, "sequence_number": self.number, **fields, **self.padding()}
        return b"event: %b\ndata: %b\n\n" % (name.encode(), self.dumps(data))

    def messages(self, kind: str, text: str) -> bytes:
        index = int(kind in ("index", "thinking", "other thinking"))
        delta: JSONObject = {"type": "text_delta", "text": text}
        if index:
            delta = {"type": "thinking_delta", "thinking": text}
        if kind == "both":
            delta = {"type": "text_delta", "text": text, "thinking": text}
        if kind == "arguments":
            index, delta = 2, {"type": "input_json_delta", "partial_json": text}
        kinds: dict[str, tuple[str, JSONObject]] = {
            "usage": ("message_delta", {"delta": {}, "usage": {"output_tokens": 3}}),
            "refusal": ("ping", {}),
            "call": (
                "content_block_start",
                {"index": 2, "content_block": {"type": "tool_use", "id": "a", "name": "f"}},
            ),
            "finish": ("content_block_stop", {"index": 0}),
            "first": (
                "content_block_start",
                {"index": 0, "content_block": {"type": "text", "text": ""}},
            ),
        }
        said: JSONObject = {"index": index, "delta": delta}
        name, fields = kinds.get(kind, ("content_block_delta", said))
        data = self.dumps({"type": name, **fields})
        if self.padded:
            data = data[:-1] + b" " * self.random.randrange(9) + data[-1:]
        return b"event: %b\ndata: %b\n\n" % (name.encode(), data)

    def generate(self, kind: str, text: str) -> bytes:
        self.number += 1
        part: JSONObject = {"text": text}
        parts: dict[str, JSONObject] = {
            "thinking": {**part, "thought": True},
            "other thinking": {"thought": True, **part},
            "both": {**part, "thoughtSignature": text},
            "call": {"functionCall": {"name": "f", "willContinue": True}},
            "arguments": {"functionCall": {"name": "g"}},
        }
        said = [parts.get(kind, part), *([part] if kind == "first" else ())]
        candidate: JSONObject = {"content": {"parts": said, "role": "model"}}
        candidate["index"] = int(kind == "index")
        if kind == "finish":
            candidate["finishReason"] = "STOP"
        if kind == "refusal":
            candidate["citationMetadata"] = {"citations": [{"title": text, "usageMetadata": {}}]}
        usage: JSONObject = {"promptTokenCount": 2, "candidatesTokenCount": self.number}
        if kind == "usage":
            usage = {"promptTokenCount": text, "details": [{"text": 1}, {"usageMetadata": usage}]}
        elif not self.padded:
            usage["details"] = [{"modality": "TEXT", "tokenCount": 2}]
        whole: JSONObject = {"candidates": [candidate], "modelVersion": "m", "responseId": "r"}
        counts = {"usageMetadata": usage} if self.random.random() < 0.9 else {}
        whole = {**counts, **whole} if self.spaces else {**whole, **counts}
        blank = b"\r\n\r\n" if self.padded else b"\n\n"
        return b"data: %b%b" % (self.dumps(whole), blank)


WRITERS: dict[str, tuple[str, str | None, Callable[[Body, str, str], bytes]]] = {
    "openai": ("openai", "chat", Body.chat),
    "compatible": ("compatible", None, Body.chat),
    "responses": ("openai", "responses", Body.responses),
    "anthropic": ("anthropic", None, Body.messages),
    "google": ("google", None, Body.generate),
}
KINDS = (
    *("first", "thinking", "other thinking", "both", "refusal"),
    *("call", "arguments", "usage", "finish"),
)
TEXTS = st.sampled_from(
    ["a", " word", "", '"', "\\", "\n", "é", "\u2028", "😀", "\ud83d", "}", '"}', "data: x", "0"]
) | st.text(max_size=4)
EVENTS = st.sampled_from(["text", "thinking", "arguments"]).flatmap(
    lambda kind: st.lists(
        st.tuples(st.sampled_from((kind,) * 9 + ("text", "index", *KINDS)), TEXTS), max_size=14
    )
)
DAMAGE = st.lists(
    st.tuples(
        st.integers(0, 4000),
        st.sampled_from(
            [
                *(b"", b'"', b"0", b"12a", b"01", b"\\", b"\n", b"\r", b"\xff", b" ", b"}", b"{"),
                *(b'"content":"x",', b'"delta":"x",', b'"text":"x",', b"\t", b"-", b"\x00"),
                *(b'"usageMetadata":{},', b'"usageMetadata":1,', b"[", b"]", b"1e5", b"null"),
            ]
        ),
        st.integers(0, 2),
    ),
    max_size=2,
)


def read(
    provider: Provider, decoder: Decoder, framer: Framer, reads: Sequence[bytes]
) -> tuple[Any, ...]:
    """Return all that can be seen of a response that comes in these reads."""
    chunk_class: Any = provider.stream_class.chunk_class
    reader: ResponseReader[Any] = ResponseReader(
        framer, decoder, chunk_class, Toolset([]), provider
    )
    seen: list[Any] = []
    for piece in reads:
        for chunk, tool in reader.feed(piece):
            content, answer = chunk.content, reader.answer.text
            seen.append(
                (content, chunk.thinking, list(chunk.deltas), chunk.data, answer, str(tool))
            )
        if reader.done:
            break
    seen += [(list(chunk.deltas), chunk.data, str(tool)) for chunk, tool in reader.end()]
    blocks = [
        (block.kind, block.key, block.text, block.fields, block.call)
        for block in reader.answer.blocks
    ]
    answer = reader.answer
    ending = (answer.usage, answer.id, answer.finish_reason, answer.ended, answer.choices.keys())
    counts = (reader.events, reader.chunks, reader.done, str(reader.failure))
    return seen, blocks, ending, counts, reader.complete, str(reader.ending_error())


def unpromised(decoder: Decoder) -> Decoder:
    """The same decoder, of a class that only inherits the promise."""
    return type("Unpromised", (type(decoder),), {})()


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    events=EVENTS,
    damage=DAMAGE,
    seed=st.integers(0, 999),
    size=st.sampled_from([None, None, 0, 7, 150, 100_000]),
    spaces=st.booleans(),
    padded=st.booleans(),
    is_ascii=st.booleans(),
    ordered=st.booleans(),
)
def test_with_and_without(
    name: str,
    events: list[tuple[str, str]],
    damage: list[tuple[int, bytes, int]],
    seed: int,
    size: int | None,
    spaces: bool,
    padded: bool,
    is_ascii: bool,
    ordered: bool,
) -> None:
    provider_name, api, write = WRITERS[name]
    provider = load_provider(provider_name, api)
    body = Body(spaces, padded, is_ascii, ordered, random.Random(seed))
    reads = [write(body, kind, text) for kind, text in [("text", "a"), ("call", ""), *events]]
    for place, replacement, removed in damage:
        number = place % len(reads)
        at = place // len(reads) % (len(reads[number]) + 1)
        reads[number] = reads[number][:at] + replacement + reads[number][at + removed :]
    if size is not None:
        whole = b"".join(reads)
        step = size or 1 + seed
        reads = [whole[at : at + step] for at in range(0, len(whole), step)]
    # The first byte of a body may be one of a byte order mark.
    reads = [b": begin\n\n", *reads]
    with_it = read(provider, provider.decoder(), provider.framer(), reads)
    without = read(provider, unpromised(provider.decoder()), provider.framer(), reads)
    assert with_it == without


class Echo(Decoder):
    """A protocol that is nobody's, which notes what it decodes and is told."""

    text_fields: ClassVar[tuple[str, ...]] = ("say",)

    def __init__(self) -> None:
        self.decoded: list[str] = []
        self.told: list[str] = []

    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
        self.decoded.append(data["say"])
        return [TextDelta(data["say"])]

    def on_repeat(self, delta: Delta) -> Callable[[str], object] | None:
        return self.told.append

    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        return []


class Counting(Echo):
    """The same with the usage so far in every event."""

    text_fields: ClassVar[tuple[str, ...]] = ("say",)
    usage_field: ClassVar[str | None] = "count"

    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
        return [*(super().decode(data) or ()), UsageDelta(data["count"], whole=True)]


def echo(
    decoder: Echo,
    chunk_class: type[BaseCallResponseChunk[Any]] = BaseCallResponseChunk,
    framer: Framer | None = None,
    event: str = 'data: {"say":"%s"}\n\n',
    count: int = 4,
) -> list[BaseCallResponseChunk[Any]]:
    reader = ResponseReader(framer or SSEFramer(), decoder, chunk_class, Toolset([]))
    reads = [b": begin\n\n", *((event % number).encode() for number in range(count))]
    return [chunk for piece in reads for chunk, _ in reader.feed(piece)]


def texts(chunks: Sequence[BaseCallResponseChunk[Any]]) -> list[str]:
    return [chunk.content for chunk in chunks]


def test_a_decoder_is_told_of_what_it_is_not_given() -> None:
    decoder = Echo()
    assert texts(echo(decoder)) == ["0", "1", "2", "3"]
    assert (decoder.decoded, decoder.told) == (["0"], ["1", "2", "3"])


@pytest.mark.parametrize(
    "event", ['data: {"say":"%s"}\r\n\r\n', 'event: \U0001f600\ndata: {"say": "%s"}\n\n']
)
def test_other_forms_of_an_event_repeat_too(event: str) -> None:
    decoder = Echo()
    assert texts(echo(decoder, event=event)) == ["0", "1", "2", "3"]
    assert decoder.decoded == ["0"]


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n"])
@pytest.mark.parametrize(
    "form", ['{"say":"a","count":{"n":%s}}', '{"count": {"n": %s}, "say": "a"}']
)
def test_usage_may_differ_where_every_event_has_it(form: str, end: str) -> None:
    decoder = Counting()
    chunks = echo(decoder, event=f"data: {form}{end}")
    assert decoder.decoded == ["a"]
    assert [chunk.usage for chunk in chunks] == [{"n": number} for number in range(4)]
    assert chunks[2].deltas == [TextDelta("a"), UsageDelta({"n": 2}, whole=True)]


@pytest.mark.parametrize(
    "usage", [b"{}", b"[]", b"1", b"", b'{"n":01}', b'{"n":1},"count":{"n":2}']
)
def test_what_is_no_usage_is_read_as_any_event(usage: bytes) -> None:
    reads = [b": begin\n\n"]
    reads += [b'data: {"say":"a","count":%b}\n\n' % of for of in (b'{"n":1}', usage, b'{"n":3}')]
    provider = load_provider("compatible")
    with_it = read(provider, Counting(), SSEFramer(), reads)
    assert with_it == read(provider, unpromised(Counting()), SSEFramer(), reads)


def test_another_framing_repeats_too() -> None:
    decoder = Echo()
    assert texts(echo(decoder, framer=LineFramer(), event='{"say":"%s"}\n')) == [*"0123"]
    assert decoder.decoded == ["0"]


def test_a_subclass_has_promised_nothing() -> None:
    class Other(Echo):
        def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
            super().decode(data)
            return [TextDelta(data["say"] + "!")]

    class Same(Echo):
        text_fields = Echo.text_fields

    other, same = Other(), Same()
    assert texts(echo(other)) == ["0!", "1!", "2!", "3!"]
    assert texts(echo(same)) == ["0", "1", "2", "3"]
    assert (other.decoded, same.decoded) == ([*"0123"], ["0"])


def test_a_chunk_class_with_a_constructor_keeps_it() -> None:
    class Loud(BaseCallResponseChunk[Any]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.content = self.content + "!"

    class Counted(BaseCallResponseChunk[Any]):
        made: ClassVar[int] = 0

        def __new__(cls, *_: Any, **__: Any) -> Any:
            cls.made += 1
            return super().__new__(cls)

    assert texts(echo(Echo(), Loud)) == ["0!", "1!", "2!", "3!"]
    assert texts(echo(Echo(), Counted)) == ["0", "1", "2", "3"]
    assert Counted.made == 4


def test_a_framer_of_somebody_elses_frames() -> None:
    class Shouting(SSEFramer):
        def feed(self, piece: bytes, /) -> list[Event]:
            return [
                (name, data.upper().replace(b"SAY", b"say")) for name, data in super().feed(piece)
            ]

    assert texts(echo(Echo(), framer=Shouting(), event='data: {"say":"a%s"}\n\n')) == [
        *("A0", "A1", "A2", "A3")
    ]


def test_an_event_larger_than_the_bound_is_refused() -> None:
    decoder = Echo()
    framer = SSEFramer(40)
    reader: ResponseReader[Any] = ResponseReader(
        framer, decoder, BaseCallResponseChunk, Toolset([])
    )
    for text in ("", "a", "b", "c" * 50):
        list(reader.feed(b'data: {"say":"%b"}\n\n' % text.encode()))
    assert decoder.told == ["b"]
    assert "larger" in str(reader.failure)


def test_where_no_event_is_like_the_one_before_all_are_decoded() -> None:
    decoder = Echo()
    reader: ResponseReader[Any] = ResponseReader(
        SSEFramer(), decoder, BaseCallResponseChunk, Toolset([])
    )
    for number in range(30):
        list(reader.feed(b'data: {"at":%d,"say":"a"}\n\n' % number))
    assert len(decoder.decoded) == 30


def test_the_chunk_of_a_repeated_event_is_like_any_other() -> None:
    chunk = echo(Echo())[2]
    for same in (chunk, copy.copy(chunk), copy.deepcopy(chunk), pickle.loads(pickle.dumps(chunk))):
        assert (same.content, str(same), same.thinking, same.usage) == ("2", "2", None, None)
        assert list(same.deltas) == [TextDelta("2")]
        assert same.data == same.chunk == {"say": "2"}
    rest = chunk.without_deltas()
    assert (rest.content, list(rest.deltas), rest.data) == ("", [], {"say": "2"})
    chunk.data, chunk.deltas = {}, ()
    assert (chunk.data, chunk.deltas) == ({}, ())
