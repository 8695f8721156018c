"""What goes back: block order, signatures, citations, server tools, results."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mirascope.core import StreamTruncatedError
from mirascope.core.testing import replay
from mirascope_anthropic import AnthropicProvider

from .messages import answer, delta, message_start, start, stop, text

PROVIDER = AnthropicProvider()


def thinking(index: int, thought: str, signature: str | None) -> bytes:
    events = [
        start(index, type="thinking", thinking="", signature=""),
        delta(index, type="thinking_delta", thinking=thought),
    ]
    if signature is not None:
        events += [delta(index, type="signature_delta", signature=signature), stop(index)]
    return b"".join(events)


def param(*blocks: bytes) -> Any:
    stream = replay(PROVIDER, b"".join(answer(*blocks)))
    stream.collect()
    return stream.message_param


def test_plain_text_is_a_string() -> None:
    assert param(text(0, "Certainly", "!")) == {"role": "assistant", "content": "Certainly!"}


def test_nothing_is_an_empty_string() -> None:
    assert param() == {"role": "assistant", "content": ""}
    assert param(text(0)) == {"role": "assistant", "content": ""}


def test_every_block_in_its_place() -> None:
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    found = {
        "type": "web_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": [
            {"type": "web_search_result", "url": "https://e.org", "encrypted_content": "x"}
        ],
    }
    citations = [{"type": "web_search_result_location", "cited_text": "…", "n": n} for n in (1, 2)]
    message = param(
        thinking(0, "First I look.", "sig-1"),
        b"".join(
            [
                start(1, **search),
                delta(1, type="input_json_delta", partial_json=""),
                delta(1, type="input_json_delta", partial_json='{"query": '),
                delta(1, type="input_json_delta", partial_json='"elves"}'),
                stop(1),
            ]
        ),
        start(2, **found) + stop(2),
        start(3, type="redacted_thinking", data="opaque") + stop(3),
        b"".join(
            [
                start(4, type="text", text="", citations=[]),
                delta(4, type="citations_delta", citation=citations[0]),
                delta(4, type="text_delta", text="Read "),
                delta(4, type="citations_delta", citation=citations[1]),
                delta(4, type="text_delta", text="this."),
                stop(4),
            ]
        ),
        text(5, "\n"),
        thinking(6, "", "sig-2"),
        b"".join(
            [
                start(7, type="tool_use", id="t", name="f", input={}, caller={"type": "direct"}),
                delta(7, type="input_json_delta", partial_json='{"n": 1}'),
                stop(7),
            ]
        ),
        start(8, type="compaction", content=None) + delta(8, type="compaction_delta", content="…"),
    )
    assert message["role"] == "assistant"
    assert message["content"] == [
        {"type": "thinking", "thinking": "First I look.", "signature": "sig-1"},
        {**search, "input": {"query": "elves"}},
        found,
        {"type": "redacted_thinking", "data": "opaque"},
        {"type": "text", "text": "Read this.", "citations": citations},
        # The blank block is left out: the API takes none.
        {"type": "thinking", "thinking": "", "signature": "sig-2"},
        {
            "type": "tool_use",
            "id": "t",
            "name": "f",
            "input": {"n": 1},
            "caller": {"type": "direct"},
        },
        {"type": "compaction", "content": "…"},
    ]


def test_what_was_cut_is_left_out() -> None:
    events = [
        message_start(),
        thinking(0, "Whole.", "sig"),
        text(1, "Here"),
        thinking(2, "I was about to", None),
        start(3, type="server_tool_use", id="s", name="web_search", input={}),
        delta(3, type="input_json_delta", partial_json='{"query": "el'),
        start(4, type="tool_use", id="t", name="f", input={}),
        delta(4, type="input_json_delta", partial_json='{"n": 1}'),
    ]
    stream = replay(PROVIDER, b"".join(events))
    with pytest.raises(StreamTruncatedError):
        stream.collect()
    assert stream.message_param["content"] == [
        {"type": "thinking", "thinking": "Whole.", "signature": "sig"},
        {"type": "text", "text": "Here"},
    ]
    assert stream.thinking == "Whole.I was about to"


def test_thinking_of_servers_that_sign_nothing() -> None:
    unsigned = start(0, type="thinking", thinking="Hm.") + stop(0)
    assert param(unsigned, text(1, "Hi"))["content"][0] == {
        "type": "thinking",
        "thinking": "Hm.",
        "signature": "",
    }


class TestToolResults:
    def tools(self, *calls: bytes) -> list[Any]:
        def look_up(title: str) -> str:
            return title

        stream = replay(PROVIDER, b"".join(answer(*calls)), tools=[look_up])
        stream.collect()
        return stream.tools

    def call(self, index: int, arguments: str) -> bytes:
        opened = start(index, type="tool_use", id=f"t{index}", name="look_up", input={})
        part = delta(index, type="input_json_delta", partial_json=arguments)
        return opened + part + stop(index)

    def test_one_message_for_all(self) -> None:
        first, second, bad = self.tools(
            self.call(0, '{"title": "Emma"}'),
            self.call(1, '{"title": "Ilium"}'),
            self.call(2, "{}"),
        )
        image = [
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "aWE="},
            }
        ]
        (message,) = PROVIDER.tool_message_params(
            [(first, {"pages": 474}), (second, image), (bad, None)]
        )
        assert message["role"] == "user"
        one, two, three = message["content"]
        assert one["type"] == "tool_result"
        assert one["tool_use_id"] == "t0"
        assert json.loads(one["content"]) == {"pages": 474}
        assert two["content"] == image
        assert three["is_error"] is True
        assert "title" in three["content"]
        assert "is_error" not in one

    def test_no_results_are_no_message(self) -> None:
        assert PROVIDER.tool_message_params([]) == []
