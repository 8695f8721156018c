"""What of an answer goes back: all that came, and nothing that the provider would refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
from anthropic.types import MessageParam
from google.genai import types as gemini
from mirascope.core import Accumulator, BaseStream, Recording, stream_from
from mirascope.core.plugins import load_provider
from openai.types.chat import ChatCompletionAssistantMessageParam, ChatCompletionToolMessageParam
from openai.types.responses import ResponseInputItemParam
from pydantic import TypeAdapter

from .protocols import PROTOCOLS, Event, Protocol, body, read

DONE = b"data: [DONE]\n\n"

# Whatever the ending


@cache
def _accepted(kind: Any) -> Callable[[Any], Any]:
    return TypeAdapter(kind).validate_python


def _chat_calls(message: Any) -> list[tuple[Any, str, Any]]:
    calls = message.get("tool_calls", ())
    return [(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in calls]


def checked(protocol: Protocol, stream: BaseStream[Any]) -> None:
    """Check that the SDK's own request types take an answer, and that its calls are answered."""
    message = stream.message_param
    results = stream.tool_message_params([(tool, "done") for tool in stream.tools])
    if protocol.api == "responses":
        for item in (*message["content"], *results):
            _accepted(ResponseInputItemParam)(item)
        made = [i for i in message["content"] if i["type"] == "function_call"]
        calls = [(i["call_id"], i["name"], i["arguments"]) for i in made]
        answered = [r["call_id"] for r in results]
    elif protocol.provider == "anthropic":
        for turn in (message, *results):
            _accepted(MessageParam)(turn)
        blocks = message["content"] if isinstance(message["content"], list) else []
        made = [b for b in blocks if b["type"] == "tool_use"]
        calls = [(b["id"], b["name"], json.dumps(b["input"])) for b in made]
        answered = [b["tool_use_id"] for r in results for b in r["content"]]
    elif protocol.provider == "google":
        for turn in (message, *results):
            gemini.Content.model_validate(turn)
        made = [p["functionCall"] for p in message["parts"] if "functionCall" in p]
        calls = [(c["id"], c["name"], json.dumps(c.get("args", {}))) for c in made]
        answered = [p["functionResponse"]["id"] for r in results for p in r["parts"]]
    else:
        _accepted(ChatCompletionAssistantMessageParam)(message)
        for turn in results:
            _accepted(ChatCompletionToolMessageParam)(turn)
        calls = _chat_calls(message)
        answered = [r["tool_call_id"] for r in results]
    assert [call_id for call_id, _, _ in calls] == answered
    assert all(name for _, name, _ in calls)
    assert all(isinstance(json.loads(arguments), dict) for _, _, arguments in calls)


def whole(protocol: Protocol) -> list[Event]:
    return [
        *protocol.begin,
        *protocol.thinking("Hm"),
        *protocol.text("Let me look."),
        *protocol.call(0, "call_a", "pay", ['{"amount"', ": 5}"]),
        *protocol.call(1, "call_b", "send", ["{}"]),
        *protocol.end,
    ]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_answer_that_was_cut_anywhere_can_go_back(name: str) -> None:
    protocol = PROTOCOLS[name]
    sent = body(*whole(protocol), done=protocol.done)
    for at in {*range(0, len(sent), 23), len(sent)}:
        checked(protocol, read(protocol, sent[:at]))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_answer_that_was_left_anywhere_can_go_back(name: str) -> None:
    protocol = PROTOCOLS[name]
    sent = Recording.of_body(body(*whole(protocol), done=protocol.done))
    for count in range(1, len(whole(protocol)) + 1):
        stream = stream_from(sent, provider=protocol.provider, api=protocol.api)
        with stream:
            for _ in zip(range(count), stream, strict=False):
                pass
        checked(protocol, stream)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_answer_that_was_not_streamed_can_go_back(name: str) -> None:
    protocol = PROTOCOLS[name]
    sent = body(*whole(protocol), done=protocol.done)
    streamed = read(protocol, sent)
    answer = streamed.construct_call_response().response
    if not isinstance(answer, dict):
        answer = answer.model_dump(mode="json", by_alias=True, exclude_none=True)
    for item in answer.get("output", ()):
        # The small stream has its deltas without the item around them.
        item.setdefault("id", "item")
    # Once through a call without `stream=True`, once as from a server that has not heard of it.
    provider = load_provider(protocol.provider, protocol.api)
    accumulator = Accumulator()
    accumulator.add(provider.decoder().decode_response(answer))
    stray = read(protocol, json.dumps(answer).encode())
    checked(protocol, stray)
    assert provider.message_param(accumulator) == stray.message_param
    if protocol.api != "responses":
        assert stray.message_param == streamed.message_param
    for calls in ([t.tool_call for t in stray.tools], [b.call for b in accumulator.tool_calls]):
        said = [(c and (c.id, c.name, json.loads(c.arguments), c.is_cut)) for c in calls]
        assert said == [("call_a", "pay", {"amount": 5}, False), ("call_b", "send", {}, False)]


