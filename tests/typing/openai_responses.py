"""What type checkers must see of the Responses API; never run, only checked."""

from __future__ import annotations

from typing import assert_type

from mirascope.core import openai
from mirascope.core.openai import OpenAIResponsesMessageParam, OpenAIStream
from openai.types.responses import Response, ResponseStreamEvent, ResponseUsage


@openai.call("gpt-5", api="responses", stream=True)
def a(genre: str) -> None:
    """{genre}"""


@openai.call("gpt-5", api="responses", stream=True)
async def b(genre: str) -> None:
    """{genre}"""


@openai.call_async("gpt-5", api="responses", stream=True)
async def c(genre: str) -> None:
    """{genre}"""


@openai.call("gpt-5", api="responses", temperature=1, tools=[], timeout=3)
def d(genre: str) -> None:
    """{genre}"""


@openai.call("gpt-5", api="chat", stream=True)
def e(genre: str) -> None:
    """{genre}"""


def f() -> None:
    s = a("x")
    assert_type(s, openai.OpenAIResponsesStream[openai.OpenAIResponsesCallResponseChunk])
    for chunk, _ in s:
        assert_type(chunk.chunk, ResponseStreamEvent)
    assert_type(s.usage, ResponseUsage | None)
    assert_type(s.message_param, OpenAIResponsesMessageParam)
    r = d("x")
    assert_type(r.response, Response)
    assert_type(e("x"), OpenAIStream)
    a(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def g() -> None:
    assert_type(await b("x"), openai.OpenAIResponsesAsyncStream)
    assert_type(await c("x"), openai.OpenAIResponsesAsyncStream)


openai.call("gpt-5", api="respones")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
