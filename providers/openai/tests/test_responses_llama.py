"""A real server, nobody's mock: llama.cpp speaks `/v1/responses`, OpenAI's SDK sends to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mirascope.core import StreamState
from mirascope_tests.llama import llama_server
from openai.types.responses import ResponseTextDeltaEvent, ResponseUsage

from .responses import WAYS, Way, way_name

TEMPLATE = Path(__file__).parents[2] / "local/src/mirascope_local/chat_template.jinja"

pytestmark = pytest.mark.parametrize("way", WAYS, ids=way_name)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A llama.cpp server with SmolLM2-135M, whose template knows tools, by the name `gpt-5`."""
    with llama_server("gpt-5", template=TEMPLATE, n_ctx=8192, n_predict=64) as address:
        yield f"{address}/v1"


def get_weather(city: str) -> str:
    """Say the weather in a city."""
    return f"sunny in {city}"


def test_text(url: str, way: Way) -> None:
    reading = way.read(url, max_output_tokens=32, temperature=0)
    stream = reading.stream
    assert reading.error is None
    assert stream.state is StreamState.COMPLETED
    texts = [chunk.content for chunk, _ in reading.items if chunk.content]
    assert len(texts) > 5
    assert "".join(texts) == stream.content
    assert len(stream.content) > 20
    assert stream.finish_reasons == ["completed"]
    assert stream.model == "gpt-5"
    assert isinstance(stream.usage, ResponseUsage)
    assert stream.usage.output_tokens == stream.output_tokens > 5
    assert stream.input_tokens > 5
    assert stream.cost > 0
    assert any(type(chunk.chunk) is ResponseTextDeltaEvent for chunk, _ in reading.items)
    (item,) = stream.message_param["content"]
    assert (item["type"], item["content"][0]["text"]) == ("message", stream.content)
    assert stream.construct_call_response().response.output_text == stream.content


def test_the_conversation_goes_on(url: str, way: Way) -> None:
    first = way.read(url, max_output_tokens=16, temperature=0).stream
    history = [
        {"role": "system", "content": "You recommend books."},
        first.user_message_param,
        first.message_param,
        {"role": "user", "content": "Another one."},
    ]
    reading = way.read(url, history, max_output_tokens=16, temperature=0)
    assert reading.error is None
    assert reading.stream.content
    assert reading.stream.input_tokens > first.input_tokens + first.output_tokens


def test_tools_and_their_results(url: str, way: Way) -> None:
    ask = {"role": "user", "content": "What is the weather in Paris?"}
    reading = way.read(
        url,
        [ask],
        tools=[get_weather],
        tool_choice="required",
        max_output_tokens=64,
        temperature=0,
    )
    assert reading.error is None
    (tool,) = reading.tools
    assert tool.tool_call.name == "get_weather"
    assert tool.error is None
    assert tool.call() == f"sunny in {tool.args['city']}"
    stream = reading.stream
    assert stream.finish_reason == "tool_calls"
    results = stream.tool_message_params([(tool, tool.call())])
    history = [ask, stream.message_param, *results]
    answered = way.read(url, history, max_output_tokens=16, temperature=0)
    assert answered.error is None
    assert answered.stream.state is StreamState.COMPLETED
    assert answered.stream.input_tokens > 0


def test_a_call_that_is_not_streamed(url: str, way: Way) -> None:
    answer = way.fetch(url, max_output_tokens=16, temperature=0)
    assert answer.content == answer.response.output_text
    assert answer.usage.output_tokens > 5