@pytest.mark.parametrize("name", PROTOCOLS)
@pytest.mark.parametrize("call_name", ["", "pay"])
@pytest.mark.parametrize("arguments", ["", "null", "[1]", '{"amount": ', '"x"', "{}"])
def test_any_call_can_go_back(name: str, call_name: str, arguments: str) -> None:
    protocol = PROTOCOLS[name]
    if protocol.provider == "google" and arguments not in ("null", "{}"):
        pytest.skip("its arguments are not text")
    call = protocol.call(0, "call_a", call_name, [arguments])
    stream = read(protocol, body(*protocol.begin, *call, *protocol.end, done=protocol.done))
    checked(protocol, stream)
    assert len(stream.tools) == 1


# Chat completions


def chat(*deltas: Event, finish: str = "stop", **choice: Any) -> BaseStream[Any]:
    events = [{"id": "c", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    last = {"index": 0, "delta": {}, "finish_reason": finish, **choice}
    return read(PROTOCOLS["compatible"], body(*events, {"id": "c", "choices": [last]}, done=DONE))


def plain(message: Event, finish: str = "stop") -> BaseStream[Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return read(PROTOCOLS["compatible"], json.dumps({"id": "c", "choices": [choice]}).encode())


CALL = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
WITHOUT_INDEX = {name: value for name, value in CALL.items() if name != "index"}


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "reasoning_text"])
def test_reasoning_goes_back_under_the_name_that_it_came_under(name: str) -> None:
    streamed = chat({name: "Let me "}, {name: "see."}, {"tool_calls": [CALL]}, finish="tool_calls")
    for stream in (streamed, plain({name: "Let me see.", "tool_calls": [WITHOUT_INDEX]})):
        assert stream.message_param == {
            "role": "assistant",
            "content": None,
            name: "Let me see.",
            "tool_calls": [WITHOUT_INDEX],
        }
        message = stream.construct_call_response().response["choices"][0]["message"]
        assert message[name] == "Let me see."


def test_what_a_server_adds_to_a_message_or_a_call_goes_back() -> None:
    signature = {"google": {"thought_signature": "S1"}}
    note = {"type": "url_citation", "url_citation": {"url": "u", "title": "t"}}
    fields = {"annotations": [note], "extra_content": signature, "later_field": {"n": 1}}
    call = {**CALL, "extra_content": signature}
    rest = {"index": 0, "function": {"arguments": ""}}
    streamed = chat({"content": "Hi", **fields}, {"tool_calls": [call]}, {"tool_calls": [rest]})
    message = {"content": "Hi", **fields, "tool_calls": [{**WITHOUT_INDEX, **call}]}
    for stream in (streamed, plain(message)):
        sent = stream.message_param
        assert {name: sent[name] for name in fields} == fields
        assert sent["tool_calls"] == [{**WITHOUT_INDEX, "extra_content": signature}]


def test_pieces_of_unknown_fields_are_joined() -> None:
    high, low = json.loads('["\\ud83d", "\\ude00"]')
    thinking = [
        {"thinking_blocks": [{"type": "thinking", "thinking": "Hm ", "signature": ""}]},
        {"thinking_blocks": [{"type": "thinking", "thinking": high, "signature": None}]},
        {"thinking_blocks": [{"type": "thinking", "thinking": low, "signature": "S1"}]},
        {"thinking_blocks": [{"type": "redacted_thinking", "data": "D"}]},
        {"note": "a"},
        {"note": "b"},
        {"restated": "same"},
        {"restated": "same"},
    ]
    sent = chat(*thinking, {"content": "Hi"}).message_param
    assert sent["thinking_blocks"] == [
        {"type": "thinking", "thinking": "Hm \N{GRINNING FACE}", "signature": "S1"},
        {"type": "redacted_thinking", "data": "D"},
    ]
    assert (sent["note"], sent["restated"]) == ("ab", "same")


def test_a_character_that_was_cut_is_whole_in_what_goes_back() -> None:
    high, low = json.loads('["\\ud83d", "\\ude00"]')
    pieces = [
        {"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": text}]}
        for text in ("Hm ", high, low, high)
    ]
    (details,) = chat(*pieces, {"content": "Hi"}).message_param["reasoning_details"]
    assert details["text"] == "Hm \N{GRINNING FACE}\ufffd"


