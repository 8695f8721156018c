"""Requests: what a call leaves open is filled in, and nothing that it says is changed."""

from __future__ import annotations

from typing import Any

import pytest
from mirascope.core import CallRequest
from mirascope_local._provider import LocalProvider

TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}


def body(model: str = "smollm2-135m", role: str = "user", **params: Any) -> dict[str, Any]:
    request = CallRequest(
        model=model,
        messages=[{"role": role, "content": "Hi"}],
        call_params=params,
        stream=True,
    )
    before = repr(request)
    prepared = LocalProvider().prepare(request)
    assert repr(request) == before
    return prepared.kwargs


def test_defaults() -> None:
    assert body() == {
        "model": "smollm2-135m",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.0,
        "repeat_penalty": 1.15,
        "max_tokens": 512,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_what_the_call_says_has_the_last_word() -> None:
    said = {"temperature": 0.7, "repeat_penalty": 1.0, "max_tokens": None, "min_p": 0.1}
    assert said.items() <= body(**said).items()


@pytest.mark.parametrize("name", ["max_completion_tokens", "n_predict"])
def test_other_names_of_the_limit(name: str) -> None:
    assert "max_tokens" not in body(**{name: 7})


@pytest.mark.parametrize(
    ("role", "said", "expected"),
    [
        ("user", {}, "required"),
        ("tool", {}, "none"),
        ("user", {"tool_choice": "auto"}, "auto"),
        ("tool", {"tool_choice": "required"}, "required"),
    ],
)
def test_the_choice_of_a_tool(role: str, said: dict[str, Any], expected: str) -> None:
    assert body(role=role, tools=[TOOL], **said)["tool_choice"] == expected


def test_another_model_chooses_by_itself() -> None:
    assert "tool_choice" not in body(model="/models/large.gguf", tools=[TOOL])
