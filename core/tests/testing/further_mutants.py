"""More mutants of the sound provider, of other mistakes, and the check that finds each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mirascope.core import (
    AsyncHTTPSource,
    BaseStream,
    EndDelta,
    FinishDelta,
    HTTPSource,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageDelta,
    error_from_status,
)
from mirascope.core.wire import SSEFramer
from mirascope_compatible import CompatibleStream

from .mutants import decoder_with, message, results
from .sound import GoodDecoder, GoodProvider, decoding, only, provider


def body(change: Any) -> Any:
    """A provider that changes the request's body."""

    def prepare(self: Any, request: Any) -> Any:
        made = GoodProvider.prepare(self, request)
        return replace(made, kwargs=change(dict(made.kwargs)))

    return provider(prepare=prepare)


def without(*names: str) -> Any:
    return lambda given: {k: v for k, v in given.items() if k not in names}


def messages(change: Any) -> Any:
    return body(lambda given: {**given, "messages": change(given["messages"])})


def counting(**wrong: Any) -> Any:
    def normalize(self: Any, usage: Any, facts: Any) -> Any:
        made = GoodProvider.normalize(self, usage, facts)
        return replace(made, **{name: change(made) for name, change in wrong.items()})

    return provider(normalize=normalize)


def status(change: Any) -> Any:
    def error(self: Any, code: int, sent: bytes, headers: Any) -> Any:
        return change(code, GoodProvider.error(self, code, sent, headers), headers)

    return provider(error=error)


def printing(self: Any, key: str) -> Any:
    print("the key is", key)
    return GoodProvider.key_headers(self, key)


def in_the_address(self: Any, client: Any, *args: Any) -> Any:
    made = GoodProvider._build(self, client, *args)
    key = made.headers["Authorization"].removeprefix("Bearer ")
    made.url = made.url.copy_merge_params({"key": key})
    return made


def without_headers(self: Any, client: Any, *args: Any) -> Any:
    made = GoodProvider._build(self, client, *args)
    del made.headers["Authorization"]
    return made


class Replacing(SSEFramer):
    """Decodes what it is given, whole characters or not."""

    def feed(self, piece: bytes, /) -> Any:
        return super().feed(piece.decode("utf-8", "replace").encode())


class Nameless(HTTPSource):
    __slots__ = ()

    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self.request_id = None


class AsyncNameless(AsyncHTTPSource):
    __slots__ = ()

    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self.request_id = None


def again(self: Any, *args: Any) -> Any:
    """Asks once more where the server failed."""
    try:
        return GoodProvider.open(self, *args)
    except Exception:
        return GoodProvider.open(self, *args)


async def dropping_async(self: Any, *args: Any) -> Any:
    source: Any = await GoodProvider.open_async(self, *args)
    return _Shortened(source)


class _Shortened:
    """Loses the first piece of a body."""

    def __init__(self, source: Any) -> None:
        self.source, self.request_id = source, source.request_id

    async def __aiter__(self) -> Any:
        first = True
        async for piece in self.source:
            yield piece.replace(b", world", b"") if first else piece

    async def aclose(self) -> None:
        await self.source.aclose()


def without_arguments(given: dict[str, Any]) -> dict[str, Any]:
    calls = [
        {**call, "function": {**call["function"], "arguments": "{}"}}
        for call in given.get("tool_calls", ())
    ]
    return {**given, "tool_calls": calls} if calls else given


def crossed(given: list[Any]) -> list[Any]:
    """Each result under the id of another call."""
    ids = [each["tool_call_id"] for each in given]
    return [
        {**each, "tool_call_id": other}
        for each, other in zip(given, [*ids[1:], "call_9"], strict=True)
    ]


def second_text_dropped(self: Any, deltas: Any, data: Any) -> Any:
    return [d for d in deltas if not (type(d) is TextDelta and d.text.startswith(","))]


def ending_early(self: Any, deltas: Any, data: Any) -> Any:
    return [*deltas, EndDelta()]


def twice(self: Any, deltas: Any, data: Any) -> Any:
    return [d for d in deltas for _ in range(2 if type(d) is TextDelta else 1)]


def usage_once_more(self: Any, data: Any) -> Any:
    return [
        replace(d, usage={**d.usage, "completion_tokens": 1}) if type(d) is UsageDelta else d
        for d in GoodDecoder.decode_response(self, data)
    ]


class Silent(CompatibleStream):
    """Takes an interruption for the end."""

    def __iter__(self) -> Any:
        try:
            yield from BaseStream.__iter__(self)
        except Exception:
            return