def test_thinking_that_waits_for_its_signature_does_not_go_back() -> None:
    block = {"type": "thinking", "thinking": "Hm", "signature": ""}
    stream = chat({"thinking_blocks": [block]}, {"content": "Hi"}, finish="length")
    assert stream.message_param == {"role": "assistant", "content": "Hi"}


def test_thinking_in_parts_of_the_content_stays_there() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    reference = {"type": "reference", "reference_ids": [1]}
    parts = [thinking, {"type": "text", "text": "Hi"}, reference]
    for stream in (chat(*({"content": [part]} for part in parts)), plain({"content": parts})):
        assert stream.message_param == {"role": "assistant", "content": parts}
        assert (stream.thinking, stream.content) == ("Hm.", "Hi")


def test_a_custom_call_goes_back_as_one() -> None:
    call = {"id": "a", "type": "custom", "custom": {"name": "run", "input": "x = {1"}}
    pieces = [{**call, "index": 0, "custom": {"name": "run", "input": "x = "}}]
    rest = [{"index": 0, "custom": {"input": "{1"}}]
    for stream in (
        chat({"tool_calls": pieces}, {"tool_calls": rest}),
        plain({"tool_calls": [call]}),
    ):
        assert stream.message_param["tool_calls"] == [call]


def test_of_audio_the_id_goes_back() -> None:
    audio = {"id": "audio_1", "data": "AAAA", "transcript": "Hi", "expires_at": 5}
    stream = plain({"content": None, "audio": audio})
    assert stream.message_param["audio"] == {"id": "audio_1"}
    message = stream.construct_call_response().response["choices"][0]["message"]
    assert message["audio"] == audio


def test_logprobs_are_joined_and_stay() -> None:
    probs = [{"token": token, "logprob": -0.5, "top_logprobs": []} for token in ("H", "i", "i")]
    events = [
        {"choices": [{"index": 0, "delta": {"content": p["token"]}, "logprobs": {"content": [p]}}]}
        for p in probs
    ]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "logprobs": None}]}
    stream = read(PROTOCOLS["compatible"], body(*events, end, done=DONE))
    (choice,) = stream.construct_call_response().response["choices"]
    assert choice["logprobs"] == {"content": probs}
    assert stream.message_param == {"role": "assistant", "content": "Hii"}


