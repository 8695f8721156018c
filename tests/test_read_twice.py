"""What is read twice of an answer is made once: it is the same object, and costs nothing."""

from __future__ import annotations

from typing import Any

import pytest
from mirascope.core import BaseStream
from mirascope.core.plugins import hookimpl, isolated_registry, register_plugin
from mirascope.core.testing import replay, sse
from mirascope_tests.chat import answer

BODIES: dict[str, tuple[str, str | None, bytes]] = {
    "compatible": ("compatible", None, b"".join(answer("Hi"))),
    "chat": ("openai", "chat", b"".join(answer("Hi"))),
    "responses": (
        "openai",
        "responses",
        sse(
            {
                "type": "response.completed",
                "response": {
                    "id": "r",
                    "object": "response",
                    "created_at": 1,
                    "model": "gpt-4o",
                    "status": "completed",
                    "output": [],
                    "usage": {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8},
                },
            }
        ),
    ),
    "messages": (
        "anthropic",
        None,
        sse(
            {
                "type": "message_start",
                "message": {
                    "id": "m",
                    "type": "message",
                    "role": "assistant",
                    "model": "claude-sonnet-5",
                    "content": [],
                    "stop_reason": None,
                    "usage": {"input_tokens": 3, "output_tokens": 5},
                },
            }
        )
        + sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}})
        + sse({"type": "message_stop"}),
    ),
    "generate": (
        "google",
        None,
        sse(
            {
                "candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
                "modelVersion": "gemini-2.5-flash",
                "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 5},
            }
        ),
    ),
}


@pytest.fixture(params=BODIES)
def stream(request: pytest.FixtureRequest) -> BaseStream[Any]:
    provider, api, body = BODIES[request.param]
    return replay(provider, body, api=api)


def test_the_same_object_each_time(stream: BaseStream[Any]) -> None:
    chunks = [chunk for chunk, _ in stream]
    assert all(chunk.chunk is chunk.chunk for chunk in chunks)
    response = stream.construct_call_response()
    for result in (stream, response):
        assert result.usage is not None
        for name in ("usage", "common_usage", "cost_details"):
            assert getattr(result, name) is getattr(result, name), name
    assert response.response is response.response


class Asked:
    """Counts how often a cost is worked out."""

    times = 0

    @hookimpl
    def mirascope_cost(self) -> None:
        self.times += 1


@pytest.mark.parametrize("whole", [False, True], ids=["stream", "response"])
def test_a_cost_is_worked_out_once(stream: BaseStream[Any], whole: bool) -> None:
    asked = Asked()
    with isolated_registry():
        register_plugin(asked)
        stream.collect()
        result = stream.construct_call_response() if whole else stream
        # A cost that is not known is not looked for again either.
        assert len({result.cost for _ in range(3)}) == 1
        assert asked.times == 1
