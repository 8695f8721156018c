"""A call to a request body, an answer to a message, usage to counts."""

from __future__ import annotations

import copy
from decimal import Decimal
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
from mirascope.core._tools._tool_types import to_tool_type
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
    def find(a):  # type: ignore[no-untyped-def]  # as people write them
        return a

    call = CallRequest(model="m", messages=[], tools=[to_tool_type(find)], stream=False)
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


USAGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"is_known": False}),
    ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, {}),
    (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 4},
        },
        {"cache_read_tokens": 4},
    ),
    *(
        ({"prompt_tokens": 10, "completion_tokens": 5, name: 4}, {"cache_read_tokens": 4})
        for name in ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")
    ),
    (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_creation_tokens": 3},
            "cache_read_input_tokens": 4,
            "cache_creation_input_tokens": 3,
        },
        {"cache_read_tokens": 4, "cache_write_tokens": 3},
    ),
    # OpenAI: reasoning is a part of the completion.
    (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
        {"reasoning_tokens": 3},
    ),
    # xAI: it stands beside the completion, which the total shows.
    (
        {
            "prompt_tokens": 10,
            "completion_tokens": 2,
            "total_tokens": 15,
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
        {"reasoning_tokens": 3},
    ),
    # The total says what is missing: nothing at all, for embeddings.
    ({"prompt_tokens": 10, "total_tokens": 15}, {}),
    ({"prompt_tokens": 15, "total_tokens": 15}, {"input_tokens": 15, "output_tokens": 0}),
    ({"completion_tokens": 5, "total_tokens": 15}, {}),
]


@pytest.mark.parametrize(("raw", "more"), USAGES, ids=range(len(USAGES)))
def test_usage(raw: dict[str, Any], more: dict[str, Any]) -> None:
    usual = {"input_tokens": 10, "output_tokens": 5} if raw else {}
    expected = {"input_tokens": 0, "output_tokens": 0, **usual, **more}
    assert PROVIDER.normalize(raw, {}) == Usage(**expected)


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        ({"prompt_tokens": 10}, "completion_tokens is not reported"),
        ({"completion_tokens": 10}, "prompt_tokens is not reported"),
        ({"prompt_tokens": 10, "completion_tokens": "5"}, "completion_tokens is '5'"),
        ({"prompt_tokens": 10, "completion_tokens": -5}, "completion_tokens is -5"),
        ({"prompt_tokens": 10, "completion_tokens": 0.5}, "completion_tokens is 0.5"),
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "cached_tokens": 10},
            "more tokens of a cache",
        ),
    ],
)
def test_what_is_not_certain_about_counts_is_said(raw: dict[str, Any], note: str) -> None:
    usage = PROVIDER.normalize(raw, {})
    assert usage.is_known
    assert usage.notes[0].startswith(note)


@pytest.mark.parametrize(
    "raw", [{}, {"prompt_tokens": "many"}, {"total_tokens": 5}, {"tokens": 9}, {"prompt": {}}]
)
def test_usage_without_a_counter_is_not_known(raw: dict[str, Any]) -> None:
    assert not PROVIDER.normalize(raw, {}).is_known


def upstream(cost: object) -> dict[str, Any]:
    return {"cost_details": {"upstream_inference_cost": cost}}


@pytest.mark.parametrize(
    ("raw", "cost", "doubt"),
    [
        ({"cost": 0.25}, "0.25", ""),
        ({"cost": "0.000123"}, "0.000123", ""),
        ({"cost": 0}, "0", ""),
        ({"cost": 0.25, "is_byok": False, **upstream(9)}, "0.25", ""),
        ({"cost": 0, "is_byok": True, **upstream(0.0075)}, "0.0075", ""),
        ({"cost": 0.001, "is_byok": True, **upstream("0.02")}, "0.021", ""),
        ({"cost": 0, "is_byok": True}, "0", "a key of one's own"),
        ({"cost": 0, "is_byok": True, **upstream(None)}, "0", "own"),
        ({"cost_in_usd_ticks": 6543500}, "0.00065435", ""),
        ({"cost_in_usd_ticks": 0}, None, ""),
        ({"cost": {"total_cost": 0.00501, "request_cost": 0.005}}, "0.00501", ""),
        ({"cost": {"usd": 0.0031, "diem": 0.0031}}, "0.0031", ""),
        ({"estimated_cost": 2.5e-05}, "0.000025", "an estimate"),
        ({"cost": True}, None, "can't be read"),
        ({"cost": -1}, None, "can't be read"),
        ({"cost": {"total": 1}}, None, "can't be read"),
        ({"cost": float("nan")}, None, "can't be read"),
        ({"cost_in_usd_ticks": "many"}, None, "can't be read: 'many'"),
        ({"estimated_cost": []}, None, "can't be read"),
        ({"cost": 0.25, "cost_in_usd_ticks": "many"}, "0.25", "can't be read"),
        ({"cost": 0.00065435, "cost_in_usd_ticks": 6543500}, "0.00065435", ""),
        ({"cost": 0.000654, "cost_in_usd_ticks": 6543500}, "0.00065435", ""),
        ({"cost": 0.5, "cost_in_usd_ticks": 6543500}, "0.00065435", "another cost besides: 0.5"),
        ({"cost": 0.5, "estimated_cost": 0.4}, "0.5", ""),
        ({}, None, ""),
    ],
)
def test_costs_that_servers_report(raw: dict[str, Any], cost: str | None, doubt: str) -> None:
    usage = PROVIDER.normalize({"prompt_tokens": 1, "completion_tokens": 1, **raw}, {})
    found = None if usage.reported_cost is None else Decimal(usage.reported_cost)
    assert found == (None if cost is None else Decimal(cost))
    assert bool(usage.cost_notes) == bool(doubt)
    assert doubt in "".join(usage.cost_notes)


def test_facts_go_with_usage() -> None:
    assert PROVIDER.normalize({}, {"service_tier": "flex"}).facts == {"service_tier": "flex"}
