"""What one event after another means, in shapes that no recording has."""

from __future__ import annotations

import json
from typing import Any

import pydantic
import pytest
from google.genai import types
from mirascope.core import Accumulator, UsageDelta
from mirascope.core.testing import replay
from mirascope_google import GoogleDecoder, GoogleProvider

from .responses import event, response

PROVIDER = GoogleProvider()


def read(*bodies: Any, tools: Any = ()) -> Any:
    stream = replay(PROVIDER, b"".join(map(event, bodies)), tools=tools)
    stream.items = list(stream)
    return stream


def call(**fields: Any) -> dict[str, Any]:
    return {"functionCall": fields}


def piece(path: str, value: Any = None, more: bool = False) -> dict[str, Any]:
    kind = {str: "stringValue", bool: "boolValue", int: "numberValue", float: "numberValue"}
    made = {"jsonPath": path, kind.get(type(value), "nullValue"): value or "NULL_VALUE"}
    if isinstance(value, (str, bool, int, float)):
        made[kind[type(value)]] = value
    return {**made, **({"willContinue": True} if more else {})}


def calls(stream: Any) -> list[tuple[str, Any]]:
    return [(t.tool_call.name, t.tool_call.arguments) for _, t in stream.items if t is not None]


def test_text_and_thinking_keep_their_order_and_merge_only_with_their_neighbours() -> None:
    thought = {"text": "Hm. ", "thought": True}
    stream = read(
        response("a", "b"),
        response(thought),
        response(thought),
        response("c"),
        response({"text": "d", "thoughtSignature": "c2ln"}),
        response("e"),
        response({"text": "", "thoughtSignature": "c2ln"}),
        response({"text": ""}, finish="STOP"),
    )
    assert stream.message_param["parts"] == [
        {"text": "ab"},
        {"text": "Hm. Hm. ", "thought": True},
        {"text": "c"},
        {"text": "d", "thoughtSignature": "c2ln"},
        {"text": "e"},
        {"text": "", "thoughtSignature": "c2ln"},
    ]
    assert (stream.content, stream.thinking) == ("abcde", "Hm. Hm. ")
    assert [chunk.content for chunk, _ in stream.items] == ["ab", "", "", "c", "d", "e", "", ""]
    assert [chunk.thinking for chunk, _ in stream.items][1:3] == ["Hm. ", "Hm. "]


def test_several_parts_of_every_kind_in_one_chunk() -> None:
    stream = read(
        response(
            {"text": "Hm", "thought": True},
            "calling",
            call(name="a", args={"x": 1}),
            call(name="a", args={"x": 2}),
            "done",
            finish="STOP",
            usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 4},
        )
    )
    assert calls(stream) == [("a", '{"x": 1}'), ("a", '{"x": 2}')]
    # Nothing is met twice where two calls are complete at once.
    assert "".join(chunk.content for chunk, _ in stream.items) == "callingdone"
    assert [chunk.output_tokens for chunk, _ in stream.items] == [4, None]
    assert len({tool.tool_call.id for tool in stream.tools}) == 2
    assert [list(part) for part in stream.message_param["parts"]] == [
        ["text", "thought"],
        ["text"],
        ["functionCall"],
        ["functionCall"],
        ["text"],
    ]


