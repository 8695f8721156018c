"""Conversations, sent through the real SDK and checked against its own parameter types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from mirascope.core import CallRequest
from mirascope.core.testing import ReceivedRequest, Reply, Server, replay, streamed, whole
from mirascope_openai import OpenAIResponsesProvider
from mirascope_tests.shared import CORPUS, each
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from pydantic import TypeAdapter, ValidationError

from .responses import WAYS, Way, events, function_call, message, reasoning, way_name

PARAMS: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsStreaming)
PROVIDER = OpenAIResponsesProvider()
INDEX = CORPUS / "index.jsonl"
RECORDINGS = [
    record
    for record in map(json.loads, INDEX.read_text("utf-8").splitlines() if INDEX.exists() else ())
    if record["protocol"] == "openai-responses"
    and record["server"] in ("openai", "azure")
    and "error_event" not in record["features"] + record["oddities"]
]
CUSTOM = {
    "id": "ctc_1",
    "type": "custom_tool_call",
    "call_id": "call_9",
    "name": "write_sql",
    "input": "SELECT 1",
}


def get_weather(city: str) -> str:
    """Say the weather in a city."""
    return f"sunny in {city}"


def check(body: Any) -> None:
    """Raise a ValidationError for what the SDK's types of a request don't allow."""
    exhaust(PARAMS.validate_python(body, extra="forbid"), body)


def exhaust(valid: Any, given: Any) -> None:
    """Go through what was validated: an `Iterable` in a type is validated as it is iterated."""
    if isinstance(given, Mapping):
        for key, value in given.items():
            exhaust(valid[key], value)
    elif isinstance(given, list):
        for value, of in zip(valid, given, strict=True):
            exhaust(value, of)


def checked(*bodies: bytes) -> Any:
    """One stream after the other for good requests, and the API's 400 for any other."""
    left = list(bodies)

    def reply(request: ReceivedRequest) -> Reply:
        try:
            check(request.json)
        except ValidationError as error:
            body = {"error": {"message": str(error), "type": "invalid_request_error"}}
            return whole(body, status=400)
        return streamed(left.pop(0))

    return reply


@pytest.mark.parametrize(
    "item",
    [
        {"type": "reasoning", "id": "rs_1"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "text", "text": "Hm."}]},
        {"type": "function_call", "call_id": "call_1", "name": "f"},
        {"type": "function_call_output", "tool_call_id": "call_1", "output": "x"},
        {"role": "assistant", "content": None},
        {"role": "user", "content": [{"type": "text", "text": "chat's own name"}]},
        {"role": "assistant", "content": "x", "tool_calls": []},
    ],
)
def test_the_check_refuses_what_is_wrong(item: Any) -> None:
    request = {"model": "gpt-5", "input": [{"role": "user", "content": "hi"}], "stream": True}
    check(request)
    check({**request, "input": [reasoning("Hm."), message("Hi"), function_call("f", "{}")]})
    with pytest.raises(ValidationError):
        check({**request, "input": [item]})


@pytest.mark.parametrize("way", WAYS, ids=way_name)
def test_tools_and_reasoning_go_back(way: Way) -> None:
    first = [
        reasoning("I should look.", 1),
        message("Let me look.", 1, phase="commentary"),
        reasoning(number=2),
        function_call("get_weather", '{"city":"Rome"}', 1),
        function_call("get_weather", '{"city":"Oslo"}', 2),
        CUSTOM,
        function_call("get_weather", "no json", 3),
    ]
    second = [reasoning(number=3), message("Sunny.", 2, phase="final_answer")]
    ask = {"role": "user", "content": [{"type": "text", "text": "The weather?"}]}
    system = {"role": "system", "content": "Look it up."}
    tools: dict[str, Any] = {"tools": [get_weather], "store": False}

    with Server(
        checked(events(*first), events(*second), events(message("Bye", 3))), path="/v1"
    ) as server:
        history: list[Any] = [system, ask]
        looked = way.read(server.url, history, **tools)
        assert looked.error is None
        results = [(t, t.call() if t.error is None else None) for t in looked.tools]
        history += [looked.stream.message_param, *looked.stream.tool_message_params(results)]
        answered = way.read(server.url, history, **tools)
        assert answered.error is None
        assert answered.stream.content == "Sunny."
        # Kept as JSON between the turns, as an application does.
        history = json.loads(json.dumps([*history, answered.stream.message_param]))
        last = way.read(server.url, [*history, {"role": "user", "content": "Bye"}], **tools)
        assert last.error is None
    one, two, three = (request.json for request in server.requests)
    question = {"role": "user", "content": [{"type": "input_text", "text": "The weather?"}]}
    assert one["input"] == [question]
    assert one["instructions"] == two["instructions"] == three["instructions"] == "Look it up."
    outputs = two["input"][len(first) + 1 :]
    # No server takes arguments in the history that are not an object.
    sent = [*first[:-1], {**first[-1], "arguments": '{"INVALID_JSON": "no json"}'}]
    assert two["input"] == [question, *sent, *outputs]
    assert [(o["type"], o["call_id"]) for o in outputs] == [
        ("function_call_output", "call_1"),
        ("function_call_output", "call_2"),
        ("custom_tool_call_output", "call_9"),
        ("function_call_output", "call_3"),
    ]
    assert [o["output"] for o in outputs[:2]] == ["sunny in Rome", "sunny in Oslo"]
    assert three["input"] == [*two["input"], *second, {"role": "user", "content": "Bye"}]


@pytest.mark.parametrize("way", WAYS, ids=way_name)
def test_a_stopped_answer_goes_back(way: Way) -> None:
    whole_body = events(reasoning(), message("Hello, you!"))
    cut, _, _ = whole_body.rpartition(b"event: response.output_item.done")
    with Server(checked(cut, events(message("Bye"))), path="/v1") as server:
        stopped = way.read(server.url)
        user, answer = stopped.stream.user_message_param, stopped.stream.message_param
        assert answer["content"] == [
            {"type": "message", "role": "assistant", "content": "Hello, you!"}
        ]
        reading = way.read(server.url, [user, answer, {"role": "user", "content": "Go on"}])
    assert reading.error is None


@pytest.mark.parametrize("record", each(RECORDINGS, lambda record: record["file"].split("/")[1]))
def test_recorded_answers_go_back(record: Any) -> None:
    stream = replay(PROVIDER, (CORPUS / record["file"]).read_bytes(), tools=[get_weather])
    stream.collect()
    outputs = stream.tool_message_params([(tool, "out") for tool in stream.tools])
    messages = [{"role": "user", "content": "hi"}, stream.message_param, *outputs]
    request = PROVIDER.prepare(CallRequest(model="gpt-5", messages=messages, stream=True))
    body = json.loads(json.dumps(request.kwargs))
    for item in body["input"]:
        if item.get("type") == "image_generation_call":
            from openai.types.responses.response_input_item_param import ImageGenerationCall

            if "background" not in ImageGenerationCall.__annotations__:
                pytest.skip("the types of this SDK are older than the recording")
        if item.get("type") == "custom_tool_call":
            # OpenAI sends a status that its own type of the input does not list.
            item.pop("status", None)
    check(body)
