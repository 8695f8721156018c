"""Tool calls of the real model: their shape, for their values nobody can answer."""

from __future__ import annotations

import json
from typing import Any

import mirascope_local as local
import pytest
from mirascope.core import StreamState, UsageError

pytestmark = pytest.mark.usefixtures("gguf")


def get_weather(city: str) -> str:
    """Get the weather of a city.

    Args:
        city: the city's name.
    """
    return f"Sunny in {city}, 21 degrees"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.mark.parametrize("params", [{}, {"tool_choice": "required"}])
@pytest.mark.parametrize("city", ["Paris", "Tokyo", "San Francisco"])
def test_a_tool_is_called(city: str, params: dict[str, Any]) -> None:
    @local.call("smollm2-135m", stream=True, tools=[get_weather], **params)
    def ask(city: str) -> None:
        """What is the weather in {city}?"""

    stream = ask(city)
    tools = [tool for _, tool in stream if tool is not None]
    assert stream.state is StreamState.COMPLETED
    assert stream.finish_reason == "tool_calls"
    assert len(tools) == 1
    assert isinstance(tools[0].args["city"], str)
    assert tools[0].call() == f"Sunny in {tools[0].args['city']}, 21 degrees"
    assert stream.tools == tools
    (sent,) = stream.message_param["tool_calls"]
    assert sent["function"]["name"] == "get_weather"
    assert json.loads(sent["function"]["arguments"]) == tools[0].args


def test_a_tool_that_is_chosen_by_name() -> None:
    choice = {"type": "function", "function": {"name": "add"}}

    @local.call("smollm2-135m", tools=[get_weather, add], tool_choice=choice)
    def ask() -> None:
        """What is the weather in Rome?"""

    response = ask()
    assert response.tool is not None
    assert response.tool.tool_name() == "add"
    assert isinstance(response.tool.call(), int)


def test_a_tool_that_is_chosen_by_name_and_is_not_there() -> None:
    choice = {"type": "function", "function": {"name": "subtract"}}

    @local.call("smollm2-135m", tools=[add], tool_choice=choice)
    def ask() -> None:
        """What is 3 minus 2?"""

    with pytest.raises(UsageError, match="'subtract'"):
        ask()


def test_after_the_result_the_model_answers() -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]

    @local.call("smollm2-135m", tools=[get_weather])
    def ask() -> list[Any]:
        return messages

    response = ask()
    assert response.tool is not None
    messages.append(response.message_param)
    messages += response.tool_message_params([(response.tool, response.tool.call())])
    answer = ask()
    assert answer.tools == []
    assert answer.content
    assert answer.finish_reason == "stop"


def test_an_answer_that_is_cut_inside_a_call_has_no_call() -> None:
    @local.call("smollm2-135m", stream=True, tools=[get_weather], max_tokens=6)
    def ask() -> None:
        """What is the weather in Paris?"""

    stream = ask()
    assert [tool for _, tool in stream if tool is not None] == []
    assert stream.finish_reason == "length"


def test_json_that_a_schema_asks_for() -> None:
    schema = {
        "type": "object",
        "properties": {"fit": {"type": "boolean"}},
        "required": ["fit"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}

    @local.call("smollm2-135m", response_format=form)
    def ask() -> None:
        """Is water wet?"""

    assert isinstance(json.loads(ask().content)["fit"], bool)
