"""Deltas in, blocks, calls, usage and finish reasons out."""

from __future__ import annotations

import sys
import time
from types import FrameType

import pytest
from mirascope.core import (
    Accumulator,
    BlockDelta,
    ChoiceDelta,
    Delta,
    EndDelta,
    ErrorDelta,
    FinishDelta,
    MetaDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallEnd,
    UsageDelta,
)


def taken(*deltas: Delta) -> Accumulator:
    answer = Accumulator()
    for delta in deltas:
        answer.add([delta])
    return answer


def test_blocks_keep_their_order() -> None:
    answer = taken(
        ThinkingDelta("Hm"),
        ThinkingDelta("."),
        TextDelta("Let me "),
        TextDelta("look."),
        ToolCallDelta(0, "a", "find", "{}"),
        TextDelta("Well:"),
        RefusalDelta("No."),
    )
    assert [(block.kind, block.text) for block in answer.blocks] == [
        ("thinking", "Hm."),
        ("text", "Let me look."),
        ("tool_call", "{}"),
        ("text", "Well:"),
        ("refusal", "No."),
    ]
    assert answer.text == "Let me look.Well:"
    assert answer.thinking == "Hm."
    assert answer.refusal == "No."


def test_numbered_blocks_can_interleave() -> None:
    answer = taken(
        TextDelta("a", block=0),
        TextDelta("x", block=1),
        TextDelta("b", block=0),
        ThinkingDelta("t", block=2),
        TextDelta("y", block=1),
    )
    assert [(block.key, block.text) for block in answer.blocks] == [(0, "ab"), (1, "xy"), (2, "t")]


def test_fields_belong_to_their_block_and_strings_can_be_joined() -> None:
    joined = frozenset({"signature"})
    answer = taken(
        ThinkingDelta("Hm", block=0),
        BlockDelta({"signature": "ab", "n": 1}, 0, joined),
        BlockDelta({"signature": "cd", "n": 2, "later": None}, 0, joined),
        BlockDelta({"n": None, "data": "xyz"}, 0),
    )
    (block,) = answer.blocks
    assert block.kind == "thinking"
    assert block.fields == {"signature": "abcd", "n": 2, "later": None, "data": "xyz"}


def test_a_block_that_its_fields_opened_learns_what_it_is() -> None:
    answer = taken(BlockDelta({"type": "text"}, 0), TextDelta("Hi", block=0))
    assert [(block.kind, block.text) for block in answer.blocks] == [("text", "Hi")]
    assert taken(BlockDelta({"type": "redacted"}, 0)).blocks[0].kind == "other"


def test_the_fields_that_are_given_are_not_kept_by_reference() -> None:
    fields = {"a": "x"}
    answer = taken(BlockDelta(fields, 0))
    answer.add([BlockDelta({"a": "y"}, 0, frozenset({"a"}))])
    assert fields == {"a": "x"}
    usage = {"prompt_tokens": 1}
    answer = taken(UsageDelta(usage), UsageDelta({"prompt_tokens": 2}))
    assert usage == {"prompt_tokens": 1}
    assert answer.usage == {"prompt_tokens": 2}


def test_calls_are_complete_once() -> None:
    answer = Accumulator()
    assert (
        answer.add([ToolCallDelta(0, "a", "find", '{"x"'), ToolCallDelta(1, "b", "find")]) is None
    )
    assert answer.add([ToolCallDelta(0, "other", "name", ": 1}")]) is None
    assert answer.add([ToolCallEnd(0)]) == [ToolCall("a", "find", '{"x": 1}')]
    assert not answer.add([ToolCallEnd(0)])
    # It may have been cut before its first argument: the finish reason tells.
    assert not answer.add([ToolCallEnd()])
    assert answer.add([FinishDelta("stop")]) == [ToolCall("b", "find", "")]
    assert not answer.add([ToolCallEnd(), FinishDelta("stop"), EndDelta()])
    assert answer.end_calls() == []
    assert [block.call for block in answer.tool_calls] == [
        ToolCall("a", "find", '{"x": 1}'),
        ToolCall("b", "find", ""),
    ]


def test_several_calls_end_in_one_event() -> None:
    answer = taken(ToolCallDelta(0, "a", "f"), ToolCallDelta(1, "b", "g", '{"x": 1}'))
    assert answer.add([ToolCallEnd(1), ToolCallEnd(0)]) == [
        ToolCall("b", "g", '{"x": 1}'),
        ToolCall("a", "f", ""),
    ]


@pytest.mark.parametrize("arguments", ["", "{}"])
@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize("late", [True, False])
def test_the_finish_reason_tells_whether_a_call_without_arguments_is_whole(
    arguments: str, cut: bool, late: bool
) -> None:
    deltas = [ToolCallEnd(), FinishDelta("f", cut=cut)]
    call = ToolCallDelta(1, "b", "f", arguments)
    answer = taken(ToolCallDelta(0, "a", "f", arguments), call)
    completed = answer.add(reversed(deltas) if late else deltas) or []
    assert completed == [ToolCall("a", "f", arguments), ToolCall("b", "f", arguments, cut)]


