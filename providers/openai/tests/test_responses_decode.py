"""What servers of the Responses API really send, in bytes, and what it means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mirascope.core import (
    MirascopeError,
    StreamDecodeError,
    StreamProviderError,
    StreamTruncatedError,
)
from mirascope.core.testing import replay
from mirascope_openai import OpenAIResponsesProvider

from .responses import (
    MODEL,
    USAGE,
    added,
    completed,
    created,
    deltas,
    done,
    event,
    events,
    function_call,
    message,
    reasoning,
    response,
)

PROVIDER = OpenAIResponsesProvider()


def get_weather(city: str) -> str:
    """Say the weather in a city."""
    return f"sunny in {city}"


def read(body: bytes, **options: Any) -> tuple[Any, list[tuple[Any, Any]], MirascopeError | None]:
    stream = replay(PROVIDER, body, tools=[get_weather], **options)
    items: list[tuple[Any, Any]] = []
    try:
        for item in stream:
            items.append(item)  # noqa: PERF402 - what came before an error is kept
    except MirascopeError as error:
        return stream, items, error
    return stream, items, None


def good(body: bytes) -> tuple[Any, list[tuple[Any, Any]]]:
    stream, items, error = read(body)
    assert error is None
    assert stream.state == "completed"
    return stream, items


def test_an_ordinary_answer() -> None:
    stream, items = good(events(reasoning("I think."), message("Hello, you!")))
    assert [c.content for c, _ in items if c.content] == ["Hel", "lo, you!"]
    assert [c.thinking for c, _ in items if c.thinking] == ["I t", "hink."]
    assert stream.content == "Hello, you!"
    assert stream.thinking == "I think."
    assert (stream.id, stream.model) == ("resp_1", MODEL)
    assert stream.finish_reasons == ["completed"]
    assert stream.finish_reason == "stop"
    assert items[0][0].id == "resp_1"
    assert items[0][0].model == MODEL
    assert items[2][0].id is None
    last = items[-1][0]
    assert (last.input_tokens, last.cached_tokens, last.output_tokens) == (120, 20, 30)
    assert last.finish_reasons == ["completed"]
    assert stream.common_usage.reasoning_tokens == 10
    assert stream.common_usage.counts == {
        "input": 100,
        "cache_read": 20,
        "cache_write": 0,
        "output": 30,
    }


def test_a_message_of_commentary_and_one_of_the_answer_keep_their_phases() -> None:
    first = message("Let me see.", 1, phase="commentary")
    second = message("42.", 2, phase="final_answer")
    stream, _ = good(events(first, second))
    assert stream.content == "Let me see.42."
    assert stream.message_param == {"role": "assistant", "content": [first, second]}


def test_tools_are_yielded_with_the_event_that_ends_them() -> None:
    call = function_call("get_weather", '{"city":"Paris"}')
    other = function_call("get_weather", '{"city":"Rome"}', 2)
    stream, items = good(events(reasoning(), call, other))
    yielded = [(chunk.data["type"], tool.call()) for chunk, tool in items if tool]
    assert yielded == [
        ("response.output_item.done", "sunny in Paris"),
        ("response.output_item.done", "sunny in Rome"),
    ]
    assert stream.finish_reason == "tool_calls"
    assert stream.message_param["content"] == [reasoning(), call, other]
    assert stream.tool_message_params([(t, t.call()) for t in stream.tools])[1] == {
        "type": "function_call_output",
        "call_id": "call_2",
        "output": "sunny in Rome",
    }


def test_interleaved_calls_find_their_items() -> None:
    one, two = function_call("get_weather", "", 1), function_call("get_weather", "", 2)
    body = b"".join(
        [
            created(),
            added(one, 0),
            added(two, 1),
            deltas(one, 0, '{"city":'),
            deltas(two, 1, '{"city":"Rome"}'),
            deltas(one, 0, '"Paris"}'),
            done({**two, "arguments": '{"city":"Rome"}'}, 1),
            done({**one, "arguments": '{"city":"Paris"}'}, 0),
            completed(),
        ]
    )
    stream, _ = good(body)
    assert [tool.call() for tool in stream.tools] == ["sunny in Rome", "sunny in Paris"]


def test_a_repeated_call_id_is_told_apart_in_the_message_too() -> None:
    calls = [
        function_call("get_weather", f'{{"city":"{city}"}}', n, call_id="call_0")
        for n, city in enumerate(["Rome", "Oslo"], 1)
    ]
    stream, _ = good(events(*calls))
    ids = [tool.tool_call.id for tool in stream.tools]
    assert len(set(ids)) == 2
    assert [item["call_id"] for item in stream.message_param["content"]] == ids


def test_a_call_without_arguments() -> None:
    stream, _ = good(events(function_call("get_weather", "")))
    (tool,) = stream.tools
    assert tool.tool_call.arguments == ""
    assert stream.message_param["content"][0]["arguments"] == "{}"


def test_a_custom_tool_call_is_answered_as_one() -> None:
    call = {
        "id": "ctc_1",
        "type": "custom_tool_call",
        "status": "completed",
        "call_id": "call_1",
        "name": "write_sql",
        "input": "SELECT 1",
    }
    stream, _ = good(events(call, function_call("get_weather", "{}", 2)))
    custom, function = stream.tools
    assert (custom.tool_call.name, custom.tool_call.arguments) == ("write_sql", "SELECT 1")
    assert custom.error is not None
    assert stream.message_param["content"][0] == call
    results = stream.tool_message_params([(custom, "1 row"), (function, None)])
    assert [item["type"] for item in results] == [
        "custom_tool_call_output",
        "function_call_output",
    ]
    assert results[0]["output"] == "1 row"
    assert "city" in results[1]["output"], "what is wrong with a call is its result"


def test_llama_cpp_sends_no_indexes() -> None:
    begun = {"id": "resp_1", "object": "response", "status": "in_progress"}
    item, call = message("Hi"), function_call("get_weather", '{"city":"Rome"}')
    body = b"".join(
        [
            event("response.created", response=begun),
            event("response.output_item.added", item={**item, "content": []}),
            event("response.content_part.added", item_id="msg_1", part={"type": "output_text"}),
            event("response.output_text.delta", item_id="msg_1", delta="Hi"),
            event("response.output_item.done", item=item),
            event("response.output_item.added", item={**call, "arguments": ""}),
            event("response.function_call_arguments.delta", item_id="fc_1", delta='{"city":'),
            event("response.function_call_arguments.delta", item_id="fc_1", delta='"Rome"}'),
            event("response.output_item.done", item=call),
            completed(item, call),
        ]
    )
    stream, _ = good(body)
    assert stream.content == "Hi"
    assert [t.call() for t in stream.tools] == ["sunny in Rome"]
    assert stream.message_param["content"] == [item, call]
    assert stream.model == MODEL, "which only the last event says"


def test_ids_that_change_with_every_event() -> None:
    thought, item = reasoning("Hm."), message("Hello")
    other = {**thought, "id": "x9", "encrypted_content": "second"}
    body = b"".join(
        [
            event("response.created", response=response(id="a1")),
            event("response.in_progress", response=response(id="a2")),
            added({**thought, "id": "x1"}, 0),
            deltas({**thought, "id": "x2"}, 0, "Hm."),
            done(other, 0),
            added({**item, "id": "y1"}, 1),
            deltas({**item, "id": "y2"}, 1, "Hel"),
            deltas({**item, "id": "y3"}, 1, "lo"),
            done({**item, "id": "y4"}, 1),
            completed({**thought, "id": "x5"}, {**item, "id": "y5"}, id="a3"),
        ]
    )
    stream, _ = good(body)
    assert (stream.id, stream.thinking, stream.content) == ("a1", "Hm.", "Hello")
    assert stream.message_param["content"] == [other, {**item, "id": "y4"}]


def test_the_last_event_has_no_items_though_they_were_streamed() -> None:
    item = message("Hello")
    parts = [created(), added(item, 0), deltas(item, 0, "Hello"), done(item, 0), completed()]
    stream, _ = good(b"".join(parts))
    assert stream.message_param["content"] == [item]
    built = stream.construct_call_response().response
    assert built.output_text == "Hello"


def test_items_that_only_the_last_event_has() -> None:
    items = [reasoning("Hm."), message("Hello"), function_call("get_weather", '{"city":"Rome"}')]
    stream, read_items = good(created() + completed(*items))
    assert (stream.thinking, stream.content) == ("Hm.", "Hello")
    assert [t.call() for _, t in read_items if t] == ["sunny in Rome"]
    assert "".join(c.content for c, _ in read_items) == "Hello"
    assert stream.message_param["content"] == items


def test_items_without_deltas() -> None:
    raw = reasoning(content=[{"type": "reasoning_text", "text": "Raw."}], summary=[])
    items = [raw, message("Hello"), function_call("get_weather", '{"city":"Rome"}')]
    body = b"".join(added(i, n) + done(i, n) for n, i in enumerate(items))
    stream, _ = good(created() + body + completed(*items))
    assert (stream.thinking, stream.content) == ("Raw.", "Hello")
    assert [t.call() for t in stream.tools] == ["sunny in Rome"]
    assert stream.message_param["content"] == items


def test_deltas_of_items_that_nothing_announced() -> None:
    body = b"".join(
        [
            event("response.reasoning_text.delta", delta="Hm."),
            event("response.output_text.delta", delta="Hel"),
            event("response.output_text.delta", delta="lo"),
            completed(),
        ]
    )
    stream, _ = good(body)
    assert (stream.thinking, stream.content) == ("Hm.", "Hello")
    assert stream.message_param["content"] == [
        {"type": "message", "role": "assistant", "content": "Hello"}
    ]


def test_a_call_that_only_the_end_closes() -> None:
    call = function_call("get_weather", "")
    body = created() + added(call, 0) + deltas(call, 0, '{"city":"Rome"}') + completed()
    stream, _ = good(body)
    assert [t.call() for t in stream.tools] == ["sunny in Rome"]
    assert stream.message_param["content"] == [
        {**call, "arguments": '{"city":"Rome"}', "status": "completed"}
    ]


def test_one_index_for_every_item() -> None:
    first, second = message("One. ", 1), message("Two.", 2)
    body = b"".join(
        added(item, 0) + deltas(item, 0, text) + done(item, 0)
        for item, text in ((first, "One. "), (second, "Two."))
    )
    stream, _ = good(created() + body + completed(first, second))
    assert stream.content == "One. Two."
    assert stream.message_param["content"] == [first, second]


def test_an_index_that_names_an_item_of_another_kind() -> None:
    thought, item = reasoning("Hm."), message("Hello")
    body = b"".join(
        [
            added(thought, 0),
            deltas(thought, 0, "Hm."),
            done(thought, 0),
            added(item, 1),
            event("response.output_text.delta", item_id="?", output_index=0, delta="Hello"),
            done(item, 1),
        ]
    )
    stream, _ = good(created() + body + completed(thought, item))
    assert (stream.thinking, stream.content) == ("Hm.", "Hello")


def test_a_refusal() -> None:
    refused = message("", content=[{"type": "refusal", "refusal": "I can't."}])
    part = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    body = b"".join(
        [
            created(),
            added(refused, 0),
            event("response.refusal.delta", **part, delta="I "),
            event("response.refusal.delta", **part, delta="can't."),
            done(refused, 0),
            completed(refused),
        ]
    )
    stream, items = good(body)
    assert stream.refusal == "I can't."
    assert stream.content == ""
    assert [c.refusal for c, _ in items if c.refusal] == ["I ", "can't."]
    assert stream.finish_reason == "refusal"
    assert stream.finish_reasons == ["completed"]
    assert stream.message_param["content"] == [refused]
    whole_only, _ = good(created() + completed(refused))
    assert whole_only.refusal == "I can't."


def test_items_of_built_in_tools_and_of_the_future_go_back_as_they_came() -> None:
    search = {
        "id": "ws_1",
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    }
    unknown = {"id": "zz_1", "type": "time_travel_call", "year": 1955, "nothing": None}
    items = [reasoning(), search, reasoning(number=2), unknown, message("Done.")]
    body = b"".join(
        [
            created(),
            *(added(item, n) + done(item, n) for n, item in enumerate(items)),
            event("response.web_search_call.searching", item_id="ws_1", output_index=1),
            event("response.time_travel_call.departed", item_id="zz_1", output_index=3, x=1),
            completed(*items),
        ]
    )
    stream, chunks = good(body)
    assert stream.message_param["content"] == items
    assert chunks[-2][0].data["x"] == 1, "an unknown event is a chunk"


def test_keep_alives_are_no_chunks() -> None:
    body = created() + event("keepalive", sequence_number=1) + completed(message("Hi"))
    _, items = good(body)
    assert [c.data["type"] for c, _ in items] == ["response.created", "response.completed"]


@pytest.mark.parametrize(
    ("reason", "raw", "unified"),
    [
        ("max_output_tokens", "incomplete:max_output_tokens", "length"),
        ("content_filter", "incomplete:content_filter", "content_filter"),
        ("steered", "incomplete:steered", "other"),
        (None, "incomplete", "other"),
    ],
)
def test_an_incomplete_response_is_complete_as_a_stream(
    reason: str | None, raw: str, unified: str
) -> None:
    cut = message("Once upon", status="incomplete")
    details = {"reason": reason} if reason else None
    end = event(
        "response.incomplete",
        response=response("incomplete", incomplete_details=details, output=[cut], usage=USAGE),
    )
    stream, _ = good(created() + added(cut, 0) + deltas(cut, 0, "Once upon") + done(cut, 0) + end)
    assert stream.finish_reasons == [raw]
    assert stream.finish_reason == unified
    assert stream.usage.output_tokens == 30


def test_what_was_thought_last_does_not_go_back() -> None:
    end = event("response.incomplete", response=response("incomplete", output=[]))
    thought = reasoning("Hm.")
    body = created() + added(thought, 0) + deltas(thought, 0, "Hm.") + done(thought, 0) + end
    stream, _ = good(body)
    assert stream.thinking == "Hm."
    assert stream.message_param == {"role": "assistant", "content": []}


ERROR = {"type": "tokens", "code": "rate_limit_exceeded", "message": "Too much.", "param": None}


@pytest.mark.parametrize(
    "body",
    [
        event("error", code="rate_limit_exceeded", message="Too much.", param=None),
        event("error", error=ERROR),
        event("response.failed", response=response("failed", error=ERROR)),
        b"data: " + json.dumps({"error": ERROR}).encode() + b"\n\n",
        b"event: error\ndata: " + json.dumps({"error": ERROR}).encode() + b"\n\n",
    ],
    ids=["flat", "nested", "failed", "bare", "named"],
)
def test_errors_in_the_stream(body: bytes) -> None:
    item = message("Hello")
    stream, _, error = read(created() + added(item, 0) + deltas(item, 0, "Hel") + body)
    assert isinstance(error, StreamProviderError)
    assert (error.message, error.code) == ("Too much.", "rate_limit_exceeded")
    assert stream.state == "failed"
    assert stream.content == "Hel"
    assert error.stream is stream
    assert stream.message_param["content"] == [
        {"type": "message", "role": "assistant", "content": "Hel"}
    ]


def test_a_failed_response_keeps_its_usage() -> None:
    end = event("response.failed", response=response("failed", error=None, usage=USAGE))
    stream, _, error = read(created() + end)
    assert isinstance(error, StreamProviderError)
    assert "failed" in error.message
    assert stream.usage.total_tokens == 150
    assert stream.finish_reasons == ["failed"]
    assert stream.finish_reason == "error"


def test_done_is_not_the_end() -> None:
    item = message("Hello")
    parts = [created(), added(item, 0), deltas(item, 0, "Hel"), b"data: [DONE]\n\n"]
    stream, _, error = read(b"".join(parts))
    assert isinstance(error, StreamTruncatedError)
    assert stream.state == "truncated"
    assert stream.content == "Hel"
    good(events(item) + b"data: [DONE]\n\n")


@pytest.mark.parametrize("delta", [None, 5, ["x"], {}])
def test_deltas_that_are_no_text_say_nothing(delta: Any) -> None:
    kinds = ("output_text", "refusal", "reasoning_text")
    odd = b"".join(event(f"response.{kind}.delta", output_index=0, delta=delta) for kind in kinds)
    stream, _ = good(created() + odd + completed())
    assert (stream.content, stream.thinking, stream.refusal) == ("", "", None)


@pytest.mark.parametrize("odd", [None, 5, "x", [], {}])
def test_shapes_that_no_server_should_send(odd: Any) -> None:
    body = b"".join(
        [
            event("response.created", response=odd),
            event("response.output_item.added", item=odd),
            event("response.output_item.done", item=odd),
            event("response.completed", response=odd),
        ]
    )
    good(body)
    good(created() + completed(output=odd, usage=odd, incomplete_details=odd, id=odd))


def test_a_body_that_is_no_stream() -> None:
    item = message("Hello")
    stream, _ = good(json.dumps(response("completed", output=[item], usage=USAGE)).encode())
    assert stream.content == "Hello"
    assert stream.usage.total_tokens == 150
    _, _, error = read(json.dumps({"error": ERROR}).encode())
    assert isinstance(error, StreamProviderError)
    assert error.code == "rate_limit_exceeded"
    _, _, error = read(b"<html>Bad gateway</html>")
    assert isinstance(error, StreamDecodeError)
    stream, _, error = read(json.dumps(response("in_progress")).encode())
    assert isinstance(error, StreamDecodeError)
    assert stream.state == "failed"


def test_a_stopped_stream_keeps_what_can_go_back() -> None:
    call, item = function_call("get_weather", ""), message("Hello", 2, phase="commentary")
    body = b"".join(
        [
            created(),
            *(added(i, n) + done(i, n) for n, i in enumerate([reasoning(), message("Well. ")])),
            added(reasoning(number=2), 2) + done(reasoning(number=2), 2),
            added(item, 3) + deltas(item, 3, "Hel"),
            added(call, 4) + deltas(call, 4, '{"ci'),
        ]
    )
    stream, _, error = read(body)
    assert isinstance(error, StreamTruncatedError)
    # The second thought belongs to a message that is not complete, the call has no arguments.
    assert stream.message_param["content"] == [
        reasoning(),
        message("Well. "),
        {"type": "message", "role": "assistant", "content": "Hel", "phase": "commentary"},
    ]
    built = stream.construct_call_response().response
    assert [item.type for item in built.output] == [
        "reasoning",
        "message",
        "reasoning",
        "message",
        "function_call",
    ]
    assert built.output_text == "Well. Hel"
    assert built.output[4].arguments == '{"ci'


def test_openrouter_reports_the_cost() -> None:
    stream, _ = good(created() + completed(message("Hi"), usage={**USAGE, "cost": 4.68e-05}))
    assert stream.cost == pytest.approx(4.68e-05)
    assert stream.cost_details.basis == "provider"


def test_the_tier_that_served_counts() -> None:
    body = event("response.created", response=response(service_tier="auto"))
    stream, _ = good(body + completed(message("Hi"), service_tier="flex"))
    assert stream.common_usage.facts["service_tier"] == "flex"


def test_events_that_only_their_names_tell_apart() -> None:
    def named(kind: str, **fields: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps(fields)}\n\n".encode()

    for ending in ("completed", "incomplete"):
        stream, _ = good(
            named("response.output_text.delta", delta="Hi")
            + named(f"response.{ending}", response={})
        )
        assert stream.content == "Hi"
        assert stream.finish_reasons == [ending]
    _, _, error = read(named("response.failed", response={}))
    assert isinstance(error, StreamProviderError)


def test_an_empty_delta_is_no_text() -> None:
    items = [reasoning("Hm."), message("Hello"), function_call("get_weather", '{"city":"Rome"}')]
    body = b"".join(added(i, n) + deltas(i, n, "") + done(i, n) for n, i in enumerate(items))
    stream, _ = good(created() + body + completed(*items))
    assert (stream.thinking, stream.content) == ("Hm.", "Hello")
    assert [t.call() for t in stream.tools] == ["sunny in Rome"]
