# mypy: allow-untyped-defs, allow-incomplete-defs
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false
"""Programs in the style of Mirascope v1, as type checkers must see them; never run, only checked.

Functions without annotations, functions whose result nobody knows, methods, class methods, prompts
of every kind. Each ignore comment marks wrong use.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any, assert_type

import mirascope
from mirascope import BaseMessageParam, BaseTool, Messages, core, llm, prompt_template
from mirascope.core import BaseDynamicConfig, MessageParam, anthropic, google, openai
from mirascope.core.base import BaseMessageParam as SameMessageParam
from openai.types import CompletionUsage
from pydantic import BaseModel

Response = openai.OpenAICallResponse
Stream = openai.OpenAIStream[openai.OpenAICallResponseChunk]
AsyncStream = openai.OpenAIAsyncStream[openai.OpenAICallResponseChunk]


def anything() -> Any: ...


# Each kind of function


@openai.call("gpt-4o-mini")
def untyped(genre: str):
    """Recommend a {genre} book."""


@openai.call("gpt-4o-mini")
def all_untyped(genre):
    return f"Recommend a {genre} book."


@openai.call("gpt-4o-mini")
def unknown(genre: str) -> Any:
    return anything()


@openai.call("gpt-4o-mini")
def prompt(genre: str) -> str:
    return f"Recommend a {genre} book."


@openai.call("gpt-4o-mini")
def messages(genre: str) -> Messages.Type:
    return [Messages.System("Be short."), Messages.User(f"Recommend a {genre} book.")]


@openai.call("gpt-4o-mini")
def message(genre: str) -> Messages.Type:
    return Messages.User(["Which book?", {"type": "text", "text": genre}])


@openai.call("gpt-4o-mini")
def configured(genre: str) -> BaseDynamicConfig:
    return {"computed_fields": {"genre": genre.upper()}, "metadata": {"tags": {"v1"}}}


@openai.call("gpt-4o-mini")
def configured_for_openai(genre: str) -> openai.OpenAIDynamicConfig:
    return {"messages": [{"role": "user", "content": genre}]}


@openai.call("gpt-4o-mini")
def never(genre: str):
    raise NotImplementedError


@openai.call("gpt-4o-mini", stream=True)
def stream(genre: str):
    """Recommend a {genre} book."""


@openai.call("gpt-4o-mini", stream=True)
@prompt_template("Recommend a {genre} book.")
def stream_template(genre: str): ...


@openai.call("gpt-4o-mini")
async def untyped_later(genre: str):
    """Recommend a {genre} book."""


@openai.call("gpt-4o-mini")
async def all_untyped_later(genre):
    return f"Recommend a {genre} book."


@openai.call("gpt-4o-mini")
async def unknown_later(genre: str) -> Any:
    return anything()


@openai.call("gpt-4o-mini", stream=True)
async def stream_later(genre: str):
    """Recommend a {genre} book."""


@openai.call_async("gpt-4o-mini", stream=True)
async def stream_by_call_async(genre: str):
    """Recommend a {genre} book."""


def synchronous(title: Any) -> None:
    assert_type(untyped("x"), Response)
    assert_type(all_untyped("x"), Response)
    assert_type(unknown("x"), Response)
    assert_type(prompt("x"), Response)
    assert_type(messages("x"), Response)
    assert_type(message("x"), Response)
    assert_type(configured("x"), Response)
    assert_type(configured_for_openai("x"), Response)
    assert_type(never("x"), Response)
    assert_type(untyped(title), Response)
    assert_type(stream("x"), Stream)
    assert_type(stream_template("x"), Stream)
    for chunk, tool in stream("x"):
        assert_type(chunk, openai.OpenAICallResponseChunk)
        assert_type(tool, BaseTool | None)
    assert_type(stream("x").usage, CompletionUsage | None)
    untyped(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    stream()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    prompt(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def asynchronous() -> None:
    assert_type(await untyped_later("x"), Response)
    assert_type(await all_untyped_later("x"), Response)
    assert_type(await unknown_later("x"), Response)
    assert_type(await stream_later("x"), AsyncStream)
    assert_type(await stream_by_call_async("x"), AsyncStream)
    assert_type(asyncio.run(untyped_later("x")), Response)
    assert_type(await asyncio.gather(*[untyped_later(g) for g in "ab"]), list[Response])
    async for chunk, _ in await stream_later("x"):
        assert_type(chunk.content, str)


# A prompt is a function


@prompt_template("Recommend a {genre} book.")
def book_prompt(genre: str): ...


@prompt_template("Recommend a {genre} book.")
async def book_prompt_later(genre: str) -> BaseDynamicConfig:
    return {"computed_fields": {}}


@prompt_template()
def own_prompt(genre: str) -> Messages.Type:
    return genre


@openai.call("gpt-4o-mini")
def ask_with_prompt(genre: str) -> BaseDynamicConfig:
    return {"messages": book_prompt(genre)}


@prompt_template("A {genre} book.")
@openai.call("gpt-4o-mini", stream=True)
def template_above(genre: str) -> None: ...


@openai.call_async("gpt-4o-mini", stream=True)
@prompt_template("A {genre} book.")
async def template_below_call_async(genre: str): ...


@openai.call("gpt-4o-mini")
@prompt_template("A {genre} book.")
async def template_below_async(genre: str): ...


async def prompts() -> None:
    assert_type(book_prompt("x"), list[MessageParam])
    assert_type(own_prompt("x"), list[MessageParam])
    assert_type(await book_prompt_later("x"), list[MessageParam])
    assert_type(ask_with_prompt("x"), Response)
    assert_type(template_above("x"), Stream)
    assert_type(await template_below_call_async("x"), AsyncStream)
    assert_type(await template_below_async("x"), Response)
    assert_type(openai.call("gpt-4o-mini")(book_prompt)("x"), Response)
    assert_type(await openai.call("gpt-4o-mini")(book_prompt_later)("x"), Response)
    book_prompt(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


# Where functions are


class Librarian(BaseModel):
    history: list[BaseMessageParam | openai.OpenAIMessageParam] = []

    def books(self) -> list[str]:
        """List the books."""
        return []

    @openai.call("gpt-4o-mini", stream=True)
    @prompt_template("MESSAGES: {self.history}\nUSER: {query}")
    def ask(self, query: str) -> BaseDynamicConfig:
        return {"tools": [self.books]}

    @openai.call("gpt-4o-mini")
    async def ask_later(self, query: str):
        """{query}"""

    @staticmethod
    @openai.call("gpt-4o-mini")
    def summarize(text: str):
        """Summarize {text}"""

    @classmethod
    @openai.call("gpt-4o-mini")
    def about(cls, text: str):
        """Summarize {text}"""

    def step(self, query: str) -> None:
        stream = self.ask(query)
        assert_type(stream, Stream)
        tools_and_outputs: list[tuple[BaseTool, Any]] = []
        for _, tool in stream:
            if tool:
                tools_and_outputs.append((tool, tool.call()))
        self.history += [Messages.User(query), stream.message_param]
        self.history += stream.tool_message_params(tools_and_outputs)
        self.history.append(stream.message_param)


async def methods(librarian: Librarian) -> None:
    assert_type(await librarian.ask_later("x"), Response)
    assert_type(Librarian.summarize("x"), Response)
    assert_type(librarian.about("x"), Response)
    librarian.ask(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def as_values() -> None:
    answer: Callable[[str], Response] = untyped
    later: Callable[[str], Awaitable[Response]] = untyped_later
    assert_type(functools.partial(stream, "x")(), Stream)
    assert_type(functools.cache(prompt)("x"), Response)
    assert_type([one.content for one in map(untyped, "ab")], list[str])
    print(answer, later, untyped.__name__, untyped.__doc__, untyped.__wrapped__("x"))
    wrong: Callable[[str], Awaitable[Response]] = prompt  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(wrong)


# Other providers, and any


@anthropic.call("claude-sonnet-5", stream=True)
def ask_claude(genre: str):
    """Recommend a {genre} book."""


@google.call("gemini-2.5-flash")
async def ask_gemini(genre: str):
    """Recommend a {genre} book."""


@llm.call(provider="openai", model="gpt-4o-mini")
def ask_anyone(genre: str):
    """Recommend a {genre} book."""


@llm.call("openai", "gpt-4o-mini", stream=True)
def stream_anyone(genre: str) -> Messages.Type:
    return genre


@core.call("openai/gpt-4o-mini", stream=True)
async def stream_by_name(genre: str):
    """Recommend a {genre} book."""


async def others() -> None:
    assert_type(ask_claude("x"), anthropic.AnthropicStream[anthropic.AnthropicCallResponseChunk])
    assert_type(await ask_gemini("x"), google.GoogleCallResponse)
    assert_type(ask_anyone("x"), llm.CallResponse[Any])
    assert_type(stream_anyone("x"), llm.Stream[Any])
    assert_type(await stream_by_name("x"), llm.AsyncStream[Any])


def names() -> None:
    assert_type(mirascope.core.Messages.User("x"), SameMessageParam)
    history: list[anthropic.AnthropicMessageParam] = [{"role": "user", "content": "Hi"}]
    contents: list[google.GoogleMessageParam] = [{"role": "user", "parts": [{"text": "Hi"}]}]
    answer = ask_claude("x")
    history += [answer.message_param, *answer.tool_message_params([])]
    tool: openai.OpenAITool | None = untyped("x").tool
    print(contents, tool)


# What is refused when decorating is an error before that

openai.call("gpt-4o-mini", record="a.stream")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


# Streams that yield partial tools, and toolkits


class Shelf(mirascope.BaseToolKit):
    level: str

    @mirascope.toolkit_tool
    def recommend(self, title: str) -> str:
        """Recommend a book."""
        return title


assert_type(Shelf(level="first").recommend("Dune"), str)
assert_type(Shelf(level="first").create_tools(), list[type[BaseTool]])


@openai.call("gpt-4o-mini", stream={"partial_tools": True}, tools=[Shelf(level="a").recommend])
def partial_tools(genre: str) -> str:
    return genre


@openai.call("gpt-4o-mini", stream={"partial_tools": True}, tool_choice="auto")
async def partial_tools_async(genre: str) -> str:
    return genre


@llm.call("openai", "gpt-4o-mini", stream={"partial_tools": True})
def partial_tools_by_name(genre: str) -> str:
    return genre


def check_partial_tools() -> None:
    assert_type(partial_tools("crime"), Stream)
    assert_type(partial_tools_by_name("crime"), core.BaseStream[Any])
    for _, tool in partial_tools("crime"):
        if tool is not None:
            assert_type(tool.delta, str | None)
            assert_type(tool.is_partial, bool)
    openai.call("gpt-4o-mini", stream={"partial_tool": True})  # type: ignore[call-overload]  # pyright: ignore


async def check_partial_tools_async() -> None:
    assert_type(await partial_tools_async("crime"), AsyncStream)
