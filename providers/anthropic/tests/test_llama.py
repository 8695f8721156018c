"""A real server, nobody's mock: llama.cpp speaks `/v1/messages`, Anthropic's SDK reads it.

The document's four snippets run here too, with `anthropic` in place of `openai`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from mirascope.core import BadRequestError, StreamState
from mirascope_tests.llama import llama_server
from mirascope_tests.shared import SHARED, needs_shared

from .conftest import MODEL, Way

TEMPLATE = SHARED / "local" / "chatml_tools.jinja"
SEED = SHARED / "seed" / "streams.md"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A llama.cpp server with SmolLM2-135M under the name of a model of Anthropic's."""
    template = TEMPLATE if TEMPLATE.exists() else None
    with llama_server(MODEL, template=template, n_ctx=1024, n_predict=-1) as address:
        yield address


def test_text(url: str, way: Way) -> None:
    reading = way.read(url, max_tokens=32, temperature=0)
    stream = reading.stream
    assert reading.error is None
    assert stream.state is StreamState.COMPLETED
    assert len(stream.content) > 20
    assert sum(bool(chunk.content) for chunk, _ in reading.items) > 5
    assert stream.finish_reason in ("stop", "length")
    assert stream.model == MODEL
    assert stream.usage.output_tokens == stream.output_tokens > 5
    assert stream.input_tokens > 10
    assert stream.cost > 0
    assert stream.message_param == {"role": "assistant", "content": stream.content}


def get_weather(city: str) -> str:
    """Get the current weather in a city.

    Args:
        city: The city's name.
    """
    return f"It is raining in {city}."


@needs_shared
@pytest.mark.parametrize("sdk_iteration", [False, True])
def test_tools(url: str, way: Way, sdk_iteration: bool) -> None:
    reading = way.read(
        url,
        returns="What is the weather in Paris?",
        tools=[get_weather],
        tool_choice={"type": "any"},
        max_tokens=100,
        temperature=0,
        sdk_iteration=sdk_iteration,
    )
    assert reading.error is None
    (tool,) = reading.tools
    assert tool.error is None
    assert tool.call().startswith("It is raining in ")
    assert reading.stream.finish_reason == "tool_calls"
    assert sum(chunk.data["type"] == "content_block_delta" for chunk, _ in reading.items) > 3
    # The server takes the call and its result back.
    history = [
        {"role": "user", "content": "What is the weather in Paris?"},
        reading.stream.message_param,
        *reading.stream.tool_message_params([(tool, tool.call())]),
    ]
    followed = way.read(url, returns=history, max_tokens=32, temperature=0)
    assert followed.error is None
    assert followed.stream.content


def test_without_streaming(url: str, way: Way) -> None:
    response = way.fetch(url, max_tokens=16, temperature=0)
    assert response.content
    assert type(response.response) is anthropic.types.Message
    assert response.usage.output_tokens == response.output_tokens


def test_a_prompt_that_is_too_long(url: str, way: Way) -> None:
    error = way.read(url, returns="word " * 20_000).error
    assert type(error) is BadRequestError
    assert error.status == 400


@needs_shared
class TestDocument:
    """The snippets of the user's document, with this provider's own shapes."""

    @pytest.fixture
    def snippets(self, url: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-nobody")
        found = re.findall(r"^```python\n(.*?)^```", SEED.read_text(), re.MULTILINE | re.DOTALL)
        assert len(found) == 4
        return [code.replace("openai", "anthropic").replace("gpt-4o", MODEL) for code in found]

    def run(self, code: str) -> dict[str, Any]:
        namespace: dict[str, Any] = {"__name__": "document"}
        header = "from mirascope.core import anthropic\n"
        exec(compile(header + code, "document", "exec"), namespace)
        return namespace

    def test_streaming(self, snippets: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        namespace = self.run(snippets[0])
        assert capsys.readouterr().out == namespace["stream"].content
        assert len(namespace["stream"].content) > 20

    def test_properties(self, snippets: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        code = snippets[1].replace("\t# do stuff with `chunk` \n", "\tpass\n")
        results = self.run(code)["results"]
        usage, cost, message, user_message = capsys.readouterr().out.splitlines()
        assert re.match(r"Usage\(.*input_tokens=\d+, output_tokens=\d+", usage)
        assert float(cost) == results.cost > 0
        assert message == repr({"role": "assistant", "content": results.content})
        assert user_message == repr({"role": "user", "content": "Recommend a fantasy book."})

    def test_chunks(self, snippets: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        ask = snippets[1].partition("# iterate")[0]
        self.run(ask + textwrap.dedent(snippets[2]))
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("RawMessageStartEvent(")
        assert lines[-1].startswith("RawMessageStopEvent(")
        assert any(line.startswith("RawContentBlockDeltaEvent(") for line in lines)

    def test_async(self, snippets: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        self.run(snippets[3])
        assert len(capsys.readouterr().out) > 20