FURTHER: dict[str, tuple[Any, str]] = {
    "input and output mixed up": (
        counting(input_tokens=lambda u: u.output_tokens, output_tokens=lambda u: u.input_tokens),
        "usage.counts",
    ),
    "cached tokens left out": (counting(cache_read_tokens=lambda _: 0), "usage.counts"),
    "cached tokens taken off the input": (
        counting(input_tokens=lambda u: u.input_tokens - u.cache_read_tokens),
        "usage.counts",
    ),
    "usage of the first event only": (only(UsageDelta, lambda _: None), "usage.counts"),
    "whole usage counted otherwise": (
        decoder_with(decode_response=usage_once_more),
        "fetch.same_as_stream",
    ),
    "the second piece of text lost": (decoding(second_text_dropped), "stream.text"),
    "each text twice": (decoding(twice), "stream.text"),
    "reasoning lost": (only(ThinkingDelta, lambda _: None), "stream.text"),
    "every event an end": (decoding(ending_early), "end.truncated"),
    "length is stop": (
        provider(
            finish_reason=lambda s, r: "stop" if r == "length" else GoodProvider.finish_reason(s, r)
        ),
        "finish.unified",
    ),
    "unknown reasons are stop": (
        provider(
            finish_reason=lambda s, r: "stop" if "-" in r else GoodProvider.finish_reason(s, r)
        ),
        "finish.unified",
    ),
    "no finish reason": (only(FinishDelta, lambda _: EndDelta()), "finish.unified"),
    "calls lose their names": (
        only(ToolCallDelta, lambda d: replace(d, name=d.name and d.name.title())),
        "tool.calls",
    ),
    "pieces of arguments in a call of their own": (
        only(ToolCallDelta, lambda d: replace(d, key=len(d.arguments))),
        "tool.calls",
    ),
    "no calls in the message": (
        message(lambda m: {k: v for k, v in m.items() if k != "tool_calls"}),
        "message.whole",
    ),
    "no arguments in the message": (message(without_arguments), "message.whole"),
    "results under other ids": (results(crossed), "tool.results"),
    "no text in the message": (
        message(lambda m: {**m, "content": None} if not m.get("tool_calls") else m),
        "message.whole",
    ),
    "the system's message lost": (
        messages(lambda given: [m for m in given if m["role"] != "system"]),
        "message.round_trip",
    ),
    "messages the other way round": (messages(lambda m: m[::-1]), "message.round_trip"),
    "results of tools lost": (
        messages(lambda given: [m for m in given if m["role"] != "tool"]),
        "message.round_trip",
    ),
    "another model asked": (body(lambda b: {**b, "model": "model-2"}), "request.params"),
    "no stream asked for": (body(without("stream", "stream_options")), "fetch.whole"),
    "temperature lost": (body(without("temperature")), "request.params"),
    "the key not sent": (provider(_build=without_headers), "request.params"),
    "the key printed": (provider(key_headers=printing), "secret.echo"),
    "the key in the address": (provider(_build=in_the_address), "secret.echo"),
    "retry-after lost": (
        status(lambda c, e, h: error_from_status(c, str(e), headers={"x-request-id": "req-7"})),
        "error.http",
    ),
    "the request's id lost": (
        status(lambda c, e, h: error_from_status(c, str(e), headers={"retry-after": "3"})),
        "error.http",
    ),
    "the server's words lost": (
        status(lambda c, e, h: error_from_status(c, "it failed", headers=h)),
        "error.http",
    ),
    "an overloaded server not tried again": (
        status(lambda c, e, h: _final(e) if c == 529 else e),
        "error.http",
    ),
    "asked twice": (provider(open=again), "error.http"),
    "characters cut in two": (
        provider(framer=lambda _: Replacing(error_field="error")),
        "wire.split",
    ),
    "the asynchronous way loses text": (provider(open_async=dropping_async), "stream.text"),
    "an interruption swallowed": (provider(stream_class=Silent), "end.dropped"),
    "a stream's request id lost": (
        provider(open=lambda s, *a: Nameless(GoodProvider.open(s, *a)._response)),  # type: ignore[attr-defined]
        "error.event",
    ),
    "one object for all chunks": (
        provider(chunk_object=lambda *_: {"object": "chunk"}),
        "chunk.object",
    ),
    "a response without its text": (
        provider(response_object=lambda *_: {"object": "response"}),
        "fetch.same_as_stream",
    ),
}


def _final(error: Any) -> Any:
    error.retryable = False
    return error