def test_an_answer_that_says_nothing_is_not_sent() -> None:
    from mirascope.core import CallRequest
    from mirascope_compatible import CompatibleProvider

    question = {"role": "user", "content": "Hi"}
    for stream in (
        chat({"content": ""}),
        chat({"reasoning_content": "Hm"}),
        chat({"content": " \n"}),
    ):
        messages = [question, stream.message_param, question]
        call = CallRequest(model="m", messages=messages, stream=True)
        assert CompatibleProvider().prepare(call).messages == [question, question]


# Calls that were cut


def clean(path: str = "/") -> str:
    """Remove files."""
    return path


CUT: dict[str, tuple[str, str | None, Callable[[str], Sequence[Event]], str, str]] = {
    "chat": (
        "compatible",
        None,
        lambda reason: [
            {
                "choices": [
                    {
                        "index": 0,
                        "delta": {"tool_calls": [{**CALL, "function": {"name": "clean"}}]},
                        "finish_reason": reason,
                    }
                ]
            }
        ],
        "length",
        "tool_calls",
    ),
    "generate": (
        "google",
        None,
        lambda reason: [
            {
                "candidates": [
                    {
                        "content": {"parts": [{"functionCall": {"id": "a", "name": "clean"}}]},
                        "finishReason": reason,
                    }
                ]
            }
        ],
        "MAX_TOKENS",
        "STOP",
    ),
    "responses": (
        "openai",
        "responses",
        lambda reason: [
            {
                "type": f"response.{reason}",
                "response": {
                    "id": "r",
                    "object": "response",
                    "status": reason,
                    "output": [
                        {
                            "type": "function_call",
                            "id": "fc",
                            "call_id": "a",
                            "name": "clean",
                            "arguments": "",
                        }
                    ],
                },
            }
        ],
        "incomplete",
        "completed",
    ),
    "messages": (
        "anthropic",
        None,
        lambda reason: [
            *PROTOCOLS["messages"].begin,
            *PROTOCOLS["messages"].call(0, "a", "clean", []),
            {"type": "message_delta", "delta": {"stop_reason": reason}},
            {"type": "message_stop"},
        ],
        "max_tokens",
        "tool_use",
    ),
}


@pytest.mark.parametrize("name", CUT)
def test_a_call_that_was_cut_before_its_first_argument_is_not_sound(name: str) -> None:
    provider, api, events, cut, good = CUT[name]
    for reason in (cut, good):
        sent = Recording.of_body(body(*events(reason)))
        stream = stream_from(sent, provider=provider, api=api, tools=[clean])
        (tool,) = [tool for _, tool in stream if tool is not None]
        assert stream.state == "completed"
        if reason == good:
            assert (tool.error, tool.call()) == (None, "/")
        else:
            assert "'clean'" in str(tool.error)
            assert tool.call() == str(tool.error)
            # It goes back with its error, which is its result.
            (result,) = stream.tool_message_params([(tool, tool.call())])
            assert "cut" in str(result)


# Messages


def messages(*blocks: Event, reason: str = "end_turn") -> BaseStream[Any]:
    message = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [*blocks],
    }
    sent = {**message, "stop_reason": reason, "stop_sequence": None}
    return read(PROTOCOLS["messages"], json.dumps(sent).encode())


SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}
HI = {"type": "text", "text": "Hi"}


@pytest.mark.parametrize(
    ("blocks", "reason", "expected"),
    [
        ([HI, SEARCH], "max_tokens", "Hi"),
        ([HI, FOUND], "end_turn", "Hi"),
        ([HI, SEARCH], "pause_turn", [HI, SEARCH]),
        ([SEARCH, FOUND, HI], "end_turn", [SEARCH, FOUND, HI]),
        ([{"type": "thinking", "thinking": "Hm", "signature": ""}, HI], "max_tokens", "Hi"),
        ([{"type": "thinking", "thinking": "", "signature": ""}, HI], "end_turn", "Hi"),
        ([{"type": "text", "text": " \n"}], "end_turn", ""),
    ],
)
def test_blocks_that_the_api_refuses_are_left_out(
    blocks: list[Event], reason: str, expected: Any
) -> None:
    stream = messages(*blocks, reason=reason)
    assert stream.message_param == {"role": "assistant", "content": expected}
    assert len(stream.construct_call_response().response.content) == len(blocks)


