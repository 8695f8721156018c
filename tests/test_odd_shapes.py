"""Rules for what comes in, whatever the protocol: shapes that no reference describes."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mirascope.core import (
    APIError,
    BaseStream,
    MirascopeError,
    PluginError,
    Recording,
    StreamDecodeError,
    StreamProviderError,
    StreamState,
    call,
    call_async,
    stream_from,
)
from mirascope.core.testing import Server, whole

from .protocols import PROTOCOLS, Event, Protocol, body, read

FACE = "\N{GRINNING FACE}"
HIGH, LOW = json.loads('["\\ud83d", "\\ude00"]')


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> Protocol:
    return PROTOCOLS[request.param]


def answered(protocol: Protocol, *events: Event) -> BaseStream[Any]:
    return read(protocol, body(*protocol.begin, *events, *protocol.end, done=protocol.done))


# Tool calls once


def two_calls(protocol: Protocol) -> list[Event]:
    return [
        *protocol.call(0, "call_a", "pay", ['{"amo', 'unt": 5}']),
        *protocol.call(1, "call_b", "send", ['{"to": ', '"Ann"}']),
    ]


def test_a_fragment_that_is_sent_again_anywhere_makes_no_call(protocol: Protocol) -> None:
    events = [*two_calls(protocol), *protocol.end]
    for at, event in enumerate(events[: -len(protocol.end)]):
        for again in range(at + 1, len(events) + 1):
            if again == len(events) and not protocol.done:
                continue
            sent = [*events[:again], event, *events[again:]]
            stream = read(protocol, body(*protocol.begin, *sent, done=protocol.done))
            assert stream.state is StreamState.COMPLETED
            calls = [tool.tool_call for tool in stream.tools]
            assert [(c.id, c.name) for c in calls] == [("call_a", "pay"), ("call_b", "send")]


def test_a_call_that_is_sent_again_as_a_whole_is_one(protocol: Protocol) -> None:
    pay = protocol.call(0, "call_a", "pay", ['{"amount": 5}'])
    for again in (pay, protocol.call(1, "call_a", "pay", ['{"amount":5}'])):
        stream = answered(protocol, *pay, *again)
        (tool,) = stream.tools
        assert json.loads(tool.tool_call.arguments) == {"amount": 5}


def test_other_arguments_under_the_same_id_are_another_call(protocol: Protocol) -> None:
    first = protocol.call(0, "call_a", "pay", ['{"amount": 5}'])
    second = protocol.call(1, "call_a", "pay", ['{"amount": 6}'])
    stream = answered(protocol, *first, *second)
    said = [json.loads(tool.tool_call.arguments) for tool in stream.tools]
    assert said == [{"amount": 5}, {"amount": 6}]
    assert len({tool.tool_call.id for tool in stream.tools}) == 2


def test_arguments_after_a_placeholder_and_once_more(protocol: Protocol) -> None:
    if protocol is PROTOCOLS["generate"]:
        pytest.skip("its arguments are not text")
    whole = '{"city": "Oslo"}'
    for pieces in (["{}", '{"city"', ': "Oslo"}'], ['{"city"', ': "Oslo"}', whole], ["{}", whole]):
        stream = answered(protocol, *protocol.call(0, "a", "weather", pieces))
        (tool,) = stream.tools
        assert json.loads(tool.tool_call.arguments) == {"city": "Oslo"}


@pytest.mark.parametrize("name", ["responses", "messages"])
def test_a_call_that_said_to_have_no_arguments_comes_at_once(name: str) -> None:
    protocol = PROTOCOLS[name]
    call = protocol.call(0, "a", "now", ["{", "}"])
    sent = Recording.of_body(body(*protocol.begin, *call, *protocol.end, done=protocol.done))
    stream = stream_from(sent, provider=protocol.provider, api=protocol.api)
    pairs = [tool and tool.tool_call.arguments for _, tool in stream]
    # With the event that ends it, which is the last of its own.
    assert pairs.index("{}") == len(protocol.begin) + len(call) - 1


def test_calls_come_in_the_order_in_which_they_were_made(protocol: Protocol) -> None:
    calls = [("a", "{}"), ("b", '{"n": 1}'), ("c", "{}"), ("d", "{}"), ("e", '{"n": 2}')]
    events = [
        event
        for at, (name, arguments) in enumerate(calls)
        for event in protocol.call(at, f"call_{name}", name, [arguments])
    ]
    if protocol.provider == "google":
        # All of them are in one event, as in an answer that is not streamed.
        parts = [part for e in events for part in e["candidates"][0]["content"]["parts"]]
        events = [{"candidates": [{"content": {"role": "model", "parts": parts}}]}]
    stream = answered(protocol, *events)
    assert [tool.tool_call.name for tool in stream.tools] == [name for name, _ in calls]


def seconds(protocol: Protocol, *events: Event) -> float:
    sent = body(*protocol.begin, *events, *protocol.end, done=protocol.done)
    spent = []
    for _ in range(2):
        start = time.process_time()
        read(protocol, sent)
        spent.append(time.process_time() - start)
    return min(spent)


def test_calls_and_fragments_cost_the_same_however_many_there_are(protocol: Protocol) -> None:
    def calls(count: int) -> list[Event]:
        return [
            event
            for n in range(count)
            for event in protocol.call(n, f"call_{n}", "f", [f'{{"n": {n}}}'])
        ]

    def fragments(count: int) -> list[Event]:
        return list(protocol.call(0, "a", "f", ['{"n": [', *['{"a": 1},'] * count, "0]}"]))

    for events in (calls, fragments):
        small, large = seconds(protocol, *events(500)), seconds(protocol, *events(2000))
        # Four times as many take four times as long, and sixteen times where it is quadratic.
        assert large < 10 * small


def _candidate(**fields: Any) -> Event:
    return {"candidates": [{"content": {"role": "model", "parts": [{"text": "a"}]}, **fields}]}


BESIDES: dict[str, tuple[str, Callable[[int], Event]]] = {
    "citations of Anthropic": (
        "messages",
        lambda n: {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "citations_delta", "citation": {"cited_text": f"a {n}"}},
        },
    ),
    "citations of Gemini": (
        "generate",
        lambda n: _candidate(citationMetadata={"citationSources": [{"startIndex": n}]}),
    ),
    "log probabilities of Gemini": (
        "generate",
        lambda n: _candidate(logprobsResult={"chosenCandidates": [{"token": f"a{n}"}]}),
    ),
    "grounding of Gemini": (
        "generate",
        lambda n: _candidate(
            groundingMetadata={
                "webSearchQueries": [f"query {n}"],
                "groundingChunks": [{"web": {"uri": f"https://example.com/{n}"}}],
            }
        ),
    ),
    "reasoning details": (
        "compatible",
        lambda n: {
            "choices": [
                {"delta": {"reasoning_details": [{"type": "reasoning.text", "text": f"a {n}" * 9}]}}
            ]
        },
    ),
}


@pytest.mark.parametrize("name", BESIDES)
def test_what_comes_besides_text_costs_the_same_however_much_there_is(name: str) -> None:
    protocol, event = PROTOCOLS[BESIDES[name][0]], BESIDES[name][1]
    text = protocol.text("Hi")
    small, large = (seconds(protocol, *text, *map(event, range(n))) for n in (500, 2000))
    assert large < 10 * small


# Whole answers

WHOLE: dict[str, Event] = {
    "compatible": {"id": "c", "choices": [{"index": 0, "message": {"content": "Hi"}}]},
    "chat": {"choices": [{"message": {"content": "Hi"}, "finish_reason": None}]},
    "messages": {
        "type": "message",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": None,
    },
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_needs_no_reason_to_end(name: str) -> None:
    stream = read(PROTOCOLS[name], json.dumps(WHOLE[name]).encode())
    assert (stream.state, stream.content, stream.error) == (StreamState.COMPLETED, "Hi", None)


def test_a_call_in_a_whole_answer_without_a_reason_is_whole_too() -> None:
    called = {"id": "a", "type": "function", "function": {"name": "pay", "arguments": "{}"}}
    message = {"content": None, "tool_calls": [called]}
    stream = read(
        PROTOCOLS["compatible"],
        json.dumps({"choices": [{"message": message, "finish_reason": None}]}).encode(),
    )
    assert stream.state is StreamState.COMPLETED
    assert [tool.tool_call.id for tool in stream.tools] == ["a"]
    assert stream.message_param["tool_calls"] == [called]


def test_a_call_that_nothing_closed_is_whole_once_the_answer_is() -> None:
    protocol = PROTOCOLS["messages"]
    *call, stop = protocol.call(0, "a", "pay", ['{"amount": 5}'])
    assert stop["type"] == "content_block_stop"
    stream = read(protocol, body(*protocol.begin, *call, *protocol.end, done=protocol.done))
    assert stream.state is StreamState.COMPLETED
    assert [tool.tool_call.arguments for tool in stream.tools] == ['{"amount": 5}']
    assert stream.message_param["content"][0]["input"] == {"amount": 5}


# Failures and keep-alives

WORDS = "The engine died"
FAILURES: dict[str, Event] = {
    "error text": {"error": WORDS},
    "error object": {"error": {"message": WORDS, "code": 500}},
    "error with detail": {"error": {"type": "server_error", "detail": WORDS}},
    "object": {"object": "error", "message": WORDS, "type": "InternalServerError", "code": 500},
    "type": {"type": "error", "error": {"type": "overloaded_error", "message": WORDS}},
    "error_message": {"id": "x", "choices": None, "error_type": "E", "error_message": WORDS},
    "error_msg": {"error_code": 336003, "error_msg": WORDS},
    "code and message": {"code": "InternalError.Algo", "message": WORDS, "request_id": "r-1"},
    "code and msg": {"code": 500, "msg": WORDS, "success": False},
    "status": {"code": 503, "message": WORDS, "status": "UNAVAILABLE"},
    "errors": {"success": False, "errors": [{"code": 7003, "message": WORDS}]},
    "base_resp": {"base_resp": {"status_code": 1004, "status_msg": WORDS}},
    "detail": {"detail": WORDS},
    "message": {"message": WORDS},
    "problem": {"title": "Bad gateway", "status": 502, "detail": WORDS},
    "aws": {"__type": "ThrottlingException", "message": WORDS},
    "an array": [{"error": {"message": WORDS}}],  # type: ignore[dict-item]
}


@pytest.mark.parametrize("shape", FAILURES)
@pytest.mark.parametrize("ends", [True, False], ids=["ends", "breaks"])
def test_a_failure_in_any_shape_fails(protocol: Protocol, shape: str, ends: bool) -> None:
    said = [*protocol.begin, *protocol.text("Half an")]
    after = body(*(protocol.end if ends else ()), done=protocol.done if ends else b"")
    stream = read(protocol, body(*said, FAILURES[shape]) + after)
    assert stream.state is StreamState.FAILED
    assert type(stream.error) is StreamProviderError
    assert WORDS in str(stream.error) or shape == "problem"
    assert stream.content == "Half an"
    assert stream.tools == []


def test_an_event_that_is_named_error_fails(protocol: Protocol) -> None:
    said = body(*protocol.begin, *protocol.text("Half an"))
    for data in (WORDS, f'"{WORDS}"', f'{{"text": "{WORDS}"}}'):
        sent = said + f"event: error\ndata: {data}\n\n".encode() + protocol.done
        stream = read(protocol, sent)
        assert type(stream.error) is StreamProviderError
        assert WORDS in str(stream.error)
        assert stream.content == "Half an"


def test_what_is_said_beside_a_failure_was_said() -> None:
    for reason in ("error", "ERROR", "network_error", "insufficient_system_resource"):
        choice = {"index": 0, "delta": {"content": "Half"}, "finish_reason": reason}
        stream = read(
            PROTOCOLS["chat"], body({"id": "c", "choices": [choice]}, done=b"data: [DONE]\n\n")
        )
        assert stream.state is StreamState.FAILED
        assert stream.content == "Half"
        assert "".join(map(str, vars(stream)["chunks_seen"])) == "Half"
        assert reason in str(stream.error)
        assert stream.finish_reason == ("other" if reason == "ERROR" else "error")


def test_an_error_in_a_choice_has_the_servers_words() -> None:
    for index, reason in ((0, "error"), (0, None), (1, "error"), (1, None)):
        error = {"code": 502, "message": WORDS}
        choice = {"index": index, "delta": {}, "finish_reason": reason, "error": error}
        stream = read(
            PROTOCOLS["compatible"], body({"choices": [choice]}, done=b"data: [DONE]\n\n")
        )
        assert type(stream.error) is StreamProviderError
        assert (stream.error.message, stream.error.status) == (WORDS, 502)


ALIVE = [
    b"data: : keepalive\n\n",
    b"data: : OPENROUTER PROCESSING\n\n",
    b"data: ping\n\n",
    b"data: [PING]\n\n",
    b"data: keep-alive\n\n",
    b'data: "ping"\n\n',
    b"event: ping\ndata: 1700000000\n\n",
    b"event: heartbeat\ndata: now\n\n",
    b'data: {"type": "ping"}\n\n',
    b'event: keepalive\ndata: {"time": 1}\n\n',
    b"data:\n\n",
    b": comment\n\n",
]


@pytest.mark.parametrize("alive", ALIVE, ids=range(len(ALIVE)))
def test_a_keep_alive_ends_nothing(protocol: Protocol, alive: bytes) -> None:
    parts = [
        body(*protocol.begin, *protocol.text("Hi")),
        body(*protocol.text(" you")),
        body(*protocol.end, done=protocol.done),
    ]
    stream = read(protocol, alive + alive.join(parts))
    assert (stream.state, stream.content) == (StreamState.COMPLETED, "Hi you")
    plain = read(protocol, b"".join(parts))
    assert len(vars(stream)["chunks_seen"]) == len(vars(plain)["chunks_seen"])


def test_data_that_was_damaged_is_not_a_keep_alive(protocol: Protocol) -> None:
    said = body(*protocol.begin, *protocol.text("Hi"))
    for damaged in (b'data: "delta": {"content": "x"}}]}\n\n', b"data: nonsense\n\n"):
        stream = read(protocol, said + damaged + body(*protocol.end, done=protocol.done))
        assert type(stream.error) is StreamDecodeError


# Characters


@given(st.text(alphabet="a\u00e9\u4e2d" + FACE, min_size=1, max_size=6), st.data())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_character_that_was_cut_is_joined(protocol: Protocol, text: str, data: Any) -> None:
    units = text.encode("utf-16-le")
    count = len(units) // 2
    cuts = sorted({0, count, *data.draw(st.lists(st.integers(0, count), max_size=4))})
    pieces = [
        units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")
        for start, end in pairwise(cuts)
    ]
    arguments = ['{"x": "', *pieces, '"}']
    stream = answered(
        protocol,
        *[event for piece in pieces for event in protocol.thinking(piece)],
        *[event for piece in pieces for event in protocol.text(piece)],
        *(protocol.call(0, "a", "f", arguments) if protocol.provider != "google" else ()),
    )
    chunks = vars(stream)["chunks_seen"]
    assert stream.state is StreamState.COMPLETED
    assert stream.content == "".join(map(str, chunks)) == text
    assert stream.thinking == "".join(chunk.thinking or "" for chunk in chunks) == text
    for tool in stream.tools:
        assert json.loads(tool.tool_call.arguments) == {"x": text}
    everything(stream)


def test_a_half_that_stays_alone_is_replaced(protocol: Protocol) -> None:
    for halves in ([HIGH], [LOW], [HIGH, "a"], [HIGH, HIGH, LOW]):
        events = [event for half in halves for event in protocol.text(half)]
        stream = answered(protocol, *events)
        expected = "".join(halves).replace(HIGH + LOW, FACE)
        expected = expected.replace(HIGH, "\ufffd").replace(LOW, "\ufffd")
        assert stream.content == "".join(map(str, vars(stream)["chunks_seen"])) == expected


# Types

OTHERS: list[Any] = [None, True, 3.5, -1, 10**30, "", "x", HIGH, [], [1], [{}], {}, {"a": 1}]


def replaced(value: Any) -> Iterator[Any]:
    """Every value that differs from this one in a single field, which has another type."""
    if isinstance(value, dict):
        for name, held in value.items():
            for other in (*OTHERS, *replaced(held)):
                yield {**value, name: other}
            yield {n: v for n, v in value.items() if n != name}
    elif isinstance(value, list):
        for at, held in enumerate(value):
            for other in (*OTHERS, *replaced(held)):
                yield [*value[:at], other, *value[at + 1 :]]


PROPERTIES = (
    *("usage", "common_usage", "input_tokens", "output_tokens", "cached_tokens", "cost"),
    *("cost_details", "message_param", "finish_reasons", "finish_reason", "id", "model", "tools"),
    *("content", "thinking", "refusal", "start_time", "end_time"),
)


def looked_at(thing: Any, name: str) -> Any:
    try:
        return getattr(thing, name)
    except MirascopeError:
        return None


def everything(stream: BaseStream[Any]) -> None:
    """Read all that a stream can tell; whatever is raised is one of ours."""
    assert stream.state.ended
    for name in PROPERTIES:
        looked_at(stream, name)
    assert type(stream.content) is type(stream.thinking) is type(stream.model) is str
    assert stream.id is None or type(stream.id) is str
    (stream.content + stream.thinking + stream.model + (stream.id or "")).encode()
    repr(stream), repr(stream.error), str(stream.error)
    response = stream.construct_call_response()
    looked_at(response, "response")
    for tool in stream.tools:
        tool.tool_call.arguments.encode()
    with contextlib.suppress(MirascopeError):
        stream.tool_message_params([(tool, "done") for tool in stream.tools])
    for chunk in vars(stream)["chunks_seen"]:
        assert type(chunk.content) is str
        for name in ("chunk", "usage", "common_usage", "input_tokens", "thinking", "refusal"):
            looked_at(chunk, name)
        for name in ("id", "model", "finish_reasons"):
            looked_at(chunk, name)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", PROTOCOLS)
def test_no_type_is_believed(name: str) -> None:
    protocol = PROTOCOLS[name]
    events = [
        *protocol.begin,
        *protocol.thinking("Hm"),
        *protocol.text("Hi"),
        *protocol.call(0, "call_a", "pay", ['{"amount": 5}']),
        *protocol.end,
        *USAGE.get(name, ()),
    ]
    for at, event in enumerate(events):
        for odd in replaced(copy.deepcopy(event)):
            sent = body(*events[:at], odd, *events[at + 1 :], done=protocol.done)
            everything(read(protocol, sent))


_COUNTS = {
    "prompt_tokens": 3,
    "completion_tokens": 4,
    "prompt_tokens_details": {"cached_tokens": 1},
}
USAGE: dict[str, list[Event]] = {
    "compatible": [{"id": "c", "choices": [], "usage": {**_COUNTS, "cost": 0.1}}],
    "chat": [{"id": "c", "choices": [], "usage": _COUNTS}],
}


# Whole answers that are none


def hello() -> str:
    return "Hello"


async def hello_async() -> str:
    return "Hello"


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    "sent",
    [
        *(b"{}", b"[]", b"null", b"", b'"x"', b"<html>busy</html>", b'{"id": "x"}'),
        *(b'{"type": "message"}', b'{"object": "response"}', b'{"usage": {"input_tokens": 1}}'),
    ],
)
def test_a_whole_answer_that_says_nothing_is_an_error(
    protocol: Protocol, sent: bytes, is_async: bool
) -> None:
    with Server(whole(sent)) as server, pytest.raises(APIError) as caught:
        answered_whole(protocol, server.url, is_async=is_async)
    assert not isinstance(caught.value, PluginError)


def answered_whole(protocol: Protocol, url: str, *, is_async: bool) -> Any:
    options: dict[str, Any] = {"base_url": url, "api_key": "k"}
    if protocol.api is not None:
        options["api"] = protocol.api
    model = f"{protocol.provider}/m"
    if is_async:
        return asyncio.run(call_async(model, **options)(hello_async)())
    return call(model, **options)(hello)()
