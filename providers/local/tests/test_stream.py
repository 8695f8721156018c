"""Answers of the real model, through the public decorator, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import mirascope_local as local
import pytest
from mirascope.core import (
    BadRequestError,
    StreamConsumedError,
    StreamState,
    UsageError,
    call,
)

pytestmark = pytest.mark.usefixtures("gguf")
MODES = pytest.mark.parametrize("mode", ["sync", "async"])


def start(mode: str, prompt: str, **params: Any) -> Any:
    """Return an unread stream."""
    if mode == "sync":

        @local.call(local.DEFAULT_MODEL, stream=True, **params)
        def answer(prompt: str) -> None:
            """{prompt}"""

        return answer(prompt)

    @local.call_async(local.DEFAULT_MODEL, stream=True, **params)
    async def answer_async(prompt: str) -> None:
        """{prompt}"""

    return asyncio.run(answer_async(prompt))


def read(stream: Any) -> list[Any]:
    """Return the chunks of a stream."""
    if isinstance(stream, local.LocalStream):
        return [chunk for chunk, _ in stream]

    async def run() -> list[Any]:
        return [chunk async for chunk, _ in stream]

    return asyncio.run(run())


@MODES
def test_a_stream_ends_with_text_usage_and_no_cost(mode: str) -> None:
    stream = start(mode, "Recommend a fantasy book", max_tokens=300)
    chunks = read(stream)
    assert stream.state is StreamState.COMPLETED
    assert len(chunks) > 10
    assert stream.content == "".join(chunk.content for chunk in chunks)
    assert "fantasy" in stream.content
    assert stream.finish_reason in ("stop", "length")  # the model draws its words
    assert stream.model == "smollm2-135m"
    assert stream.id.startswith("chatcmpl-")
    assert stream.usage["prompt_tokens"] == stream.input_tokens > 10
    assert stream.usage["completion_tokens"] == stream.output_tokens > 10
    assert stream.cost == 0.0
    assert stream.cost_details.total == Decimal(0)
    assert stream.cost_details.exact
    assert stream.cost_details.notes == ("the model runs on this machine",)
    assert stream.message_param == {"role": "assistant", "content": stream.content}
    assert stream.user_message_param == {"role": "user", "content": "Recommend a fantasy book"}
    with pytest.raises(StreamConsumedError):
        read(stream)


@MODES
def test_a_chunk_is_the_dict_that_llama_cpp_made(mode: str) -> None:
    chunks = read(start(mode, "Hi", max_tokens=3))
    assert all(isinstance(chunk, local.LocalCallResponseChunk) for chunk in chunks)
    assert all(chunk.chunk["object"] == "chat.completion.chunk" for chunk in chunks)
    assert not any("prompt_progress" in chunk.chunk for chunk in chunks)
    assert chunks[0].chunk["choices"][0]["delta"] == {"role": "assistant", "content": None}
    assert chunks[-1].usage["completion_tokens"] == chunks[-1].output_tokens == 3
    assert chunks[-1].chunk["timings"]["predicted_n"] == 3


@MODES
def test_progress_on_the_prompt_is_given_to_who_asks_for_it(mode: str) -> None:
    stream = start(mode, "Hi", max_tokens=3, return_progress=True)
    chunks = read(stream)
    progress = [c.chunk["prompt_progress"] for c in chunks if "prompt_progress" in c.chunk]
    assert progress[-1]["processed"] == progress[-1]["total"] == stream.input_tokens


@MODES
def test_the_answer_is_cut_where_the_call_says(mode: str) -> None:
    stream = start(mode, "Tell me a long story", max_tokens=4)
    read(stream)
    assert stream.finish_reason == "length"
    assert stream.output_tokens == 4


@MODES
def test_a_prompt_that_is_too_long_is_refused_at_opening(mode: str) -> None:
    stream = start(mode, "word " * 5000)
    with pytest.raises(BadRequestError, match="exceeds the available context size") as caught:
        stream.open() if mode == "sync" else asyncio.run(stream.open())
    assert caught.value.status == 400
    assert (caught.value.provider, caught.value.model) == ("local", "smollm2-135m")
    assert stream.state is StreamState.FAILED
    assert stream.error is caught.value


@MODES
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"temperature": "hot"}, "temperature"),
        ({"response_format": {"type": "poem"}}, "response_format"),
        ({"stop": {object()}}, "."),
    ],
)
def test_a_parameter_that_llama_cpp_refuses(
    mode: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadRequestError, match=message):
        read(start(mode, "Hi", **params))


@MODES
def test_without_usage(mode: str) -> None:
    stream = start(mode, "Hi", max_tokens=3, stream_options=None)
    read(stream)
    assert stream.state is StreamState.COMPLETED
    assert (stream.usage, stream.cost) == (None, None)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_call_that_is_not_streamed(asynchronous: bool) -> None:
    if asynchronous:

        @local.call_async("smollm2-135m", max_tokens=8, logprobs=True)
        async def greet_async() -> None:
            """Hi"""

        response = asyncio.run(greet_async())
    else:

        @local.call("smollm2-135m", max_tokens=8, logprobs=True)
        def greet() -> None:
            """Hi"""

        response = greet()
    assert isinstance(response, local.LocalCallResponse)
    assert response.content
    completion = response.response
    assert completion["object"] == "chat.completion"
    assert completion["choices"][0]["message"]["content"] == response.content
    assert len(completion["choices"][0]["logprobs"]["content"]) == 8
    assert completion["usage"] == response.usage
    assert completion["timings"]["predicted_n"] == response.output_tokens == 8
    assert response.finish_reason == "length"
    assert response.cost == 0.0


def test_a_call_that_is_not_streamed_is_refused_alike() -> None:
    @local.call("smollm2-135m")
    def much() -> str:
        return "word " * 5000

    with pytest.raises(BadRequestError, match="exceeds the available context size"):
        much()


def test_the_model_by_path_and_by_provider_name(gguf: Path) -> None:
    @call(f"local/{gguf}", max_tokens=3)
    def by_path() -> None:
        """Hi"""

    @call("local/smollm2-135m", max_tokens=3)
    def by_name() -> None:
        """Hi"""

    for response in (by_path(), by_name()):
        assert response.model == "smollm2-135m"
        assert response.content


def test_streams_run_at_the_same_time_on_one_server() -> None:
    @local.call_async("smollm2-135m", stream=True, max_tokens=30)
    async def tell(about: str) -> None:
        """Tell me a story about {about}"""

    order: list[str] = []

    async def one(about: str) -> Any:
        stream = await tell(about)
        async for chunk, _ in stream:
            if chunk.content:
                order.append(about)
        return stream

    async def run() -> list[Any]:
        return await asyncio.gather(*(one(about) for about in ("cats", "rain", "bread", "trains")))

    streams = asyncio.run(run())
    assert [stream.output_tokens for stream in streams] == [30] * 4
    assert all(stream.state is StreamState.COMPLETED for stream in streams)
    assert len({stream.content for stream in streams}) == 4
    first, last = order[0], len(order) - 1 - order[::-1].index(order[0])
    assert set(order[:last]) - {first}, "another stream went on before the first one ended"


def test_one_answer_a_call() -> None:
    with pytest.raises(UsageError, match="one answer a call"):
        start("sync", "Hi", n=2)


@MODES
def test_there_is_no_client(mode: str) -> None:
    with pytest.raises(UsageError, match="no client"):
        read(start(mode, "Hi", client=object()))
