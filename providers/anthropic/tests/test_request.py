"""A call as the API's arguments: system, max_tokens, tools, images and documents."""

from __future__ import annotations

import base64
import copy
from typing import Any

import mirascope_anthropic
import pytest
from mirascope.core import BaseTool, Messages, PromptError, prompt_template
from pydantic import Field

MODEL = "claude-sonnet-5"
PNG = base64.b64encode(b"\x89PNG").decode()


def kwargs(messages: Any, **call: Any) -> dict[str, Any]:
    """What a call with these messages would send."""

    @mirascope_anthropic.call(MODEL, stream=True, **call)
    def ask() -> Any:
        return messages

    return ask().call_kwargs


def content(*parts: Any) -> Any:
    (message,) = kwargs([Messages.User(list(parts))])["messages"]
    return message["content"]


def test_a_template() -> None:
    @mirascope_anthropic.call(MODEL, stream=True)
    @prompt_template("SYSTEM: You are a {kind}.\nUSER: Hi.\nASSISTANT: Hello!\nUSER: A book?")
    def ask(kind: str) -> None: ...

    stream = ask("librarian")
    assert stream.call_kwargs == {
        "model": MODEL,
        "max_tokens": 4096,
        "system": "You are a librarian.",
        "messages": [
            {"role": "user", "content": "Hi."},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "A book?"},
        ],
        "stream": True,
    }
    assert stream.user_message_param == {"role": "user", "content": "A book?"}
    assert stream.messages == stream.call_kwargs["messages"]


def test_several_system_messages() -> None:
    cached = {"type": "text", "text": "C", "cache_control": {"type": "ephemeral"}}
    body = kwargs(
        [
            Messages.System("A"),
            {"role": "developer", "content": "B"},
            Messages.User("Hi"),
            Messages.System([cached]),
        ],
        system="Z",
    )
    assert body["system"] == [*({"type": "text", "text": text} for text in "ZAB"), cached]
    assert body["messages"] == [{"role": "user", "content": "Hi"}]


def test_a_system_parameter_alone_is_left_as_it_is() -> None:
    assert kwargs("Hi", system="Z")["system"] == "Z"


def test_system_messages_alone_are_no_prompt() -> None:
    with pytest.raises(PromptError, match="needs a message of the user"):
        kwargs([Messages.System("A")])


@pytest.mark.parametrize(
    ("params", "max_tokens"),
    [
        ({}, 4096),
        ({"max_tokens": 7}, 7),
        ({"thinking": {"type": "enabled", "budget_tokens": 10_000}}, 14_096),
        ({"thinking": {"type": "adaptive"}}, 4096),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 3000}, 3000),
    ],
)
def test_max_tokens(params: dict[str, Any], max_tokens: int) -> None:
    assert kwargs("Hi", **params)["max_tokens"] == max_tokens


@pytest.mark.parametrize(
    "ways", [{"betas": ["a-1", "b-2"]}, {"call_params": {"betas": "a-1, b-2"}}]
)
def test_betas_are_a_header(ways: dict[str, Any]) -> None:
    hello = [Messages.User("Hi")]
    sent = kwargs(hello, **ways)
    assert sent["extra_headers"] == {"anthropic-beta": "a-1,b-2"}
    assert "betas" not in str(sent.get("extra_body"))
    given = {"Anthropic-Beta": "c-3,a-1", "x-a": "b"}
    sent = kwargs(hello, extra_headers=given, **ways)
    assert sent["extra_headers"] == {"anthropic-beta": "c-3,a-1,b-2", "x-a": "b"}
    assert given == {"Anthropic-Beta": "c-3,a-1", "x-a": "b"}


def test_tools() -> None:
    class Shelve(BaseTool):
        """Put a book on a shelf."""

        shelf: int = Field(description="The shelf's number.")

    def look_up(title: str) -> str:
        """Look a book up.

        Args:
            title: The book's title.
        """
        return title

    search = {"type": "web_search_20250305", "name": "web_search"}

    @mirascope_anthropic.call(MODEL, stream=True, tools=[Shelve, look_up])
    def ask() -> Any:
        """Hi"""
        return {"call_params": {"tools": [search]}}

    ours, theirs, given = ask().call_kwargs["tools"]
    assert ours["name"] == "Shelve"
    assert ours["description"] == "Put a book on a shelf."
    assert ours["input_schema"]["required"] == ["shelf"]
    assert theirs["input_schema"]["properties"]["title"]["description"] == "The book's title."
    assert given is search


