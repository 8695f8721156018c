"""`stream.text()` of a structured stream: the value's own JSON, piece by piece."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope.core import (
    Recording,
    ResponseMissingError,
    ResponseTruncatedError,
    ResponseValidationError,
    StreamConsumedError,
    StreamTruncatedError,
    stream_from,
)
from mirascope.core.testing import Server
from mirascope_tests.api import Each
from mirascope_tests.chat import DONE, answer, chunk
from mirascope_tests.turns import WAYS, Way

from .answers import answering, called, pieces
from .models import Book

Serve = Callable[..., Server]
HELLO = [{"role": "user", "content": "Recommend a book."}]
DUNE = '{"title": "Dune", "author": "Frank Herbert"}'
MODES = ("native", "tool", "json")
each_way = pytest.mark.parametrize("way", WAYS, ids=str)


async def ask(way: Way, server: Server, **options: Any) -> Any:
    options.setdefault("response_model", Book)
    made = way.decorate(server, (), HELLO, **options)
    return await made() if way.is_async else made()


async def texts(way: Way, stream: Any) -> list[str]:
    text = stream.text()
    return [piece async for piece in (text if way.is_async else Each(iter(text)))]


async def result(way: Way, stream: Any) -> Any:
    return await stream.result() if way.is_async else stream.result()


def replayed(*texts: str, response_model: Any) -> Any:
    body = b"".join(answer(*texts))
    return stream_from(
        Recording.of_body(body), provider="compatible", response_model=response_model
    )


@pytest.mark.parametrize("mode", MODES)
@each_way
async def test_the_text_of_the_value_as_it_comes(way: Way, mode: str, serve: Serve) -> None:
    reply = called("Book", *pieces(DUNE)) if mode == "tool" else answering(*pieces(DUNE))
    stream = await ask(way, serve(reply), response_mode=mode)
    said = await texts(way, stream)
    assert "".join(said) == DUNE
    # Gemini sends the arguments of a call in one piece.
    assert len(said) > 1 or (way.provider, mode) == ("google", "tool")
    assert await result(way, stream) == Book(title="Dune", author="Frank Herbert")
    with pytest.raises(StreamConsumedError):
        await texts(way, stream)


@pytest.mark.parametrize(
    ("told", "value"),
    [
        (f"Here it is: ```json\n{DUNE}\n``` Enjoy!", DUNE),
        (f"<think>{{</think>{DUNE}}}", DUNE),
    ],
)
def test_what_stands_around_it_is_left_out(told: str, value: str) -> None:
    for size in (1, 3, 1000):
        stream = replayed(*pieces(told, size), response_model=Book)
        assert "".join(stream.text()) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('}" \n{:\\ä😀'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("}a "), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=3), st.integers(1, 9), st.sampled_from([None, 1]), st.booleans())
def test_the_wrapper_is_taken_off(
    value: list[Any], size: int, indent: int | None, wrapped: bool
) -> None:
    inner = json.dumps(value, indent=indent)
    told = f'{{ "value" :\n {inner} \n}} and more' if wrapped else inner
    stream = replayed(*pieces(told, size), response_model=list[Any])
    assert "".join(stream.text()) == inner
    assert stream.result() == value


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize("value", ["5", '"a } b"', "[{}]", "null"])
def test_the_wrapper_around_any_value(value: str, size: int) -> None:
    stream = replayed(*pieces(f'{{"value":{value}}}', size), response_model=Any)
    assert "".join(stream.text()) == value


def test_what_comes_is_passed_on_at_once_but_for_what_may_be_the_end() -> None:
    stream = replayed('{"value": ["a', "b", '"]', "\n", "}", response_model=list[str])
    assert list(stream.text()) == ['["a', "b", '"]']


@each_way
async def test_what_is_not_valid_is_told_at_the_end(way: Way, serve: Serve) -> None:
    stream = await ask(way, serve(answering('{"title": ', "5}")))
    with pytest.raises(ResponseValidationError, match=r"title: Input should be a valid string"):
        await texts(way, stream)
    assert stream.error.text == '{"title": 5}'


@pytest.mark.parametrize(
    ("body", "error", "text"),
    [
        ([chunk("Nothing fits."), chunk(finish="stop"), DONE], ResponseMissingError, ""),
        (
            [chunk('{"value": [1, 2 '), chunk(finish="length"), DONE],
            ResponseTruncatedError,
            "[1, 2 ",
        ),
        ([chunk('{"value": [1, 2')], StreamTruncatedError, "[1, 2"),
    ],
)
def test_what_came_of_an_answer_that_is_no_value(
    body: list[bytes], error: type[Exception], text: str
) -> None:
    stream = stream_from(
        Recording.of_body(b"".join(body)), provider="compatible", response_model=list[int]
    )
    said: list[str] = []
    with pytest.raises(error):
        said.extend(stream.text())
    assert "".join(said) == text
