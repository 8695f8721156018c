"""A call to a request body, an answer to a message, usage to counts."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from mirascope.core import (
    Accumulator,
    CallRequest,
    FinishDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from mirascope.core._tools._function_tool import to_tool_type
from mirascope_compatible import CompatibleProvider

PROVIDER = CompatibleProvider()


def find(title: str) -> str:
    """Find a book."""
    return title


def test_a_request_holds_what_the_call_says_and_shares_nothing() -> None:
    message = {"role": "user", "content": "Hi"}
    params = {"temperature": 0.5, "stream_options": {"x": 1}}
    before = copy.deepcopy((message, params))
    call = CallRequest(model="m", messages=[message], call_params=params, stream=True)
    request = PROVIDER.prepare(call)
    assert request.kwargs == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True, "x": 1},
    }
    request.kwargs["messages"][0]["content"] = "changed"
    request.kwargs["stream_options"]["x"] = 2
    assert (message, params) == before


def test_nothing_of_streaming_without_a_stream() -> None:
    request = PROVIDER.prepare(
        CallRequest(model="m", messages=[], tools=[to_tool_type(find)], stream=False)
    )
    assert sorted(request.kwargs) == ["messages", "model", "tools"]
    assert request.kwargs["tools"][0]["function"]["name"] == "find"


def test_a_tool_without_a_description() -> None:
    call = CallRequest(model="m", messages=[], tools=[to_tool_type(lambda a: a)], stream=False)
    assert "description" not in PROVIDER.prepare(call).kwargs["tools"][0]["function"]


def test_messages_of_answers() -> None:
    answer = Accumulator()
    assert PROVIDER.message_param(answer) == {"role": "assistant", "content": ""}
    answer.add([TextDelta("Hi"), RefusalDelta("No.")])
    assert PROVIDER.message_param(answer) == {
        "role": "assistant",
        "content": "Hi",
        "refusal": "No.",
    }


def test_a_rebuilt_completion() -> None:
    answer = Accumulator()
    answer.add([TextDelta("Hi"), ToolCallDelta(0, "a", "find", "{}"), FinishDelta("tool_calls")])
    answer.end_calls()
    body = PROVIDER.response_object(answer)
    (choice,) = body["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["id"] == "a"
    assert "usage" not in body


@pytest.mark.parametrize(
    ("reason", "unified"),
    [
        ("stop", "stop"),
        ("end_turn", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("brand_new", "other"),
    ],
)
def test_finish_reasons(reason: str, unified: str) -> None:
    assert PROVIDER.finish_reason(reason) == unified


USAGES: list[tuple[dict[str, Any], Usage]] = [
    ({}, Usage(input_tokens=0, output_tokens=0)),
    (
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        Usage(input_tokens=10, output_tokens=5),
    ),
    (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 4},
        },
        Usage(input_tokens=10, output_tokens=5, cache_read_tokens=4),
    ),
    (
        {"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 4},
        Usage(input_tokens=10, output_tokens=5, cache_read_tokens=4),
    ),
    (
        {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 99}},
        Usage(input_tokens=10, output_tokens=0, cache_read_tokens=10),
    ),
    # OpenAI: reasoning is a part of the completion.
    (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
        Usage(input_tokens=10, output_tokens=5, reasoning_tokens=3),
    ),
    # xAI: it stands beside the completion, which the total shows.
    (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 18,
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
        Usage(input_tokens=10, output_tokens=8, reasoning_tokens=3),
    ),
    (
        {"prompt_tokens": "many", "completion_tokens": None, "prompt_tokens_details": None},
        Usage(input_tokens=0, output_tokens=0),
    ),
    ({"cost": 0.25}, Usage(input_tokens=0, output_tokens=0, reported_cost="0.25")),
    ({"cost": True}, Usage(input_tokens=0, output_tokens=0)),
    ({"cost": {"total": 1}}, Usage(input_tokens=0, output_tokens=0)),
]


@pytest.mark.parametrize(("raw", "usage"), USAGES, ids=range(len(USAGES)))
def test_usage(raw: dict[str, Any], usage: Usage) -> None:
    assert PROVIDER.normalize(raw, {}) == usage


def test_facts_go_with_usage() -> None:
    assert PROVIDER.normalize({}, {"service_tier": "flex"}).facts == {"service_tier": "flex"}
