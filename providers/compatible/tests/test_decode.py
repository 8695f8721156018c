"""Chat completions to deltas: what servers of the protocol really send."""

from __future__ import annotations

from typing import Any

import pytest
from mirascope.core import (
    Accumulator,
    BlockDelta,
    ChoiceDelta,
    EndDelta,
    ErrorDelta,
    ExtraDelta,
    FinishDelta,
    MetaDelta,
    TextDelta,
    ThinkingDelta,
    UsageDelta,
)
from mirascope_compatible import ChatDecoder


def delta(index: int = 0, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": fields, "finish_reason": finish}]}


def decoded(*events: dict[str, Any]) -> list[Any]:
    decoder = ChatDecoder()
    return [delta for event in events for delta in decoder.decode(event) or ()]


def answered(*events: dict[str, Any]) -> Accumulator:
    answer = Accumulator()
    answer.add(decoded(*events))
    return answer


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"choices": None},
        {"choices": []},
        {"choices": [{}]},
        {"choices": [{"delta": None}]},
        {"choices": [{"delta": {}}]},
        delta(content=None),
        delta(content=""),
        delta(role="assistant", content="", refusal=None, tool_calls=None),
        {"error": None, "choices": []},
        {"usage": None},
        {"x_groq": None},
    ],
)
def test_events_that_say_nothing(event: dict[str, Any]) -> None:
    assert decoded(event) == []


def test_text() -> None:
    assert decoded(delta(content="Hi")) == [TextDelta("Hi")]
    assert decoded(delta(role="assistant", content="Hi")) == [TextDelta("Hi")]
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}, {"type": "x"}, 5]
    said = [TextDelta("Hel"), TextDelta("lo"), BlockDelta({"type": "x"}, ("part", 1))]
    assert decoded(delta(content=parts)) == said


def test_identity_comes_once_and_never_changes() -> None:
    events = [
        {"id": "", "model": "", "choices": []},
        {"id": "1", "model": "m", "created": 7, "choices": []},
        {"id": "1", "model": "m", "created": 7, "choices": []},
        {"id": "2", "model": "n", "created": 8, "choices": []},
        {"id": 5, "model": None, "choices": []},
    ]
    assert decoded(*events) == [MetaDelta(id="1", model="m", facts={"created": "7"})]


def test_a_model_that_comes_late() -> None:
    answer = answered({"id": "1"}, {"id": "1", "model": "m"}, {"service_tier": "flex"})
    assert (answer.id, answer.model) == ("1", "m")
    assert answer.facts["service_tier"] == "flex"


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "reasoning_text"])
def test_names_for_reasoning(name: str) -> None:
    events = [delta(content="", **{name: "Hm"}), delta(**{name: "."})]
    named = ExtraDelta({"name": name}, "reasoning_field")
    assert decoded(*events) == [named, ThinkingDelta("Hm"), ThinkingDelta(".")]


def test_reasoning_under_two_names_counts_once() -> None:
    details = [{"type": "reasoning.text", "text": "Hm", "index": 0}]
    event = delta(reasoning="Hm", reasoning_content="Hm", reasoning_details=details)
    answer = answered(event)
    assert answer.thinking == "Hm"
    assert [block.fields for block in answer.blocks if block.fields] == details


def test_reasoning_in_details_only() -> None:
    details = [
        {"type": "reasoning.summary", "summary": "Hm"},
        {"type": "reasoning.text", "text": "."},
    ]
    assert answered(delta(reasoning_details=details)).thinking == "Hm."


def test_encrypted_reasoning_is_kept_apart() -> None:
    hidden = {"type": "reasoning.encrypted", "data": "x", "index": 0}
    deltas = decoded(delta(reasoning_details=[hidden, {**hidden, "data": "y"}]))
    assert [d.fields["data"] for d in deltas if isinstance(d, BlockDelta)] == ["x", "y"]
    assert len({d.block for d in deltas}) == 2


def test_mistrals_thinking_parts() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
        {"type": "thinking", "thinking": "."},
        {"type": "text", "text": "Hi"},
    ]
    said = [d for d in decoded(delta(content=parts)) if not isinstance(d, ExtraDelta)]
    assert said == [ThinkingDelta("Hm"), ThinkingDelta("."), TextDelta("Hi")]