def test_arguments_in_pieces_of_every_type() -> None:
    stream = read(
        response({**call(name="f", id="id-1", willContinue=True), "thoughtSignature": "c2ln"}),
        response(call(partialArgs=[piece("$.name", "A", more=True)], willContinue=True)),
        response(
            call(
                partialArgs=[piece("$.name", "nn", more=True), piece("$.name", "")],
                willContinue=True,
            )
        ),
        response(
            call(
                partialArgs=[
                    piece("$.age", 7),
                    piece("$.tall", False),
                    piece("$.none"),
                    piece("$.address.city", "Köln"),
                    piece("$.pets[0].name", "Rex"),
                    piece("$.pets[1].name", "Mia"),
                    piece("$.tags[0]", "x"),
                    piece("$.tags[99999999]", "y"),
                    piece("$['odd key'][\"a.b\"]", 1.5),
                ],
                willContinue=True,
            )
        ),
        response(call()),
        response(call(name="g", partialArgs=[piece("$.a", "b")])),
        response(call(name="h", willContinue=True)),
        response(call(), finish="STOP"),
    )
    args = {
        "name": "Ann",
        "age": 7,
        "tall": False,
        "none": None,
        "address": {"city": "Köln"},
        "pets": [{"name": "Rex"}, {"name": "Mia"}],
        "tags": ["x", "y"],
        "odd key": {"a.b": 1.5},
    }
    assert [(name, json.loads(text)) for name, text in calls(stream)] == [
        ("f", args),
        ("g", {"a": "b"}),
        ("h", {}),
    ]
    assert stream.message_param["parts"] == [
        {"functionCall": {"id": "id-1", "name": "f", "args": args}, "thoughtSignature": "c2ln"},
        call(name="g", args={"a": "b"}),
        call(name="h", args={}),
    ]
    assert stream.finish_reason == "tool_calls"


@pytest.mark.parametrize("finish", ["STOP", "MAX_TOKENS"])
def test_arguments_that_the_model_did_not_finish_are_never_taken_for_whole(finish: str) -> None:
    def f(a: str = "") -> None:
        """Do something."""

    stream = read(
        response(call(name="f", willContinue=True)),
        response(call(partialArgs=[piece("$.a", "b", more=True)], willContinue=True)),
        response(finish=finish),
        tools=[f],
    )
    [tool] = stream.tools
    whole = finish == "STOP"
    assert (tool.error is None) == whole
    assert tool.tool_call.arguments == ('{"a": "b"}' if whole else '{"a": "b"')
    # It goes back as its result does, which is the error; the API takes nothing but an object.
    args = {"a": "b"} if whole else {"INVALID_JSON": '{"a": "b"'}
    assert stream.message_param["parts"] == [call(name="f", args=args)]


def test_a_call_in_pieces_ends_where_the_next_one_begins() -> None:
    stream = read(
        response(call(name="f", id="1", willContinue=True)),
        response(call(name="f", id="1", partialArgs=[piece("$.a", 1)], willContinue=True)),
        response(call(name="f", id="2", args={"a": 2})),
        response(finish="STOP"),
    )
    assert calls(stream) == [("f", '{"a": 1}'), ("f", '{"a": 2}')]


def test_an_end_without_a_beginning_is_no_call() -> None:
    assert calls(read(response(call(), finish="STOP"))) == []


def test_a_call_of_an_unknown_tool_loses_nothing_of_its_chunk() -> None:
    stream = read(response("text", call(name="nobody", args={}), finish="STOP"))
    [(chunk, tool)] = stream.items
    assert (chunk.content, tool.tool_call.name) == ("text", "nobody")
    assert tool.error is not None


def test_usage_is_the_last_object_and_not_a_sum_or_a_mixture() -> None:
    stream = read(
        response("a", usageMetadata={"promptTokenCount": 10, "totalTokenCount": 10}),
        response(
            "b",
            usageMetadata={
                "promptTokenCount": 10,
                "toolUsePromptTokenCount": 90,
                "totalTokenCount": 130,
            },
        ),
        response("c"),
        response(
            finish="STOP",
            usageMetadata={
                "promptTokenCount": 9,
                "candidatesTokenCount": 5,
                "totalTokenCount": 14,
            },
        ),
    )
    assert (stream.input_tokens, stream.output_tokens) == (9, 5)
    assert stream.usage.tool_use_prompt_token_count is None
    assert [chunk.input_tokens for chunk, _ in stream.items] == [10, 100, None, 9]


def test_a_whole_snapshot_replaces_every_field() -> None:
    answer = Accumulator()
    answer.add([UsageDelta({"a": 1, "b": 2})])
    answer.add([UsageDelta({"a": 3})])
    assert answer.usage == {"a": 3, "b": 2}
    snapshot = {"c": 4}
    answer.add([UsageDelta(snapshot, whole=True)])
    answer.add([UsageDelta({"d": 5})])
    assert (answer.usage, snapshot) == ({"c": 4, "d": 5}, {"c": 4})


