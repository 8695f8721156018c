"""What type checkers must see of `openai` streams; never run, only checked.

Each ignore comment marks wrong use: the checkers also report an ignore that nothing needs.
"""

from __future__ import annotations

from typing import assert_type

from mirascope.core import BaseTool, openai
from mirascope.core.openai import (
    OpenAIAsyncStream,
    OpenAICallResponse,
    OpenAICallResponseChunk,
    OpenAIResponseChunk,
    OpenAIStream,
)
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk


@openai.call(model="gpt-4o", stream=True)
def recommend_book(genre: str) -> None:
    """Recommend a {genre} book."""


@openai.call_async(model="gpt-4o", stream=True)
async def recommend_book_async(genre: str) -> None:
    """Recommend a {genre} book."""


@openai.call("gpt-4o", stream=True, temperature=0.7, timeout={"idle": 5})
async def recommend_book_detected(genre: str) -> None:
    """Recommend a {genre} book."""


@openai.call("gpt-4o")
def answer(question: str) -> None:
    """{question}"""


@openai.call("gpt-4o")
async def answer_detected(question: str) -> None:
    """{question}"""


class AcmeChunk(OpenAICallResponseChunk):
    """A chunk of a provider that extends this one."""

    @property
    def flavour(self) -> str:
        return "acme"


class AcmeStream(OpenAIStream[AcmeChunk]):
    """A stream of a provider that extends this one."""


def synchronous() -> None:
    stream = recommend_book(genre="fantasy")
    assert_type(stream, OpenAIStream[OpenAICallResponseChunk])
    assert_type(stream, OpenAIStream[OpenAIResponseChunk])
    for chunk, tool in stream:
        assert_type(chunk, OpenAICallResponseChunk)
        assert_type(chunk.chunk, ChatCompletionChunk)
        assert_type(chunk.content, str)
        assert_type(tool, BaseTool | None)
    assert_type(stream.usage, CompletionUsage | None)
    assert_type(stream.cost, float | None)
    for text in stream.text():
        assert_type(text, str)

    recommend_book(genre=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    recommend_book()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    stream.uasge  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


async def asynchronous() -> None:
    stream = await recommend_book_async(genre="fiction")
    assert_type(stream, OpenAIAsyncStream[OpenAICallResponseChunk])
    async for chunk, tool in stream:
        assert_type(chunk.chunk, ChatCompletionChunk)
        assert_type(tool, BaseTool | None)

    assert_type(
        await recommend_book_detected(genre="fiction"), OpenAIAsyncStream[OpenAICallResponseChunk]
    )
    assert_type(await answer_detected("Why?"), OpenAICallResponse)


def not_streamed() -> None:
    response = answer("Why?")
    assert_type(response, OpenAICallResponse)
    assert_type(response.response, ChatCompletion)
    assert_type(response.usage, CompletionUsage | None)


def extended(stream: AcmeStream) -> None:
    for chunk, _ in stream:
        assert_type(chunk, AcmeChunk)
        assert_type(chunk.flavour, str)
        assert_type(chunk.chunk, ChatCompletionChunk)


@openai.call_async("gpt-4o", stream=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
def wrongly_synchronous(genre: str) -> None:
    """Recommend a {genre} book."""


@openai.call("gpt-4o", stream="yes")  # type: ignore[call-overload, untyped-decorator]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
def wrong_flag() -> None:
    """Say hi."""
