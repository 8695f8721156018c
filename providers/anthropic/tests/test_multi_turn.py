"""Conversations, sent through the real SDK and checked against its own parameter types."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path
from typing import Any

import mirascope_anthropic
import pytest
from anthropic.types.beta.message_create_params import (
    MessageCreateParamsStreaming as BetaMessageCreateParamsStreaming,
)
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from mirascope.core.testing import ReceivedRequest, Reply, replay, streamed, whole
from mirascope_anthropic import AnthropicProvider
from mirascope_tests.shared import CORPUS, each
from pydantic import BaseModel, TypeAdapter, ValidationError

from .conftest import MODEL, Way
from .messages import answer, delta, start, stop, text

PARAMS: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsStreaming)
BETA_PARAMS: TypeAdapter[Any] = TypeAdapter(BetaMessageCreateParamsStreaming)
RECORDINGS = sorted((CORPUS / "anthropic-messages").glob("*.sse"))
BETA_BLOCKS = ("compaction", "fallback", "mcp_", "advisor_")


def check(body: Any, params: TypeAdapter[Any] = PARAMS) -> None:
    """Raise a ValidationError for a request that the SDK's parameter types don't allow."""
    exhaust(params.validate_python(body))


def exhaust(value: Any) -> None:
    """Go through what was validated: an `Iterable` in a type is validated as it is iterated."""
    if isinstance(value, dict):
        value = value.values()
    elif value is None or isinstance(value, (str, int, float, BaseModel)):
        return
    for item in value:
        exhaust(item)


def checked(events: list[bytes]) -> Any:
    """The events for a good request, and the API's 400 for any other."""

    def answer_request(request: ReceivedRequest) -> Reply:
        try:
            check(request.json)
        except ValidationError as error:
            body = {"type": "invalid_request_error", "message": str(error)}
            return whole({"type": "error", "error": body}, status=400)
        return streamed(*events)

    return answer_request


def test_the_check_refuses_what_is_wrong() -> None:
    good = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    for block in (good, {"type": "tool_use", "id": "t", "name": "f", "input": {}}):
        message = {"role": "assistant", "content": [block]}
        body = {"model": "m", "max_tokens": 1, "stream": True, "messages": [message]}
        check(body)
        del block[sorted(block)[0]]
        with pytest.raises(ValidationError):
            check(body)


TURNS = [
    answer(
        start(0, type="thinking", thinking="", signature="")
        + delta(0, type="thinking_delta", thinking="I need both.")
        + delta(0, type="signature_delta", signature="sig-1")
        + stop(0),
        start(1, type="redacted_thinking", data="opaque") + stop(1),
        text(2, "Let me look."),
        start(3, type="tool_use", id="toolu_1", name="look_up", input={})
        + delta(3, type="input_json_delta", partial_json='{"title": ')
        + delta(3, type="input_json_delta", partial_json='"Emma"}')
        + stop(3),
        start(4, type="tool_use", id="toolu_2", name="now", input={}) + stop(4),
        start(5, type="tool_use", id="toolu_3", name="burn", input={}) + stop(5),
        reason="tool_use",
    ),
    answer(text(0, "Emma has 474 pages."), reason="end_turn"),
    answer(text(0, "You are welcome.")),
]


def look_up(title: str) -> dict[str, Any]:
    """Look a book up."""
    return {"title": title, "pages": 474}


def now() -> str:
    """Tell the time."""
    return "noon"


def test_tools_and_thinking_over_three_turns(serve: Any, way: Way) -> None:
    server = serve(*map(checked, TURNS))
    asyncio.run(converse(way, server.url))
    first, second, third = (request.json for request in server.requests)
    assert [tool["name"] for tool in first["tools"]] == ["look_up", "now"]
    assert second["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "I need both.", "signature": "sig-1"},
        {"type": "redacted_thinking", "data": "opaque"},
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"title": "Emma"}},
        {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
        {"type": "tool_use", "id": "toolu_3", "name": "burn", "input": {}},
    ]
    results = second["messages"][2]
    assert results["role"] == "user"
    assert [(r["tool_use_id"], r.get("is_error")) for r in results["content"]] == [
        ("toolu_1", None),
        ("toolu_2", None),
        ("toolu_3", True),
    ]
    assert [message["role"] for message in third["messages"]] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]


async def converse(way: Way, url: str) -> None:
    client = way.client(url)
    options: Any = {"stream": True, "tools": [look_up, now], "client": client}
    if way.is_async:

        @mirascope_anthropic.call_async(MODEL, **options)
        async def ask(messages: list[Any]) -> Any:
            return messages
    else:

        @mirascope_anthropic.call(MODEL, **options)
        def ask(messages: list[Any]) -> Any:
            return messages

    history: list[Any] = [{"role": "user", "content": "How long is Emma?"}]
    said = []
    for _ in range(3):
        reading = await way.drain(functools.partial(ask, list(history)))
        assert reading.error is None
        stream = reading.stream
        said.append(stream.content)
        history.append(stream.message_param)
        outputs = [(t, None if t.error else t.call()) for t in stream.tools]
        history += stream.tool_message_params(outputs) or [{"role": "user", "content": "Thanks!"}]
    assert said == ["Let me look.", "Emma has 474 pages.", "You are welcome."]
    await client.close() if way.is_async else client.close()


@pytest.mark.parametrize("path", each(RECORDINGS))
def test_every_recorded_answer_can_be_sent_back(path: Path) -> None:
    stream = replay(AnthropicProvider(), path.read_bytes())
    stream.collect()
    results = stream.tool_message_params([(tool, "done") for tool in stream.tools])
    message = stream.message_param
    messages = [{"role": "user", "content": "Hi"}, message, *results]
    blocks = [] if isinstance(message["content"], str) else message["content"]
    is_beta = any(block["type"].startswith(BETA_BLOCKS) for block in blocks)
    body = {"model": "m", "max_tokens": 1, "stream": True, "messages": messages}
    check(body, BETA_PARAMS if is_beta else PARAMS)
    for block in blocks:
        assert block["type"] != "text" or block["text"].strip()