def test_citations_go_back_without_their_file() -> None:
    place = {
        "type": "char_location",
        "cited_text": "a",
        "document_index": 0,
        "document_title": None,
    }
    citation = {**place, "start_char_index": 0, "end_char_index": 1}
    stream = messages({**HI, "citations": [{**citation, "file_id": None}]})
    assert stream.message_param["content"] == [{**HI, "citations": [citation]}]


# Responses

REASONING = {"type": "reasoning", "id": "rs", "summary": []}
SAID = {
    "type": "message",
    "id": "msg",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
}


@pytest.mark.parametrize(
    ("store", "encrypted", "kept"),
    [(False, None, False), (False, "E", True), (True, None, True), (None, None, True)],
)
def test_reasoning_that_was_not_stored_does_not_go_back(
    store: bool | None, encrypted: str | None, kept: bool
) -> None:
    reasoning = {**REASONING, **({"encrypted_content": encrypted} if encrypted else {})}
    response = {"id": "r", "object": "response", "status": "completed", "store": store}
    sent = {**response, "output": [reasoning, {**SAID, "created_by": "agent"}]}
    stream = read(PROTOCOLS["responses"], json.dumps(sent).encode())
    assert stream.message_param["content"] == [*([reasoning] if kept else []), SAID]


# Gemini


def test_calls_with_one_id_and_their_results_are_told_apart() -> None:
    parts = [{"functionCall": {"id": "x", "name": "f", "args": {"n": n}}} for n in (1, 2)]
    sent = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}
    stream = read(PROTOCOLS["generate"], body(sent))
    ids = [part["functionCall"]["id"] for part in stream.message_param["parts"]]
    results = stream.tool_message_params([(tool, "done") for tool in stream.tools])
    answered = [p["functionResponse"]["id"] for content in results for p in content["parts"]]
    assert ids == answered
    assert len(set(ids)) == 2


@pytest.mark.parametrize(("reason", "kept"), [("STOP", 2), ("MAX_TOKENS", 1), (None, 1)])
def test_code_that_was_cut_before_its_result_does_not_go_back(
    reason: str | None, kept: int
) -> None:
    parts = [{"text": "Hi"}, {"executableCode": {"language": "PYTHON", "code": "1"}}]
    sent = {"candidates": [{"content": {"parts": parts}, "finishReason": reason}]}
    assert len(read(PROTOCOLS["generate"], body(sent)).message_param["parts"]) == kept


@pytest.mark.parametrize("cumulative", [False, True])
def test_log_probabilities_of_all_chunks_are_joined(cumulative: bool) -> None:
    chosen = [{"token": token, "logProbability": -0.5} for token in ("i", "i", "H")]
    events = [
        {
            "candidates": [
                {
                    "content": {"parts": [{"text": one["token"]}]},
                    "logprobsResult": {
                        "chosenCandidates": chosen[: at + 1] if cumulative else [one],
                        "topCandidates": [{"candidates": [c]} for c in chosen[at : at + 1]],
                    },
                }
            ]
        }
        for at, one in enumerate(chosen)
    ]
    end = {"candidates": [{"finishReason": "STOP"}]}
    (candidate,) = (
        read(PROTOCOLS["generate"], body(*events, end))
        .construct_call_response()
        .response.candidates
    )
    assert [c.token for c in candidate.logprobs_result.chosen_candidates] == ["i", "i", "H"]
    tops = candidate.logprobs_result.top_candidates
    assert [c.token for top in tops for c in top.candidates] == ["i", "i", "H"]