def test_a_call_that_something_follows_was_not_cut() -> None:
    for following in (TextDelta("Hi", 2), ToolCallDelta(1, "b", "f", '{"x": 1}')):
        answer = taken(ToolCallDelta(0, "a", "f"), ToolCallEnd(0))
        calls = answer.add([following, ToolCallEnd(), FinishDelta("length", cut=True)]) or []
        assert calls[0] == ToolCall("a", "f", "")


def test_an_end_marker_without_a_finish_reason_completes_a_call() -> None:
    answer = taken(ToolCallDelta(0, "a", "f"), ToolCallEnd(0))
    assert answer.add([EndDelta()]) == [ToolCall("a", "f", "")]
    answer = taken(ToolCallDelta(0, "a", "f"), ToolCallEnd(0))
    assert answer.end_calls() == [ToolCall("a", "f", "")]


def test_ids_are_made_up_where_there_are_none_and_are_never_the_same() -> None:
    answer = taken(MetaDelta(id="r"), *(ToolCallDelta(n, name="f") for n in range(2)))
    answer.add([ToolCallDelta(2, "x", "f"), ToolCallDelta(3, "x", "f", '{"y": 1}')])
    assert [call.id for call in answer.end_calls()] == ["call_r_0", "call_r_1", "x", "x_3"]


def test_usage_is_replaced_field_by_field() -> None:
    answer = taken(
        UsageDelta({"input": 5, "output": 1, "details": {"a": 1}}),
        UsageDelta({"output": 9, "input": None}),
        UsageDelta({"details": {"b": 2}, "new": None}),
    )
    assert answer.usage == {"input": 5, "output": 9, "details": {"b": 2}, "new": None}


def test_facts() -> None:
    answer = taken(
        MetaDelta(id="1", model="m", facts={"a": "x"}),
        MetaDelta(id=None, model=None, facts={"b": "y"}),
        MetaDelta(id="", model=""),
    )
    assert (answer.id, answer.model, answer.facts) == ("1", "m", {"a": "x", "b": "y"})


def test_endings() -> None:
    answer = Accumulator()
    assert not answer.finished
    assert not answer.ended
    answer.add([FinishDelta("stop"), EndDelta(), ErrorDelta("no")])
    assert answer.finished
    assert answer.ended
    assert answer.error == ErrorDelta("no")


def test_other_choices_are_answers_of_their_own() -> None:
    answer = taken(
        TextDelta("A"),
        ChoiceDelta(2, TextDelta("C")),
        ChoiceDelta(1, TextDelta("B")),
        ChoiceDelta(1, FinishDelta("length")),
        FinishDelta("stop"),
    )
    assert answer.text == "A"
    assert answer.choices[1].text == "B"
    assert answer.finish_reasons == ["stop", "length", None]
    assert not answer.finished
    answer.add([ChoiceDelta(2, FinishDelta("stop"))])
    assert answer.finished


@pytest.mark.parametrize("read", [False, True], ids=["unread", "read in between"])
def test_text_costs_linear_time(read: bool) -> None:
    def seconds(count: int) -> float:
        answer = Accumulator()
        start = time.process_time()
        for number in range(count):
            answer.add([TextDelta("word ")])
            if read and number % (count // 10) == 0:
                assert answer.text
        assert len(answer.text) == 5 * count
        return time.process_time() - start

    small = min(seconds(5_000) for _ in range(3))
    assert seconds(40_000) < 30 * small


@pytest.mark.parametrize("looks", ["while another reads", "while two others do"])
def test_who_looks_at_the_text_loses_nothing_of_it(looks: str) -> None:
    answer = taken(TextDelta("one "), TextDelta("two "))
    seen: list[str] = []

    def other_threads(frame: FrameType, event: str, function: object) -> None:
        # They run just where the interpreter may switch to them: behind a join.
        if event == "c_return" and getattr(function, "__name__", "") == "join":
            sys.setprofile(None)
            answer.add([TextDelta("three ")])
            if looks == "while two others do":
                seen.append(answer.text)
                answer.add([TextDelta("four ")])

    sys.setprofile(other_threads)
    try:
        assert answer.text.startswith("one two ")
    finally:
        sys.setprofile(None)
    whole = "one two three four " if seen else "one two three "
    assert answer.text == whole
    assert seen in ([], ["one two three "])


def test_who_looks_at_fields_loses_nothing_of_them() -> None:
    grows = frozenset({"text"})
    answer = taken(*(BlockDelta({"text": text}, 0, grows) for text in ("one ", "two ")))
    (block,) = answer.blocks

    def other_thread(frame: FrameType, event: str, function: object) -> None:
        if event == "c_return" and getattr(function, "__name__", "") == "join":
            sys.setprofile(None)
            answer.add([BlockDelta({"text": "three "}, 0, grows)])

    sys.setprofile(other_thread)
    try:
        seen = block.fields
    finally:
        sys.setprofile(None)
    assert block.fields == {"text": "one two three "}
    assert seen == {"text": "one two "}
