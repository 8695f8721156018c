"""What type checkers infer of calls with a response model."""

from __future__ import annotations

from typing import Annotated, Any, Literal, assert_type

from mirascope import llm
from mirascope.core import (
    AsyncStructuredStream,
    BaseCallResponse,
    BaseStream,
    Recording,
    StructuredStream,
    anthropic,
    call,
    call_async,
    google,
    openai,
    stream_from,
)
from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class Book(BaseModel):
    title: str


class Shelf(BaseModel):
    books: list[Book]


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Movie(TypedDict):
    title: str


@openai.call("m", response_model=Book, stream=True)
def streamed(topic: str) -> str:
    return topic


@openai.call("m", response_model=Book)
def whole(topic: str) -> str:
    return topic


@openai.call("m", response_model=Book, stream=True)
async def streamed_async(topic: str) -> str:
    return topic


@openai.call_async("m", response_model=Book)
async def whole_async(topic: str) -> str:
    return topic


@anthropic.call("m", response_model=list[Book], stream=True, response_mode="tool")
def listed() -> str:
    return ""


@google.call("m", response_model=Cat | Dog)
def united() -> str:
    return ""


@call("openai/m", response_model=Literal["a", "b"])
def chosen() -> str:
    return ""


@call_async("openai/m", response_model=Movie, stream=True)
async def typed() -> str:
    return ""


@openai.call(
    "m",
    response_model=Annotated[Cat | Dog, Field(discriminator="kind")],
    stream=True,
    json_mode=True,
)
def tagged() -> str:
    return ""


@llm.call("openai", "m", response_model=Shelf, stream=True)
def shelved() -> str:
    return ""


@openai.call("m", api="responses", output_parser=lambda response: len(response.content))
def parsed() -> str:
    return ""


@anthropic.call("m", output_parser=lambda response: len(response.content))
def parsed_by_claude() -> str:
    return ""


@openai.call("m", stream=True, temperature=1)
def plain() -> str:
    return ""


@call("openai/m", json_mode=True)
def json_alone() -> str:
    return ""


def check() -> None:
    assert_type(streamed("x"), StructuredStream[Book])
    for book in streamed("x"):
        assert_type(book, Book)
        print(book.titel)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
    assert_type(streamed("x").partial, Book | None)
    assert_type(streamed("x").stream, BaseStream[Any])
    assert_type(streamed("x").cost, float | None)
    assert_type(whole("x"), Book)
    assert_type(listed().result(), list[Book])
    for item in listed().items():
        assert_type(item, Book)
    for item in shelved().items(lambda shelf: shelf.books):
        assert_type(item, Book)
    for shelf in shelved().every(0.1):
        assert_type(shelf, Shelf)
    assert_type(united(), Cat | Dog)
    assert_type(chosen(), Literal["a", "b"])
    assert_type(tagged().result(), Cat | Dog)
    assert_type(parsed(), int)
    assert_type(parsed_by_claude(), int)
    assert_type(plain(), openai.OpenAIStream[openai.OpenAICallResponseChunk])
    assert_type(json_alone(), BaseCallResponse[Any])
    recording = Recording.of_body(b"")
    assert_type(stream_from(recording, response_model=list[Book]), StructuredStream[list[Book]])
    assert_type(stream_from(recording), BaseStream[Any])


async def check_async() -> None:
    stream = await streamed_async("x")
    assert_type(stream, AsyncStructuredStream[Book])
    async for book in stream:
        assert_type(book, Book)
    assert_type(await stream.result(), Book)
    assert_type(await whole_async("x"), Book)
    assert_type((await typed()).partial, Movie | None)


openai.call("m", response_model=Book, output_parser=str)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
openai.call("m", output_parser=str, stream=True)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