def test_other_candidates_are_kept_apart() -> None:
    def candidates(*texts: str, **more: Any) -> dict[str, Any]:
        return {
            "candidates": [
                {"content": {"parts": [{"text": text}]}, "index": index, **more}
                for index, text in enumerate(texts)
            ]
        }

    stream = read(candidates("a1 ", "b1 "), candidates("a2", "b2", finishReason="STOP"))
    assert stream.content == "a1 a2"
    assert stream.finish_reasons == ["STOP", "STOP"]
    found = stream.construct_call_response().response.candidates
    assert [c.content.parts[0].text for c in found] == ["a1 a2", "b1 b2"]


def test_what_describes_the_answer_is_on_the_response_and_not_in_the_message() -> None:
    source = {"startIndex": 1, "endIndex": 2, "uri": "https://a.example"}
    grounding = {"webSearchQueries": ["a", "b"], "newField": 1}
    stream = read(
        response("a", candidate={"citationMetadata": {"citationSources": [source]}}),
        response("b", candidate={"groundingMetadata": {}}),
        response(
            "c",
            finish="STOP",
            candidate={
                "groundingMetadata": grounding,
                "citationMetadata": {"citationSources": [source, {**source, "endIndex": 3}]},
            },
            usageMetadata={"promptTokenCount": 10, "toolUsePromptTokenCount": 90},
        ),
    )
    [candidate] = stream.construct_call_response().response.candidates
    assert candidate.grounding_metadata.web_search_queries == ["a", "b"]
    assert [c.end_index for c in candidate.citation_metadata.citations] == [2, 3]
    assert stream.message_param["parts"] == [{"text": "abc"}]
    # The results of a search are not billed.
    assert stream.input_tokens == 10


def test_new_kinds_of_parts_and_odd_values_pass_through() -> None:
    new = {"hologram": {"url": "https://a.example"}}
    stream = read(
        {"candidates": [{"content": None}, {"content": {"parts": None}}, {}]},
        {"candidates": None, "somethingNew": True},
        {},
        response({"text": 5}, {}, new),
        response({"functionCall": "odd"}, finish="BRAND_NEW"),
    )
    assert stream.message_param["parts"] == [new, {"functionCall": "odd"}]
    assert (stream.finish_reasons, stream.finish_reason) == (["BRAND_NEW"], "other")
    assert stream.items[3][0].chunk.candidates[0].content.parts is not None
    with pytest.warns(UserWarning, match="BRAND_NEW is not a valid"):
        assert stream.items[4][0].chunk.candidates[0].finish_reason == "BRAND_NEW"


@pytest.mark.filterwarnings("ignore:.*is not a valid:UserWarning")
def test_numbers_in_place_of_names() -> None:
    rating = {"category": 8, "probability": 1}
    stream = read(
        response("a", candidate={"safetyRatings": [rating]}),
        response(call(name="f", args={"n": 1}), candidate={"finishReason": 2}),
    )
    assert (stream.finish_reasons, stream.finish_reason) == ([2], "length")
    chunk = stream.items[1][0].chunk
    # pydantic 2.14 makes text of the number; older ones refuse it, and the field is left out.
    is_new = tuple(map(int, pydantic.VERSION.split(".")[:2])) >= (2, 14)
    assert chunk.candidates[0].finish_reason == ("2" if is_new else None)
    assert chunk.candidates[0].content.parts[0].function_call.args == {"n": 1}
    assert chunk.candidates[0].index == 0


def test_the_decoder_leaves_what_it_reads_as_it_is() -> None:
    body = response("a", call(name="f", args={}), finish="STOP", usageMetadata={"a": 1})
    before = json.dumps(body)
    answer = Accumulator()
    answer.add(GoogleDecoder().decode(body) or ())
    answer.add([UsageDelta({"b": 2})])
    assert json.dumps(body) == before


def test_an_answer_without_parts_has_none_to_send_back() -> None:
    for said in ({"promptFeedback": {"blockReason": "OTHER"}}, response("", finish="STOP")):
        message = read(said).message_param
        assert types.Content.model_validate(message).parts == []