def test_what_is_given_is_not_changed() -> None:
    messages = [
        Messages.System("A"),
        Messages.User([{"type": "image_url", "image_url": {"url": "https://e.org/a.png"}}]),
        {"role": "tool", "tool_call_id": "x", "content": "1"},
    ]
    params = {"system": [{"type": "text", "text": "Z"}], "thinking": {"type": "adaptive"}}
    before = copy.deepcopy((messages, params))
    kwargs(messages, call_params=params)
    assert (messages, params) == before


class TestParts:
    def test_text_and_strings(self) -> None:
        part = {"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}
        assert content(part, "B") == [part, {"type": "text", "text": "B"}]

    @pytest.mark.parametrize("wrapped", [True, False])
    def test_image_urls(self, wrapped: bool) -> None:
        def part(url: str) -> dict[str, Any]:
            return {"type": "image_url", "image_url": {"url": url} if wrapped else url}

        assert content(
            part(f"data:image/png;base64,{PNG}"),
            {**part("https://e.org/a.png"), "cache_control": {"type": "ephemeral"}},
        ) == [
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": PNG},
            },
            {
                "type": "image",
                "source": {"type": "url", "url": "https://e.org/a.png"},
                "cache_control": {"type": "ephemeral"},
            },
        ]

    def test_files(self) -> None:
        def part(**file: str) -> dict[str, Any]:
            return {"type": "file", "file": file}

        assert content(
            part(file_data=f"data:application/pdf;base64,{PNG}", filename="a.pdf"),
            part(file_data="data:text/markdown;charset=utf-8,%23%20Hi"),
            part(file_data="data:text/plain;base64,SGk="),
            part(file_id="file_1"),
            part(file_data="https://e.org/a.pdf"),
            part(file_data=f"data:image/png;base64,{PNG}", filename="a.png"),
        ) == [
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PNG},
                "title": "a.pdf",
            },
            *(
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": data},
                }
                for data in ("# Hi", "Hi")
            ),
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
            {"type": "document", "source": {"type": "url", "url": "https://e.org/a.pdf"}},
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": PNG},
            },
        ]

    def test_anthropics_own_blocks_are_left_as_they_are(self) -> None:
        blocks = [
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
            {"type": "document", "source": {"type": "content", "content": "…"}, "context": "c"},
            {"type": "search_result", "source": "s", "title": "t", "content": []},
        ]
        assert content(*blocks) == blocks

    @pytest.mark.parametrize(
        "part",
        [
            {"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}},
            {"type": "file", "file": {"filename": "a.pdf"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64"}},
            {"type": "file", "file": {"file_data": "data:text/plain;base64,?"}},
        ],
    )
    def test_parts_that_cant_be_sent(self, part: dict[str, Any]) -> None:
        with pytest.raises(PromptError):
            content(part)


def test_histories_in_the_neutral_form() -> None:
    def call(id_: str, arguments: str) -> dict[str, Any]:
        return {"id": id_, "type": "function", "function": {"name": "f", "arguments": arguments}}

    body = kwargs(
        [
            Messages.User("Hi"),
            {
                "role": "assistant",
                "content": "Wait.",
                "tool_calls": [call("a", '{"n": 1}'), call("b", "")],
            },
            {"role": "tool", "tool_call_id": "a", "content": "1"},
            {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "2"}]},
            {"role": "assistant", "content": None, "tool_calls": [call("c", "{}")]},
            {"role": "tool", "tool_call_id": "c", "content": "3"},
        ]
    )
    assert body["messages"] == [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Wait."},
                {"type": "tool_use", "id": "a", "name": "f", "input": {"n": 1}},
                {"type": "tool_use", "id": "b", "name": "f", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "1"},
                {
                    "type": "tool_result",
                    "tool_use_id": "b",
                    "content": [{"type": "text", "text": "2"}],
                },
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "c", "content": "3"}],
        },
    ]


def test_consecutive_roles_stay_as_they_are() -> None:
    messages = [Messages.User("A"), Messages.User("B"), Messages.Assistant("C")]
    body = kwargs(messages)
    assert body["messages"] == messages
