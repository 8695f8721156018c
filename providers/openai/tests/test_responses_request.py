"""What a call looks like in the Responses API."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from mirascope.core import BaseTool, CallRequest, PromptError, Request
from mirascope.core._tools._tool_types import to_tool_type
from mirascope_openai import OpenAIResponsesProvider

from .responses import function_call, message, reasoning

PROVIDER = OpenAIResponsesProvider()


def prepare(*messages: Any, stream: bool = True, **params: Any) -> Request:
    tools: Any = params.pop("tools", ())
    before = copy.deepcopy((messages, params))
    request = PROVIDER.prepare(
        CallRequest(
            model="gpt-5",
            messages=list(messages),
            tools=[to_tool_type(tool) for tool in tools],
            call_params=params,
            stream=stream,
        )
    )
    assert (messages, params) == before, "nothing given to a call is changed"
    return request


def items(*messages: Any) -> list[Any]:
    return prepare(*messages).kwargs["input"]


SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "Hi"}


def test_a_prompt() -> None:
    assert prepare(USER).kwargs == {"model": "gpt-5", "input": [USER], "stream": True}
    assert prepare(USER, stream=False).kwargs == {"model": "gpt-5", "input": [USER]}


def test_system_messages_at_the_beginning_are_the_instructions() -> None:
    parts = {"role": "system", "content": [{"type": "text", "text": "Be kind."}]}
    later = {"role": "system", "content": "Shout."}
    request = prepare(SYSTEM, parts, USER, later)
    assert request.kwargs["instructions"] == "Be brief.\n\nBe kind."
    assert request.kwargs["input"] == [USER, later]
    assert [m["role"] for m in request.messages] == ["system", "system", "user", "system"]


def test_where_they_can_not_be_they_stay_messages() -> None:
    request = prepare(SYSTEM, USER, instructions="Be long.")
    assert request.kwargs["instructions"] == "Be long."
    assert request.kwargs["input"] == [SYSTEM, USER]
    assert items(SYSTEM) == [SYSTEM]
    picture = {"role": "system", "content": [{"type": "input_image", "image_url": "u"}]}
    request = prepare(picture, USER)
    assert "instructions" not in request.kwargs
    assert request.kwargs["input"] == [picture, USER]


def test_developer_messages_are_items() -> None:
    developer = {"role": "developer", "content": "Be brief."}
    assert items(developer, USER) == [developer, USER]


def test_parts_of_chat_messages_are_renamed() -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
        {"type": "image_url", "image_url": "data:image/png;base64,AAAA"},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:,"}},
        {"type": "input_text", "text": "own"},
    ]
    (item,) = items({"role": "user", "content": parts, "name": "ann"})
    assert item == {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "What is this?"},
            {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"},
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:,"},
            {"type": "input_text", "text": "own"},
        ],
    }


def test_audio_is_refused() -> None:
    """`ResponseInputContentParam` of the SDK is text, an image or a file."""
    part = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    with pytest.raises(PromptError, match="takes no audio"):
        items({"role": "user", "content": [part]})


def test_a_chat_history_with_tools() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    custom = {"id": "call_2", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}
    history = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call, custom]},
        {"role": "tool", "tool_call_id": "call_1", "content": "out"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "1"}]},
        {"role": "assistant", "content": "Done."},
        {"role": "assistant", "content": [{"type": "text", "text": "Really"}], "refusal": None},
        {"role": "assistant", "content": "", "refusal": "No."},
        {"role": "assistant", "content": None, "refusal": None},
    ]
    assert items(*history) == [
        USER,
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "sql", "input": "SELECT 1"},
        {"type": "function_call_output", "call_id": "call_1", "output": "out"},
        {
            "type": "custom_tool_call_output",
            "call_id": "call_2",
            "output": [{"type": "input_text", "text": "1"}],
        },
        {"role": "assistant", "content": "Done."},
        {"role": "assistant", "content": "Really"},
        {"role": "assistant", "content": "No."},
    ]


def test_the_api_s_own_items_pass_through() -> None:
    own: list[Any] = [
        {"type": "message", "role": "user", "content": [{"type": "text", "text": "as it is"}]},
        reasoning(),
        function_call("f", "{}"),
        {"type": "function_call_output", "call_id": "call_1", "output": "x"},
        {"type": "item_reference", "id": "msg_1"},
        {"type": "time_travel_call", "year": 1955},
    ]
    assert items(*own) == own


def test_an_answer_becomes_its_items() -> None:
    answer = [reasoning(), message("Hello"), function_call("f", "{}")]
    assert items(USER, {"role": "assistant", "content": answer}) == [USER, *answer]
    mixed = [{"type": "output_text", "text": "A"}, reasoning(), {"type": "text", "text": "B"}]
    assert items({"role": "assistant", "content": mixed, "phase": "commentary"}) == [
        {"role": "assistant", "content": "A", "phase": "commentary"},
        reasoning(),
        {"role": "assistant", "content": "B", "phase": "commentary"},
    ]


def test_parameters_pass_through() -> None:
    params = {"temperature": 0.5, "reasoning": {"effort": "low"}, "store": False, "new_one": 1}
    assert prepare(USER, **params).kwargs == {
        "model": "gpt-5",
        "input": [USER],
        "stream": True,
        **params,
    }
    assert prepare(USER, input="mine").kwargs["input"] == "mine"


def test_tools_are_flat() -> None:
    def get_weather(city: str, unit: str = "C") -> str:
        """Say the weather.

        Args:
            city: where.
        """
        return city + unit

    class Silent(BaseTool):
        n: int

    Silent.__doc__ = None
    built_in = {"type": "web_search"}
    request = prepare(USER, tools=[get_weather, Silent])
    assert request.kwargs["tools"] == [
        {
            "type": "function",
            "name": "get_weather",
            "description": "Say the weather.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "where."},
                    "unit": {"type": "string", "default": "C"},
                },
                "required": ["city"],
            },
            "strict": False,
        },
        {
            "type": "function",
            "name": "Silent",
            "parameters": {
                "type": "object",
                "properties": {"n": {"type": "integer"}},
                "required": ["n"],
            },
            "strict": False,
        },
    ]
    request = PROVIDER.prepare(
        CallRequest(
            model="gpt-5",
            messages=[USER],
            tools=[to_tool_type(get_weather)],
            call_params={"tools": [built_in]},
            stream=True,
        )
    )
    assert [t["type"] for t in request.kwargs["tools"]] == ["function", "web_search"]


@pytest.mark.parametrize("content", [None, 5, [5, None], [[]], {}])
def test_content_that_is_none_is_left_to_the_server(content: Any) -> None:
    for role in ("user", "system", "assistant", "tool"):
        items({"role": role, "content": content}, USER)
