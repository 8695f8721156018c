"""Every property of a stream in every state (S7, S8, E1): a table, and nothing outside it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from mirascope.core import StreamNotExhaustedError, StreamState, Usage
from mirascope.core._response._call_result import CallResult
from mirascope.core._response._stream_base import StreamBase
from mirascope.core.testing import Hold, Pause, Reset, Server, streamed, whole
from mirascope_tests.api import API
from mirascope_tests.chat import DONE, answer, chunk

Serve = Callable[..., Server]

BEFORE = {
    "call_kwargs",
    "call_params",
    "error",
    "fn_args",
    "messages",
    "metadata",
    "is_replay",
    "model",
    "prompt_template",
    "provider",
    "state",
    "tool_types",
    "user_message_param",
}
"""Known before anything is sent (S7)."""
LIVE = {"answer", "content", "event_count", "refusal", "thinking", "tools"}
"""Growing while the stream is read (S7)."""
AFTER = {
    "cached_tokens",
    "common_usage",
    "cost",
    "cost_details",
    "end_time",
    "finish_reason",
    "finish_reasons",
    "id",
    "input_tokens",
    "message_param",
    "output_tokens",
    "priced_at",
    "start_time",
    "usage",
}
"""Known once the stream has ended, however it ended (S8)."""

USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 4,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 2},
}
CALL = [{"index": 0, "id": "call_1", "function": {"name": "title", "arguments": "{}"}}]
EVENTS = [
    chunk("", role="assistant"),
    chunk(reasoning_content="Hm."),
    chunk("Hel"),
    chunk(tool_calls=CALL),
    chunk(finish="tool_calls"),
    chunk(choices=[], usage=USAGE),
]


def title() -> str:
    """Give the title."""
    return "Dune"


def test_the_table_names_every_property(provider: str) -> None:
    module = API(provider, False).module
    for kind in ("Stream", "AsyncStream"):
        names = {"openai": "OpenAI", "compatible": "Compatible"}
        stream_class = getattr(module, names[provider] + kind)
        properties = inspect.getmembers(stream_class, lambda value: isinstance(value, property))
        assert {name for name, _ in properties if name[0] != "_"} == BEFORE | LIVE | AFTER
    assert issubclass(StreamBase, CallResult)


async def in_state(api: API, serve: Serve, state: str, check: Callable[[Any], None]) -> None:
    """Bring a stream into a state by what really leads there, and check it."""
    replies: dict[str, Any] = {
        "created": streamed(*EVENTS, DONE),
        "streaming": streamed(*EVENTS, DONE),
        "completed": streamed(*EVENTS, DONE),
        "truncated": streamed(*EVENTS[:3], EVENTS[5]),
        "stopped": streamed(*EVENTS[:3], EVENTS[5], Hold()),
        "cancelled": streamed(*EVENTS[:3], EVENTS[5], Hold()),
        "timed_out": streamed(*EVENTS[:3], EVENTS[5], Hold()),
        "failed": streamed(*EVENTS[:3], EVENTS[5], Pause(0.05), Reset()),
        "failed before": whole({"error": {"message": "no"}}, status=500),
    }
    server = serve(replies[state])
    timeout = {"idle": 0.2} if state == "timed_out" else None
    async with api.connected(server) as connection:
        ask = api.ask(**connection, tools=[title], temperature=0.7, timeout=timeout)
        stream = await api.call(ask, genre="fantasy")
        items = None
        if state in ("streaming", "stopped", "cancelled"):
            items = aiter(api.each(stream))
            for _ in range(4):
                await anext(items)
            if state == "stopped":
                del items
            elif state == "cancelled":
                stream.cancel()
        elif state != "created":
            await api.drain(stream)
        assert stream.state is StreamState(state.split()[0])
        check(stream)
        if state == "streaming":
            await api.close(stream)


ENDED = ["completed", "truncated", "stopped", "cancelled", "timed_out", "failed", "failed before"]


@pytest.mark.parametrize("state", ["created", "streaming"])
async def test_before_the_end(api: API, serve: Serve, state: str) -> None:
    def check(stream: Any) -> None:
        known_before(stream)
        assert stream.error is None
        for name in AFTER:
            with pytest.raises(StreamNotExhaustedError, match=f"^{name} is known") as caught:
                getattr(stream, name)
            message = str(caught.value)
            assert "iterate it to its end first" in message
            assert state in message
        with pytest.raises(StreamNotExhaustedError, match="construct_call_response"):
            stream.construct_call_response()
        assert (stream.content, stream.thinking) == (
            ("", "") if state == "created" else ("Hel", "Hm.")
        )
        assert stream.refusal is None
        assert stream.tools == []
        assert state in repr(stream)

    await in_state(api, serve, state, check)


@pytest.mark.parametrize("state", ENDED)
async def test_after_the_end(api: API, serve: Serve, state: str) -> None:
    begun = state != "failed before"
    complete = state == "completed"

    def check(stream: Any) -> None:
        known_before(stream)
        assert stream.content == ("Hel" if begun else "")
        assert stream.thinking == ("Hm." if begun else "")
        assert len(stream.tools) == (1 if complete else 0)
        assert (stream.error is None) is (state in ("completed", "stopped", "cancelled"))
        facts = dict(stream._answer.facts)
        if stream.provider == "openai":
            facts["host"] = "other"  # A server on this machine is not OpenAI's.
        usage = Usage(input_tokens=10, output_tokens=4, cache_read_tokens=2, facts=facts)
        assert stream.common_usage == (usage if begun else None)
        raw = stream.usage
        if begun and stream.provider == "openai":
            from openai.types import CompletionUsage

            assert type(raw) is CompletionUsage
            assert raw.model_dump(exclude_unset=True) == USAGE
        else:
            assert raw == (USAGE if begun else None)
        counts = (stream.input_tokens, stream.cached_tokens, stream.output_tokens)
        assert counts == ((10, 2, 4) if begun else (None, None, None))
        # 8 at $2.50, 2 at $1.25 and 4 at $10 per million tokens of gpt-4o; nobody's else.
        priced = begun and stream.provider == "openai"
        assert stream.cost == (6.25e-05 if priced else None)
        assert (stream.cost_details is not None) is priced
        if priced:
            # A whole answer's price is still OpenAI's, and the server is another.
            assert not stream.cost_details.exact
            assert any("another server" in note for note in stream.cost_details.notes)
            assert (
                any("a lower bound" in note for note in stream.cost_details.notes) is not complete
            )
        assert stream.id == ("chatcmpl-1" if begun else None)
        assert stream.model == ("gpt-4o-2024-08-06" if begun else "gpt-4o")
        assert stream.finish_reasons == (["tool_calls"] if complete else None)
        assert stream.finish_reason == ("tool_calls" if complete else None)
        assert isinstance(stream.start_time, datetime)
        assert stream.start_time.tzinfo is not None
        assert stream.start_time <= stream.end_time
        message = {"role": "assistant", "content": "Hel" if begun else ""}
        if begun:
            message["reasoning_content"] = "Hm."
        if complete:
            call = {"name": "title", "arguments": "{}"}
            message["tool_calls"] = [{"id": "call_1", "type": "function", "function": call}]
        assert stream.message_param == message
        response = stream.construct_call_response()
        for name in (BEFORE | LIVE | AFTER) - {"state", "error", "event_count"}:
            assert getattr(response, name) == getattr(stream, name), name
        assert (response.tool is not None) is complete
        assert state.split()[0] in repr(stream)

    await in_state(api, serve, state, check)


def known_before(stream: Any) -> None:
    assert stream.messages == [{"role": "user", "content": "Recommend a fantasy book."}]
    assert stream.user_message_param == {"role": "user", "content": "Recommend a fantasy book."}
    assert dict(stream.call_params) == {"temperature": 0.7}
    assert stream.call_kwargs["temperature"] == 0.7
    assert stream.call_kwargs["model"] == "gpt-4o"
    assert stream.call_kwargs["messages"] == stream.messages
    assert dict(stream.fn_args) == {"genre": "fantasy"}
    assert stream.prompt_template == "Recommend a {genre} book."
    assert [tool.tool_name() for tool in stream.tool_types] == ["title"]
    assert dict(stream.metadata) == {}
    assert stream.model.startswith("gpt-4o")


async def test_live_properties_grow(api: API, serve: Serve) -> None:
    async with api.connected(serve(streamed(*EVENTS, DONE))) as connection:
        stream = await api.call(api.ask(**connection, tools=[title]), "fantasy")
        seen = [
            (stream.content, stream.thinking, len(stream.tools), str(stream.state))
            async for _ in api.each(stream)
        ]
    assert seen[:4] == [
        ("", "", 0, "streaming"),
        ("", "Hm.", 0, "streaming"),
        ("Hel", "Hm.", 0, "streaming"),
        ("Hel", "Hm.", 0, "streaming"),
    ]
    assert seen[4:] == [("Hel", "Hm.", 1, "streaming")] * 2


async def test_without_usage(api: API, serve: Serve) -> None:
    reading = await api.read(serve(streamed(*answer("Hi", usage=None))))
    stream = reading.stream
    assert stream.state == "completed"
    for name in ("usage", "common_usage", "cost", "cost_details", "input_tokens", "output_tokens"):
        assert getattr(stream, name) is None


def test_states_are_words() -> None:
    assert [f"{state}" for state in StreamState] == [state.value for state in StreamState]
    ended = {state.value for state in StreamState if state.ended}
    assert ended == {name.split()[0] for name in ENDED}


def test_reading_a_property_is_no_await(serve: Serve, provider: str) -> None:
    """What is known of an asynchronous stream is known outside its event loop too."""
    api = API(provider, True)
    reading = asyncio.run(api.read(serve(streamed(*EVENTS, DONE))))
    assert reading.stream.message_param["content"] == "Hel"
    assert reading.stream.usage is not None
