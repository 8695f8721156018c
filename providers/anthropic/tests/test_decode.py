"""What events mean that no recording shows, or not all at once: bytes in, values out."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope.core import (
    StreamDecodeError,
    StreamProviderError,
    StreamState,
    StreamTruncatedError,
    UnknownPriceWarning,
)
from mirascope.core.testing import replay
from mirascope_anthropic import AnthropicProvider
from mirascope_tests.shared import SHARED, needs_shared

from .messages import (
    MESSAGE_STOP,
    PING,
    answer,
    delta,
    event,
    message_delta,
    message_start,
    start,
    stop,
    text,
)

PROVIDER = AnthropicProvider()


def read(*events: bytes, **options: Any) -> tuple[Any, list[Any]]:
    stream = replay(PROVIDER, b"".join(events), **options)
    return stream, list(stream)


def fails(*events: bytes) -> tuple[Any, Exception]:
    stream = replay(PROVIDER, b"".join(events))
    with pytest.raises(Exception) as raised:
        stream.collect()
    return stream, raised.value


def tool_use(index: int, *parts: str, **block: Any) -> bytes:
    block = {"type": "tool_use", "id": f"toolu_{index}", "name": "look_up", "input": {}, **block}
    pieces = [delta(index, type="input_json_delta", partial_json=part) for part in parts]
    return b"".join([start(index, **block), *pieces, stop(index)])


class TestToolCalls:
    @pytest.mark.parametrize(
        ("block", "arguments"),
        [
            (tool_use(0), "{}"),  # as the block's beginning says
            (tool_use(0, ""), "{}"),
            (tool_use(0, "", '{"title', '": "Emma"}'), '{"title": "Emma"}'),
            (tool_use(0, '{"title": "Emma"}'), '{"title": "Emma"}'),
            (tool_use(0, input={"title": "Emma"}), '{"title":"Emma"}'),
            (tool_use(0, "", input={"title": "Emma"}), '{"title":"Emma"}'),
            (tool_use(0, '{"title": "Emma"}', input={"title": "E"}), '{"title": "Emma"}'),
        ],
        ids=["none", "empty", "fragments", "one piece", "whole", "whole, empty delta", "both"],
    )
    def test_arguments_in_every_shape(self, block: bytes, arguments: str) -> None:
        def look_up(title: str = "any") -> str:
            return title

        stream, items = read(*answer(block, reason="tool_use"), tools=[look_up])
        (tool,) = stream.tools
        assert tool.tool_call.arguments == arguments
        assert tool.tool_call.id == "toolu_0"
        assert tool.call() == ("Emma" if "Emma" in arguments else "any")
        # It is there as soon as its block stops; one without arguments may have been cut.
        (position,) = (i for i, (_, tool) in enumerate(items) if tool)
        ended = "message_delta" if arguments == "{}" else "content_block_stop"
        assert items[position][0].data["type"] == ended
        assert stream.finish_reason == "tool_calls"

    def test_no_input_in_the_start_as_llama_cpp_sends_it(self) -> None:
        block = start(0, type="tool_use", id="x", name="look_up")
        arguments = delta(0, type="input_json_delta", partial_json='{"title": "Emma"}')
        stream, _ = read(*answer(block, arguments, stop(0)))
        assert stream.tools[0].args == {"title": "Emma"}

    def test_overlapping_calls_and_text(self) -> None:
        events = [
            start(0, type="tool_use", id="a", name="f", input={}),
            start(1, type="text", text=""),
            delta(0, type="input_json_delta", partial_json='{"n":'),
            start(2, type="tool_use", id="b", name="f", input={}),
            delta(2, type="input_json_delta", partial_json='{"n": 2}'),
            delta(1, type="text_delta", text="Looking"),
            stop(2),
            delta(0, type="input_json_delta", partial_json=" 1}"),
            stop(0),
            delta(1, type="text_delta", text=" up."),
            stop(1),
        ]
        stream, _ = read(*answer(*events))
        assert [(t.tool_call.id, t.args) for t in stream.tools] == [
            ("b", {"n": 2}),
            ("a", {"n": 1}),
        ]
        assert stream.content == "Looking up."
        kinds = [block["type"] for block in stream.message_param["content"]]
        assert kinds == ["tool_use", "text", "tool_use"]

    def test_a_block_that_is_never_stopped_ends_with_the_message(self) -> None:
        opened = start(0, type="tool_use", id="a", name="f", input={})
        part = delta(0, type="input_json_delta", partial_json='{"n": [1,')
        stream, items = read(*answer(opened, part, reason="max_tokens"))
        (tool,) = stream.tools
        assert "not valid JSON" in str(tool.error)
        assert items[-1][1] is tool
        (block,) = stream.message_param["content"]
        assert block["input"] == {"INVALID_JSON": '{"n": [1,'}

    def test_a_call_that_was_cut_is_no_call(self) -> None:
        opened = start(0, type="tool_use", id="a", name="f", input={"n": 1})
        stream, error = fails(message_start(), opened)
        assert isinstance(error, StreamTruncatedError)
        assert stream.tools == []
        assert stream.message_param == {"role": "assistant", "content": ""}


class TestSeveralMessages:
    def test_blocks_of_two_messages_have_the_same_numbers(self) -> None:
        stream, _ = read(
            message_start(id="msg_a", model="claude-a"),
            text(0, "One"),
            tool_use(1, '{"n": 1}'),
            message_start({"input_tokens": 99, "output_tokens": 0}, id="msg_b", model="claude-b"),
            text(0, ", two"),
            tool_use(1, '{"n": 2}', id="toolu_b"),
            message_delta(usage={"output_tokens": 7}),
            MESSAGE_STOP,
        )
        assert stream.content == "One, two"
        assert [(t.tool_call.id, t.args["n"]) for t in stream.tools] == [
            ("toolu_1", 1),
            ("toolu_b", 2),
        ]
        assert (stream.id, stream.model) == ("msg_a", "claude-a")
        assert stream.usage.input_tokens == 12
        assert stream.usage.output_tokens == 7
        kinds = [block["type"] for block in stream.message_param["content"]]
        assert kinds == ["text", "tool_use", "text", "tool_use"]

    def test_spliced_into_an_open_block(self) -> None:
        stream, _ = read(
            message_start(),
            start(0, type="text", text="Once"),
            message_start(id="msg_2"),
            delta(0, type="text_delta", text=" upon"),
            stop(0),
            message_delta(),
            MESSAGE_STOP,
        )
        assert stream.content == "Once upon"
        assert stream.message_param == {"role": "assistant", "content": "Once upon"}

    def test_a_block_that_takes_the_place_of_an_open_one(self) -> None:
        stream, _ = read(
            message_start(),
            start(0, type="tool_use", id="a", name="f", input={}),
            delta(0, type="input_json_delta", partial_json='{"n": 1}'),
            message_start(id="msg_2"),
            text(0, "Hi"),
            message_delta(),
            MESSAGE_STOP,
        )
        assert [tool.args for tool in stream.tools] == [{"n": 1}]
        assert stream.content == "Hi"


class TestWhatIsUnknown:
    def test_events_blocks_and_deltas_pass_through(self) -> None:
        stream, items = read(
            *answer(
                event({"type": "message_aside", "note": "x"}),
                start(0, type="hologram", depth=3),
                delta(0, type="voxel_delta", voxels=[1]),
                stop(0),
                text(1, "Hi"),
                reason="tired",
            )
        )
        assert [chunk.data["type"] for chunk, _ in items][1:4] == [
            "message_aside",
            "content_block_start",
            "content_block_delta",
        ]
        assert items[3][0].chunk.delta.voxels == [1]
        assert stream.state is StreamState.COMPLETED
        assert stream.finish_reasons == ["tired"]
        assert stream.finish_reason == "other"
        assert stream.message_param["content"] == [
            {"type": "hologram", "depth": 3},
            {"type": "text", "text": "Hi"},
        ]

    def test_a_ping_is_no_chunk(self) -> None:
        _, items = read(PING, *answer(PING, text(0, "Hi"), PING))
        assert all(chunk.data["type"] != "ping" for chunk, _ in items)

    def test_deltas_without_a_block(self) -> None:
        stream, _ = read(
            *answer(
                delta(0, type="thinking_delta", thinking="Hm"),
                delta(0, type="thinking_delta", thinking="m."),
                delta(1, type="text_delta", text="H"),
                delta(1, type="text_delta", text="i"),
                delta(2, type="input_json_delta", partial_json="{"),
                stop(3),
            )
        )
        assert (stream.thinking, stream.content) == ("Hmm.", "Hi")
        assert stream.tools == []

    def test_types_without_names_and_names_without_types(self) -> None:
        unnamed = re.sub(rb"event: .*\n", b"", b"".join(answer(text(0, "Hi"))))
        assert read(unnamed)[0].state is StreamState.COMPLETED
        events = [message_start(), text(0, "Hi"), event({}, "ping"), event({}, "message_stop")]
        stream, items = read(*events)
        assert stream.state is StreamState.COMPLETED
        assert len(items) == 5

    def test_done_after_the_end_is_ignored(self) -> None:
        stream, _ = read(*answer(text(0, "Hi")), b"data: [DONE]\n\n")
        assert stream.state is StreamState.COMPLETED

    def test_done_is_not_the_end(self) -> None:
        stream, error = fails(message_start(), text(0, "Hi"), b"data: [DONE]\n\n")
        assert isinstance(error, StreamDecodeError)
        assert stream.content == "Hi"

    def test_a_stop_reason_is_not_the_end(self) -> None:
        stream, error = fails(message_start(), text(0, "Hi"), message_delta())
        assert isinstance(error, StreamTruncatedError)
        assert stream.state is StreamState.TRUNCATED
        assert stream.finish_reasons == ["end_turn"]

    @pytest.mark.parametrize("broken", [{"index": 0}, {"index": 0, "delta": "text"}])
    def test_a_shape_that_breaks_the_protocol(self, broken: dict[str, Any]) -> None:
        stream, error = fails(
            message_start(), text(0, "Hi"), event({"type": "content_block_delta", **broken})
        )
        assert isinstance(error, StreamDecodeError)
        assert stream.content == "Hi"


class TestErrors:
    @pytest.mark.parametrize(
        ("kind", "status"),
        [
            ("overloaded_error", 529),
            ("rate_limit_error", 429),
            ("api_error", 500),
            ("timeout_error", 504),
            ("invalid_request_error", 400),
            ("something_new_error", None),
        ],
    )
    def test_an_error_event(self, kind: str, status: int | None) -> None:
        error = {"type": "error", "error": {"type": kind, "message": "No."}, "request_id": "req_1"}
        stream, raised = fails(message_start(), text(0, "Hi"), event(error), MESSAGE_STOP)
        assert isinstance(raised, StreamProviderError)
        assert (raised.type, raised.code, raised.status) == (kind, kind, status)
        assert raised.message == "No."
        assert raised.stream is stream
        assert stream.state is StreamState.FAILED
        assert stream.content == "Hi"
        assert stream.usage.input_tokens == 12

    def test_details_have_the_code(self) -> None:
        error = {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "No.",
                "details": {"error_code": "image_dimensions_too_large"},
            },
        }
        _, raised = fails(event(error))
        assert raised.code == "image_dimensions_too_large"  # type: ignore[attr-defined]

    @pytest.mark.parametrize("name", ["error", None])
    def test_without_its_envelope_as_llama_cpp_sends_it(self, name: str | None) -> None:
        flat = {"code": 500, "message": "No grammar fits.", "type": "server_error"}
        stream, raised = fails(message_start(), event(flat, name))
        assert isinstance(raised, StreamProviderError)
        assert (raised.message, raised.status, raised.code) == ("No grammar fits.", 500, "500")
        assert stream.state is StreamState.FAILED

    @needs_shared
    def test_of_the_real_llama_cpp(self) -> None:
        path = SHARED / "local" / "transcripts" / "err_messages_tools_auto.http"
        _, raised = fails(path.read_bytes().partition(b"\n\n")[2])
        assert isinstance(raised, StreamProviderError)
        assert raised.status == 500

    def test_text_in_place_of_an_object(self) -> None:
        _, raised = fails(event({"type": "error", "error": "overloaded"}))
        assert isinstance(raised, StreamProviderError)
        assert raised.message == "overloaded"

    def test_a_body_that_is_an_error(self) -> None:
        body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        _, raised = fails(json.dumps(body).encode())
        assert isinstance(raised, StreamProviderError)
        assert raised.status == 529

    def test_a_body_that_is_a_whole_message(self) -> None:
        body = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-5",
            "content": [{"type": "text", "text": "Hi"}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 1, "output_tokens": 2},
        }
        stream, items = read(json.dumps(body).encode())
        assert stream.state is StreamState.COMPLETED
        assert stream.content == "Hi"
        assert type(items[0][0].chunk).__name__ == "Message"

    def test_a_body_that_is_a_page(self) -> None:
        _, raised = fails(b"<html><body>502 Bad Gateway</body></html>")
        assert isinstance(raised, StreamDecodeError)
        assert "502 Bad Gateway" in str(raised)


class TestUsage:
    def test_the_last_snapshot_counts_field_by_field(self) -> None:
        stream, items = read(
            message_start(
                {
                    "input_tokens": 20,
                    "cache_read_input_tokens": 1000,
                    "cache_creation_input_tokens": 300,
                    "cache_creation": {
                        "ephemeral_5m_input_tokens": 100,
                        "ephemeral_1h_input_tokens": 200,
                    },
                    "output_tokens": 3,
                    "service_tier": "standard",
                    "inference_geo": "us",
                }
            ),
            text(0, "Hi"),
            message_delta(
                None,
                {"output_tokens": 50, "input_tokens": None, "cache_read_input_tokens": 1100},
            ),
            message_delta(
                usage={
                    "output_tokens": 80,
                    "output_tokens_details": {"thinking_tokens": 30},
                    "iterations": [{"type": "message", "input_tokens": 20}],
                }
            ),
            MESSAGE_STOP,
        )
        assert type(stream.usage).__name__ == "Usage"
        assert stream.usage.input_tokens == 20
        assert stream.usage.cache_creation.ephemeral_1h_input_tokens == 200
        assert stream.usage.iterations == [{"type": "message", "input_tokens": 20}]
        usage = stream.common_usage
        assert usage.input_tokens == 20 + 1100 + 300
        assert usage.cache_read_tokens == 1100
        assert usage.cache_write_tokens == 300
        assert usage.output_tokens == 80
        assert usage.reasoning_tokens == 30
        assert usage.facts == {"service_tier": "standard", "inference_geo": "us"}
        # $2 a million, $0.20 from the cache, $2.50 into it and $4 for an hour, $10 for what is
        # generated; a tenth more in the US.
        assert str(stream.cost_details) == "$0.002321"
        first, *_, last, _end = [chunk for chunk, _ in items]
        assert (first.input_tokens, first.cached_tokens, first.output_tokens) == (1320, 1000, 3)
        assert (last.input_tokens, last.cached_tokens, last.output_tokens) == (None, None, 80)
        assert type(first.usage).__name__ == "Usage"
        assert type(last.usage).__name__ == "MessageDeltaUsage"
        assert (first.id, first.model, last.id) == ("msg_1", "claude-sonnet-5", None)
        assert last.finish_reasons == ["end_turn"]

    def test_counts_that_are_none(self) -> None:
        stream, _ = read(
            message_start({"input_tokens": "many", "output_tokens": None}),
            message_delta(usage={"output_tokens": -1, "cache_creation": 7}),
            MESSAGE_STOP,
        )
        assert stream.common_usage is None
        with pytest.warns(UnknownPriceWarning, match="no counter that can be read"):
            assert stream.cost is None

    def test_none_at_all(self) -> None:
        stream, _ = read(event({"type": "message_start", "message": {}}), MESSAGE_STOP)
        assert stream.usage is None
        assert stream.cost is None


EVENTS = [
    PING,
    message_start(),
    message_delta(),
    message_delta("tool_use", usage={"output_tokens": 5}),
    event({"type": "message_aside"}),
    *(start(i, type="text", text="<") for i in range(2)),
    *(delta(i, type="text_delta", text="x") for i in range(3)),
    start(1, type="tool_use", id="t", name="f", input={"n": 1}),
    start(2, type="server_tool_use", id="s", name="web_search", input={}),
    start(2, type="thinking", thinking="(", signature=""),
    *(delta(i, type="input_json_delta", partial_json="{}") for i in range(3)),
    *(delta(i, type="thinking_delta", thinking="y") for i in range(3)),
    *(delta(i, type="signature_delta", signature="s") for i in range(3)),
    *(delta(i, type="citations_delta", citation={"type": "char_location"}) for i in range(3)),
    *(stop(i) for i in range(3)),
]


@given(st.lists(st.sampled_from(EVENTS), max_size=25), st.booleans(), st.integers(1, 400))
def test_events_in_any_order(events: list[bytes], ends: bool, size: int) -> None:
    body = b"".join([*events, MESSAGE_STOP] if ends else events)
    stream = replay(PROVIDER, body, chunk_bytes=size)
    pieces = []
    with contextlib.suppress(StreamTruncatedError):
        for chunk, _ in stream:
            pieces.append(chunk.content)
    assert stream.state is (StreamState.COMPLETED if ends else StreamState.TRUNCATED)
    texts = b"".join(events).decode()
    assert stream.content.count("<") == texts.count('"text": "<"')
    assert sorted("".join(pieces)) == sorted(stream.content)
    assert not {"(", "y"} & set(stream.content)
    assert not {"<", "x"} & set(stream.thinking)
    if ends:
        # All of them have one id: only other arguments make another call of it.
        said = [tool.tool_call.arguments for tool in stream.tools]
        assert len(said) == len(set(said)) <= texts.count('"tool_use", "id"')
        assert bool(said) == ('"tool_use", "id"' in texts)
    content = stream.message_param["content"]
    blocks = [] if isinstance(content, str) else content
    assert all(block["text"].strip() for block in blocks if block["type"] == "text")
    assert len({b["id"] for b in blocks if b["type"] == "tool_use"}) == len(stream.tools)


def test_a_refusal() -> None:
    stop_details = {"type": "refusal", "category": "cyber", "explanation": "I can't help."}
    stream, _ = read(
        message_start(),
        text(0, "Sur"),
        message_delta("refusal", stop_details=stop_details),
        MESSAGE_STOP,
    )
    assert (stream.content, stream.refusal) == ("Sur", "I can't help.")
    assert (stream.finish_reason, stream.finish_reasons) == ("refusal", ["refusal"])
    assert stream.message_param == {"role": "assistant", "content": "Sur"}
    message = stream.construct_call_response().response
    assert message.stop_details.category == "cyber"


def test_what_stands_beside_the_stop_reason() -> None:
    container = {"id": "container_1", "expires_at": "2026-11-22T12:00:00Z"}
    stream, _ = read(
        message_start(),
        text(0, "Hi"),
        message_delta("stop_sequence", stop_sequence="\n\n", container=container),
        MESSAGE_STOP,
    )
    message = stream.construct_call_response().response
    assert message.stop_sequence == "\n\n"
    assert message.container.id == "container_1"
    assert stream.finish_reason == "stop"


@pytest.mark.parametrize("reason", ["pause_turn", "model_context_window_exceeded"])
def test_other_stop_reasons(reason: str) -> None:
    stream, _ = read(*answer(text(0, "Hi"), reason=reason))
    assert stream.finish_reasons == [reason]
    assert stream.finish_reason == ("other" if reason == "pause_turn" else "length")