@pytest.mark.parametrize(
    "event",
    [
        {"usage": {"total_tokens": 3}},
        {"choices": [], "usage": {"total_tokens": 3}},
        {"x_groq": {"id": "r", "usage": {"total_tokens": 3}}},
        {"usage": None, "x_groq": {"usage": {"total_tokens": 3}}},
    ],
)
def test_usage_in_any_place(event: dict[str, Any]) -> None:
    assert decoded(event)[:1] == [UsageDelta({"total_tokens": 3})]


def test_usage_beside_text_and_end() -> None:
    event = {**delta(content="Hi", finish="stop"), "usage": {"total_tokens": 3}}
    assert decoded(event) == [
        TextDelta("Hi"),
        FinishDelta("stop"),
        UsageDelta({"total_tokens": 3}),
    ]


def test_other_choices() -> None:
    event = {"choices": [{"index": 1, "delta": {"content": "b"}}, {"delta": {"content": "a"}}]}
    assert decoded(event) == [ChoiceDelta(1, TextDelta("b")), TextDelta("a")]


def test_calls_of_other_choices_do_not_mix_with_the_firsts() -> None:
    def call(index: int, **function: Any) -> dict[str, Any]:
        return delta(index, tool_calls=[{"index": 0, "function": function}])

    answer = answered(
        call(0, name="a", arguments="{"),
        call(1, name="b", arguments="{"),
        call(1, arguments='"x": 1}'),
        call(0, arguments="}"),
        delta(0, finish="tool_calls"),
    )
    (first,), (second,) = answer.tool_calls, answer.choices[1].tool_calls
    assert (first.name, first.text) == ("a", "{}")
    assert (second.name, second.text) == ("b", '{"x": 1}')
    assert first.call is not None
    assert second.call is None


def test_the_old_function_call() -> None:
    answer = answered(
        delta(function_call={"name": "find", "arguments": '{"a"'}),
        delta(function_call={"arguments": ": 1}"}),
        delta(finish="function_call"),
    )
    (block,) = answer.tool_calls
    assert block.call is not None
    assert (block.call.name, block.call.arguments) == ("find", '{"a": 1}')


def test_a_custom_tools_input() -> None:
    custom = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "sql", "input": "SELECT"}}
    (block,) = answered(delta(tool_calls=[custom])).tool_calls
    assert (block.name, block.text) == ("sql", "SELECT")


ERRORS: list[tuple[dict[str, Any], ErrorDelta]] = [
    ({"error": "plain"}, ErrorDelta("plain")),
    ({"error": {"message": "m"}}, ErrorDelta("m")),
    (
        {"error": {"message": "m", "type": "t", "code": 429}},
        ErrorDelta("m", "t", "429", 429),
    ),
    ({"error": {"message": "m", "status_code": 503}}, ErrorDelta("m", None, None, 503)),
    ({"error": {"message": "m", "code": "busy"}}, ErrorDelta("m", None, "busy")),
    ({"error": {"message": "m", "code": True}}, ErrorDelta("m", None, "True")),
    ({"error": {"reason": "r"}}, ErrorDelta('{"reason": "r"}')),
    ({"error": {"message": {"deep": 1}}}, ErrorDelta('{"message": {"deep": 1}}')),
]


@pytest.mark.parametrize(("event", "error"), ERRORS, ids=range(len(ERRORS)))
def test_errors(event: dict[str, Any], error: ErrorDelta) -> None:
    assert decoded(event) == [error]
    assert ChatDecoder().decode_stray(event) == [error]


def test_an_error_that_only_the_event_is_named_for() -> None:
    decoder = ChatDecoder()
    assert decoder.decode({"message": "m", "code": 500}, "error") == [
        ErrorDelta("m", None, "500", 500)
    ]


def test_stray_objects() -> None:
    assert ChatDecoder().decode_stray({"hello": 1}) is None
    assert ChatDecoder().decode_stray({"detail": "Not Found"}) == [ErrorDelta("Not Found")]
    whole = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    assert ChatDecoder().decode_stray(whole) == [TextDelta("Hi"), FinishDelta("stop"), EndDelta()]
    lost = {"choices": [{"delta": {"content": "Hi"}}]}
    assert ChatDecoder().decode_stray(lost) == [TextDelta("Hi")]
