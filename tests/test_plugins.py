"""Somebody else's plugins: what a stranger writes with the public API alone, in this process.

`tests/plugins/acme` speaks a wire format of its own, `tests/plugins/beta` chat completions. As
wheels in an environment of their own they are tested in `test_wheels.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mirascope.core import (
    Accumulator,
    AsyncCall,
    AuthenticationError,
    BaseCallResponseChunk,
    Call,
    CallRequest,
    Decoder,
    Delta,
    EndDelta,
    InvalidTool,
    JSONObject,
    PromptError,
    Provider,
    RateLimitError,
    Request,
    StreamDecodeError,
    StreamProviderError,
    StreamState,
    StreamTruncatedError,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    UsageDelta,
    UsageError,
    call,
    call_async,
)
from mirascope.core.plugins import isolated_registry, load_provider, register_provider
from mirascope.core.testing import ReceivedRequest, Reply, Server, replay, streamed, whole
from mirascope.core.wire import Framer, SSEFramer
from mirascope_tests.chat import answer

PLUGINS = Path(__file__).parent / "plugins"

ANSWER = rb"""M acme-large-2026-01-15 r-17
T Bonjour,
P
T  the path is C:\\new
T .\n{"not": "json"}
Z a record of a later version
C c1 get_weather {"city": "Paris"}
U {"in": 100, "out": 50, "cached": 900}
X calls
"""
TEXT = 'Bonjour, the path is C:\\new.\n{"not": "json"}'


@pytest.fixture(autouse=True, scope="module")
def _strangers() -> Iterator[None]:
    """The two packages can be imported here, and are forgotten again."""
    paths = [str(PLUGINS / name / "src") for name in ("acme", "beta")]
    sys.path[:0] = paths
    yield
    for path in paths:
        sys.path.remove(path)
    for name in [name for name in sys.modules if name.startswith(("mirascope_a", "mirascope_b"))]:
        del sys.modules[name]


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    import mirascope_acme

    monkeypatch.setenv("ACME_API_KEY", "acme-key")
    return mirascope_acme


@pytest.fixture
def beta() -> ModuleType:
    import mirascope_beta

    return mirascope_beta


def get_weather(city: str) -> str:
    """Say how the weather is."""
    return f"sunny in {city}"


async def items_of(stream: Any) -> list[tuple[Any, Any]]:
    """Read a stream whichever way it is read."""
    if hasattr(stream, "aclose"):
        return [item async for item in stream]
    return list(stream)


def ask(acme: ModuleType, is_async: bool, **arguments: Any) -> Callable[[str], Any]:
    """A decorated function: calling it gives what is to be awaited for."""
    if is_async:

        @acme.call_async("acme-large", **arguments)
        async def greet_async(city: str) -> None:
            """Greet {city}."""

        return greet_async

    @acme.call("acme-large", **arguments)
    def greet(city: str) -> None:
        """Greet {city}."""

    async def greet_now(city: str) -> Any:
        return greet(city)

    return greet_now


both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


# Acme: a wire format that is neither server-sent events nor JSON


@both
async def test_acme_streams(acme: ModuleType, is_async: bool, serve: Callable[..., Server]) -> None:
    server = serve(streamed(*ANSWER.splitlines(keepends=True)))
    greet = ask(
        acme,
        is_async,
        stream=True,
        tools=[get_weather],
        temperature=0.5,
        base_url=server.url.removesuffix("/v1"),
        api_key="acme-key",
    )
    stream = await greet("Paris")
    assert isinstance(stream, acme.AcmeAsyncStream if is_async else acme.AcmeStream)
    assert server.requests == []
    items = await items_of(stream)

    chunks = [chunk for chunk, _ in items]
    assert all(type(chunk) is acme.AcmeChunk for chunk in chunks)
    assert "".join(chunk.kind for chunk in chunks) == "MTTTZCUX"
    assert [chunk.content for chunk in chunks if chunk.content] == [
        "Bonjour,",
        " the path is C:\\new",
        '.\n{"not": "json"}',
    ]
    assert chunks[0].chunk == {"kind": "M", "model": "acme-large-2026-01-15", "id": "r-17"}
    (tool,) = [tool for _, tool in items if tool is not None]
    assert (tool.args, tool.call()) == ({"city": "Paris"}, "sunny in Paris")

    assert stream.state is StreamState.COMPLETED
    assert (stream.content, stream.id, stream.model) == (TEXT, "r-17", "acme-large-2026-01-15")
    assert stream.finish_reason == "tool_calls"
    assert stream.usage == {"in": 100, "out": 50, "cached": 900}
    assert (stream.input_tokens, stream.cached_tokens, stream.output_tokens) == (1000, 900, 50)
    assert chunks[-2].input_tokens == 1000
    # 100 at 2 dollars a million, 900 at 0.5, 50 at 8.
    assert stream.cost_details.total == Decimal("0.00105")
    assert stream.user_message_param == {"role": "user", "text": "Greet Paris."}
    assert stream.message_param == {
        "role": "assistant",
        "text": TEXT,
        "calls": [{"id": "c1", "name": "get_weather", "arguments": '{"city": "Paris"}'}],
    }
    assert stream.tool_message_params([(tool, tool.call())]) == [
        {"role": "tool", "call": "c1", "text": "sunny in Paris"}
    ]
    response = stream.construct_call_response()
    assert response.response["reason"] == "calls"

    (request,) = server.requests
    assert request.headers["x-acme-key"] == "acme-key"
    assert request.json["temperature"] == 0.5
    assert request.json["tools"][0]["takes"]["required"] == ["city"]
    assert "base_url" not in request.json


@both
async def test_acme_answers_without_streaming(
    acme: ModuleType, is_async: bool, serve: Callable[..., Server]
) -> None:
    server = serve(
        whole(
            {
                "id": "r-18",
                "model": "acme-small",
                "text": "Bonjour",
                "calls": [],
                "usage": {"in": 1, "out": 2},
                "reason": "stop",
            }
        )
    )
    url = server.url.removesuffix("/v1")
    response = await ask(acme, is_async, base_url=url, api_key="acme-key")("Paris")
    assert (response.content, response.finish_reason) == ("Bonjour", "stop")
    assert response.cost_details.total == Decimal("0.0000009")
    assert response.response["id"] == "r-18"
    assert server.requests[0].json["stream"] is False


@both
async def test_acme_by_name(acme: ModuleType, is_async: bool, serve: Callable[..., Server]) -> None:
    from mirascope_acme import _plugin

    server = serve(streamed(ANSWER))
    url = server.url.removesuffix("/v1")
    with isolated_registry():
        register_provider(_plugin)
        assert isinstance(load_provider("acme"), acme.AcmeProvider)
        if is_async:

            @call_async("acme/acme-large", stream=True, base_url=url, api_key="acme-key")
            async def greet_async() -> None:
                """Greet."""

            stream: Any = await greet_async()
        else:

            @call("acme/acme-large", stream=True, base_url=url, api_key="acme-key")
            def greet() -> None:
                """Greet."""

            stream = greet()
        await items_of(stream)
    assert stream.content == TEXT


@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7, 1000])
def test_acme_reads_the_same_however_the_body_is_cut_into_pieces(
    acme: ModuleType, chunk_bytes: int
) -> None:
    for body in (ANSWER, ANSWER.replace(b"\n", b"\r\n")):
        stream = replay(acme.AcmeProvider(), body, chunk_bytes=chunk_bytes)
        assert "".join(stream.text()) == TEXT
        assert stream.usage == {"in": 100, "out": 50, "cached": 900}


def test_acme_cut_anywhere_is_never_complete(acme: ModuleType) -> None:
    for length in range(len(ANSWER)):
        stream = replay(acme.AcmeProvider(), ANSWER[:length])
        with pytest.raises(StreamTruncatedError):
            list(stream)
        assert stream.state is StreamState.TRUNCATED
        assert TEXT.startswith(stream.content)


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (b"U {broken", r"U \{broken"),
        (b"C c1 get_weather", "C c1 get_weather"),
        (b"T \xff\xfe", "T "),
        (b"U [1]", r"U \[1\]"),
    ],
)
def test_a_record_that_can_not_be_read_is_an_error_of_ours(
    acme: ModuleType, record: bytes, shown: str
) -> None:
    stream = replay(acme.AcmeProvider(), b"T Bonjour\n" + record + b"\nX stop\n")
    with pytest.raises(StreamDecodeError, match=shown) as info:
        list(stream)
    assert stream.content == "Bonjour"
    assert info.value.stream is stream
    assert info.value.__cause__ is not None
    assert "JSON" not in info.value.message.partition("(")[0]


def test_an_error_record_is_the_provider_s_own_error(acme: ModuleType) -> None:
    stream = replay(acme.AcmeProvider(), b"T Bon\nE overloaded try again later\n")
    with pytest.raises(StreamProviderError, match="try again later") as info:
        list(stream)
    assert (info.value.code, info.value.provider) == ("overloaded", "acme")
    assert stream.content == "Bon"


@both
async def test_an_http_error_is_mapped(
    acme: ModuleType, is_async: bool, serve: Callable[..., Server]
) -> None:
    refused = whole(b"E slow_down too many\n", status=429, headers={"retry-after": "3"})
    server = serve(refused)
    connection = {"base_url": server.url.removesuffix("/v1"), "api_key": "acme-key"}
    for stream in (True, False):
        with pytest.raises(RateLimitError, match=r"acme/acme-large: too many \(HTTP 429\)") as info:
            await items_of(await ask(acme, is_async, stream=stream, **connection)("Paris"))
        assert (info.value.code, info.value.retry_after) == ("slow_down", 3.0)


def test_a_missing_key_names_the_variable(
    acme: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACME_API_KEY")

    @acme.call("acme-large", stream=True)
    def greet() -> None:
        """Greet."""

    with pytest.raises(AuthenticationError, match="ACME_API_KEY"):
        list(greet())


def test_what_acme_does_not_take_is_refused_before_anything_is_sent(acme: ModuleType) -> None:
    @acme.call("acme-large", stream=True)
    def look() -> list[JSONObject]:
        return [{"role": "user", "content": [{"type": "image"}]}]

    with pytest.raises(UsageError, match="text only"):
        look()


def test_a_call_of_an_unknown_tool_is_data(acme: ModuleType) -> None:
    items = replay(acme.AcmeProvider(), b"C c1 fly {}\nX calls\n")
    (tool,) = (tool for _, tool in items if tool is not None)
    assert isinstance(tool, InvalidTool)


# The seam itself: event data that is not JSON, in any framing


class PlainTextDecoder(Decoder):
    """Server-sent events whose data is plain text, told apart by their names."""

    def parse(self, data: bytes) -> JSONObject:
        return {"data": data.decode()}

    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta]:
        if event == "done":
            return (EndDelta(),)
        if event == "usage":
            return (UsageDelta({"out": int(data["data"])}),)
        return (TextDelta(data["data"]),)

    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        raise NotImplementedError


def test_server_sent_events_may_carry_plain_text(acme: ModuleType) -> None:
    class PlainTextProvider(acme.AcmeProvider):
        def framer(self) -> Framer:
            return SSEFramer()

        def decoder(self) -> Decoder:
            return PlainTextDecoder()

    body = (
        b"event: output\ndata: 17\n\nevent: output\ndata: {brace\n\n"
        b"event: usage\ndata: 3\n\nevent: done\ndata: {}\n\n"
    )
    for chunk_bytes in (1, None):
        stream = replay(PlainTextProvider(), body, chunk_bytes=chunk_bytes)
        chunks: list[BaseCallResponseChunk[Any]] = [chunk for chunk, _ in stream]
        assert [chunk.content for chunk in chunks] == ["17", "{brace", "", ""]
        assert stream.usage == {"out": 3}
        assert stream.state is StreamState.COMPLETED
    bad = replay(PlainTextProvider(), b"event: usage\ndata: three\n\n")
    with pytest.raises(StreamDecodeError, match="invalid literal"):
        list(bad)


# Messages in a form that core has never seen


class _Letter:
    """A message as an SDK has it: an object that dumps to a mapping."""

    def model_dump(self, *, exclude_none: bool) -> JSONObject:
        return {"who": "me", "text": "Greet."}


LETTER = _Letter().model_dump(exclude_none=True)


@pytest.fixture
def letters(acme: ModuleType) -> ModuleType:
    """A provider whose messages have neither a role nor parts nor a type."""

    class LetterProvider(acme.AcmeProvider):
        def prepare(self, request: CallRequest) -> Request:
            messages = [self._letter(message) for message in request.messages]
            return Request(messages=messages, kwargs={"letters": messages})

        def _letter(self, message: Any) -> JSONObject:
            if "who" in message:
                return dict(message)
            return {"who": "me" if message["role"] == "user" else "it", "text": message["content"]}

        def message_param(self, answer: Accumulator) -> JSONObject:
            return {"who": "it", "text": answer.text}

        def is_message(self, mapping: Any) -> bool:
            return "who" in mapping or super().is_message(mapping)

        def is_user_message(self, message: Any) -> bool:
            return message["who"] == "me"

    provider = LetterProvider()
    module = ModuleType("letters")
    module.call, module.call_async = Call[Any, Any, Any](provider), AsyncCall[Any, Any](provider)
    return module


GIVEN = {
    "one": lambda: LETTER,
    "a list": lambda: [LETTER],
    "an SDK's object": _Letter,
    "a configuration": lambda: {"messages": [LETTER]},
    "neutral": lambda: [{"role": "user", "content": "Greet."}],
}


@both
@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN.keys())
async def test_a_provider_says_what_its_messages_are(
    letters: ModuleType, is_async: bool, given: Callable[[], Any]
) -> None:
    if is_async:

        @letters.call_async("m", stream=True)
        async def greet_async() -> Any:
            return given()

        stream = await greet_async()
    else:

        @letters.call("m", stream=True)
        def greet() -> Any:
            return given()

        stream = greet()
    assert stream.messages == [LETTER]
    assert stream.user_message_param == LETTER
    assert stream.call_kwargs == {"letters": [LETTER]}


def test_a_provider_s_own_messages_fill_a_messages_section(letters: ModuleType) -> None:
    @letters.call("m", stream=True)
    def greet(history: list[Any]) -> None:
        """
        MESSAGES: {history}
        USER: And again.
        """

    stream = greet([LETTER, {"who": "it", "text": "Hello"}])
    assert stream.messages == [
        LETTER,
        {"who": "it", "text": "Hello"},
        {"who": "me", "text": "And again."},
    ]


def test_a_form_that_the_provider_does_not_have_is_refused(
    acme: ModuleType, letters: ModuleType
) -> None:
    for call_of, message in [
        (acme.call, LETTER),
        (letters.call, {"parts": []}),
        (acme.call, {"parts": [{"text": "Greet."}]}),
        (acme.call, _Letter()),
    ]:

        @call_of("m", stream=True)
        def greet(message: Any) -> Any:
            return [message]

        with pytest.raises(PromptError, match=r"the result of .*greet' must be messages"):
            greet(message)

    @acme.call("m", stream=True)
    def greet_now() -> Any:
        return LETTER

    with pytest.raises(UsageError, match="unknown keys 'text', 'who'"):
        greet_now()


# What a chunk has, the provider says


class _SDKObject:
    def __init__(self, kind: str, data: JSONObject, raw: bytes | None = None) -> None:
        self.kind, self.data, self.raw = kind, data, raw


@pytest.mark.parametrize("has_delta_type", [False, True])
def test_chunks_and_streams_ask_the_provider(acme: ModuleType, has_delta_type: bool) -> None:
    class SDKProvider(acme.AcmeProvider):
        def chunk_object(self, data: JSONObject, raw: bytes | None) -> Any:
            return _SDKObject("chunk", data, raw)

        def usage_object(self, usage: JSONObject) -> Any:
            return _SDKObject("usage", usage)

        def chunk_usage_object(self, usage: JSONObject, data: JSONObject) -> Any:
            if has_delta_type:
                return _SDKObject(f"usage of {data['kind']}", usage)
            return super().chunk_usage_object(usage, data)

    body = b'T Hi\nC 1 a {}\nC 2 b {}\nU {"in": 1, "out": 2, "cached": 3}\nX stop\n'
    stream = replay(SDKProvider(), body)
    chunks = [chunk for chunk, _ in stream]
    assert [(c.chunk.kind, c.chunk.raw) for c in chunks] == [
        ("chunk", line) for line in body.splitlines()
    ]
    assert all(c.chunk is c.chunk and c.chunk.data is c.data for c in chunks)
    with_usage = chunks[3]
    assert with_usage.usage.kind == ("usage of U" if has_delta_type else "usage")
    assert stream.usage.kind == "usage"
    assert with_usage.usage.data == stream.usage.data == {"in": 1, "out": 2, "cached": 3}
    assert with_usage.common_usage == stream.common_usage
    assert with_usage.common_usage == acme.AcmeProvider().normalize(stream.usage.data, {})
    assert {c.usage for c in chunks if c is not with_usage} == {None}
    assert {c.common_usage for c in chunks if c is not with_usage} == {None}


def test_a_chunk_that_repeats_an_event_has_its_object_too(acme: ModuleType) -> None:
    class TwoCallsDecoder(PlainTextDecoder):
        def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta]:
            calls = [(ToolCallDelta(k, k, "a", "{}"), ToolCallEnd(k)) for k in ("1", "2")]
            return [*(delta for call in calls for delta in call), EndDelta()]

    class SDKProvider(acme.AcmeProvider):
        def decoder(self) -> Decoder:
            return TwoCallsDecoder()

        def chunk_object(self, data: JSONObject, raw: bytes | None) -> Any:
            return _SDKObject("chunk", data, raw)

    chunks = [chunk for chunk, _ in replay(SDKProvider(), b"both\n")]
    assert [chunk.chunk.data for chunk in chunks] == [{"data": "both"}] * 2


@pytest.mark.parametrize(
    ("reason", "unified"),
    [("stop", "stop"), ("tool_calls", "tool_calls"), ("calls", "other"), ("STOP", "other")],
)
def test_a_finish_reason_is_one_of_the_unified_ones_without_an_override(
    acme: ModuleType, reason: str, unified: str
) -> None:
    class PlainProvider(acme.AcmeProvider):
        finish_reason = Provider.finish_reason

    stream = replay(PlainProvider(), f"X {reason}\n".encode())
    list(stream)
    assert (stream.finish_reason, stream.finish_reasons) == (unified, [reason])


@both
async def test_what_a_provider_can_not_do_it_refuses_in_its_own_words(
    acme: ModuleType, is_async: bool
) -> None:
    class SyncProvider(acme.AcmeProvider):
        def prepare(self, request: CallRequest) -> Request:
            if request.tools:
                raise UsageError("sync has no tools: leave tools= out")
            return super().prepare(request)

        async def open_async(self, *_: Any) -> Any:
            raise UsageError("sync has no asynchronous calls: write def")

    module = ModuleType("sync")
    provider = SyncProvider()
    module.call, module.call_async = Call[Any, Any, Any](provider), AsyncCall[Any, Any](provider)
    with pytest.raises(UsageError, match=r"^sync has no tools: leave tools= out$"):
        await ask(module, is_async, tools=[get_weather])("Paris")
    if is_async:
        with pytest.raises(UsageError, match=r"^sync has no asynchronous calls: write def$"):
            await items_of(await ask(module, is_async, stream=True)("Paris"))


# Beta: chat completions, extended in a few lines


@both
async def test_beta_streams_its_own_chunks_from_its_own_address_with_its_own_key(
    beta: ModuleType,
    is_async: bool,
    serve: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reply(request: ReceivedRequest) -> Reply:
        assert request.path == "/v1/chat/completions"
        events = [e.replace(b'"id"', b'"x_region": "eu", "id"') for e in answer("Bon", "jour")]
        return streamed(*(e.replace(b"gpt-4o-2024-08-06", b"beta-1") for e in events))

    server = serve(reply)
    monkeypatch.setattr(beta.BetaProvider, "base_url", server.url)
    monkeypatch.setenv("BETA_API_KEY", "beta-key")
    monkeypatch.setenv("OPENAI_API_KEY", "another-key")
    stream = await ask(beta, is_async, stream=True)("Paris")
    assert isinstance(stream, beta.BetaAsyncStream if is_async else beta.BetaStream)
    chunks = [chunk for chunk, _ in await items_of(stream)]
    assert {type(chunk) for chunk in chunks} == {beta.BetaChunk}
    assert {chunk.region for chunk in chunks} == {"eu"}
    assert (stream.provider, stream.content) == ("beta", "Bonjour")
    # 12 at 0.5 dollars a million, 102 at 1.5.
    assert stream.cost_details.total == Decimal("0.000159")
    assert server.requests[0].headers["authorization"] == "Bearer beta-key"


def test_beta_is_about_forty_lines() -> None:
    source = PLUGINS / "beta" / "src" / "mirascope_beta" / "__init__.py"
    assert len([line for line in source.read_text().splitlines() if line.strip()]) <= 42
