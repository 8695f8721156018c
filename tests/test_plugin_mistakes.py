"""A plugin's mistake is named as that plugin's, is not worth another try, and ends the stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from mirascope.core import (
    APIError,
    AsyncCall,
    BrokenProviderError,
    BytesSource,
    Call,
    Connection,
    Decoder,
    PluginError,
    Provider,
    Request,
    StreamDecodeError,
    StreamState,
    TextDelta,
)
from mirascope.core.testing import replay, sse
from mirascope.core.wire import LineFramer
from mirascope_compatible import ChatDecoder, CompatibleProvider

BODY = (
    sse({"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]})
    + b"data: [DONE]\n\n"
)
WHOLE = {
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1},
}


class AsyncBytes:
    request_id = None

    async def __aiter__(self) -> Any:
        yield BODY

    async def aclose(self) -> None: ...


class Good(CompatibleProvider):
    """A provider whose server is inside of it."""

    name = "good"

    def open(self, request: Request, connection: Connection) -> Any:
        return BytesSource(BODY)

    async def open_async(self, request: Request, connection: Connection) -> Any:
        return AsyncBytes()

    def fetch(self, request: Request, connection: Connection) -> Any:
        return WHOLE, WHOLE

    async def fetch_async(self, request: Request, connection: Connection) -> Any:
        return WHOLE, WHOLE


def provider(**members: Any) -> Provider:
    return type("BadProvider", (Good,), members)()


def boom(*_: Any) -> Any:
    raise NameError("name 'undefined' is not defined")


async def boom_async(*_: Any) -> Any:
    return boom()


async def none_async(*_: Any) -> None:
    return None


def divide(*_: Any) -> Any:
    return 1 // 0


def subscript(*_: Any) -> Any:
    nothing: Any = None
    return nothing["key"]


def run(made: Provider, *, stream: bool, is_async: bool) -> Any:
    """Run a call to its end and return the stream, or the response."""
    kwargs: Any = {"stream": stream, "tools": []}
    if not is_async:

        @Call(made)("m", **kwargs)
        def ask() -> None:
            """Hi"""

        found: Any = ask()
        if stream:
            found.collect()
        return found

    @AsyncCall(made)("m", **kwargs)
    async def ask_async() -> None:
        """Hi"""

    async def main() -> Any:
        found: Any = await ask_async()
        if stream:
            await found.collect()
        return found

    return asyncio.run(main())


class BadFeed(LineFramer):
    def feed(self, piece: bytes, /) -> Any:
        raise KeyError("framer bug")


class TextFeed(LineFramer):
    def feed(self, piece: bytes, /) -> Any:
        return [(None, "text")]


class NoneFeed(LineFramer):
    def feed(self, piece: bytes, /) -> Any:
        return None


class BadEnd(LineFramer):
    def feed(self, piece: bytes, /) -> Any:
        return []

    def end(self) -> Any:
        raise KeyError("end bug")


class TextSource(BytesSource):
    def __iter__(self) -> Iterator[Any]:
        yield BODY.decode()


def decoding(value: Any) -> type[Decoder]:
    return type("BadDecoder", (ChatDecoder,), {"decode": lambda *_: value})


OPENING = {
    "open: NameError": ({"open": boom, "open_async": boom_async}, "open"),
    "open: None": ({"open": lambda *_: None, "open_async": none_async}, "open"),
    "open: TypeError": ({"open": subscript}, "open"),
    "framer: None": ({"framer": lambda _: None}, "framer"),
    "framer: raises": ({"framer": divide}, "framer"),
    "decoder: None": ({"decoder": lambda _: None}, "decoder"),
    "decoder: raises": ({"decoder": divide}, "decoder"),
    "prepare: None": ({"prepare": lambda *_: None}, "prepare"),
    "prepare: raises": ({"prepare": divide}, "prepare"),
    "feed: raises": ({"framer": lambda _: BadFeed()}, "BadFeed.feed"),
    "feed: text": ({"framer": lambda _: TextFeed()}, "TextFeed.feed"),
    "feed: None": ({"framer": lambda _: NoneFeed()}, "NoneFeed.feed"),
    "end: raises": ({"framer": lambda _: BadEnd()}, "BadEnd.end"),
    "decode: text": ({"decoder": lambda _: decoding("text")()}, "BadDecoder.decode"),
    "decode: one delta": ({"decoder": lambda _: decoding(TextDelta("x"))()}, "BadDecoder.decode"),
    "decode: anything": ({"decoder": lambda _: decoding((5,))()}, "BadDecoder.decode"),
    "source: text": ({"open": lambda *_: TextSource(BODY)}, "open"),
}


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("case", OPENING)
def test_a_stream_names_the_plugin_s_mistake(case: str, is_async: bool) -> None:
    members, method = OPENING[case]
    if is_async and "open" in members and "open_async" not in members:
        pytest.skip("the synchronous twin is the one that is wrong")
    with pytest.raises(PluginError) as caught:
        run(provider(**members), stream=True, is_async=is_async)
    error = caught.value
    assert "a mistake in the provider's plugin (of your program)" in str(error)
    assert method in str(error)
    assert error.provider == "good"
    assert not error.retryable
    assert isinstance(error, APIError)
    assert isinstance(error, BrokenProviderError)
    assert "\n" not in str(error)
    if error.stream is not None:
        assert error.stream.state is StreamState.FAILED


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    "members",
    [
        {"fetch": boom, "fetch_async": boom_async},
        {"fetch": lambda *_: None, "fetch_async": none_async},
        {"fetch": lambda *_: WHOLE, "decoder": lambda _: None},
        {"decoder": divide},
    ],
)
def test_a_call_names_the_plugin_s_mistake(members: Any, is_async: bool) -> None:
    with pytest.raises(PluginError) as caught:
        run(provider(**members), stream=False, is_async=is_async)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("member", "read"),
    [
        ("normalize", lambda r: r.cost),
        ("normalize", lambda r: r.common_usage),
        ("message_param", lambda r: r.message_param),
        ("finish_reason", lambda r: r.finish_reason),
        ("usage_object", lambda r: r.usage),
        ("request_facts", lambda r: r.cost),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_made_of_an_answer_names_the_plugin_s_mistake(
    member: str, read: Any, stream: bool
) -> None:
    made = provider(**{member: divide})
    body = BODY.replace(b'"choices"', b'"usage": {"prompt_tokens": 1}, "choices"')
    made.open = lambda *_: BytesSource(body)  # type: ignore[method-assign]
    result = run(made, stream=stream, is_async=False)
    assert result.content == "Hi"
    with pytest.raises(PluginError, match=r"divide|BadProvider|ZeroDivisionError"):
        read(result)


@pytest.mark.parametrize("package", ["mirascope_that_is_missing", "mirascope_tests"])
def test_prices_that_are_not_there_are_the_plugin_s_mistake(package: str) -> None:
    result = run(provider(prices_package=package), stream=False, is_async=False)
    with pytest.raises(PluginError, match=r"PackageNotFound|ModuleNotFoundError|FileNotFoundError"):
        _ = result.cost


def test_text_that_is_none_ends_the_stream_with_what_came() -> None:
    made = provider(decoder=lambda _: decoding((TextDelta(None),))())  # type: ignore[arg-type]
    stream: Any = replay(made, BODY)
    with pytest.raises(StreamDecodeError):
        stream.collect()
    assert (stream.state, stream.content) == (StreamState.FAILED, "")


# A whole answer that is none


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("body", [{}, {"id": "r"}, {"choices": []}, [], None, "text"])
def test_a_whole_answer_that_is_none_is_an_error(body: Any, is_async: bool) -> None:
    async def fetch_async(*_: Any) -> Any:
        return body, body

    made = provider(fetch=lambda *_: (body, body), fetch_async=fetch_async)
    with pytest.raises(StreamDecodeError, match="the response can't be read"):
        run(made, stream=False, is_async=is_async)


def test_an_empty_answer_that_has_ended_is_an_answer() -> None:
    body = json.loads(json.dumps(WHOLE).replace('"Hi"', '""'))
    made = provider(fetch=lambda *_: (body, body))
    assert run(made, stream=False, is_async=False).content == ""


# Finish reasons

CALL = {
    "choices": [
        {
            "index": 0,
            "delta": {
                "tool_calls": [
                    {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
                ]
            },
            "finish_reason": "stop",
        }
    ]
}


def test_a_finish_reason_sees_the_calls_and_is_one_of_the_unified_ones() -> None:
    stream: Any = replay("compatible", sse(CALL) + b"data: [DONE]\n\n")
    stream.collect()
    assert stream.finish_reason == "tool_calls"
    for word in ("COMPLETE", 5, None):
        made = provider(finish_reason=lambda *_, word=word: word)
        assert run(made, stream=True, is_async=False).finish_reason == "other"
