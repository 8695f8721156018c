"""`response_model=` on every provider: whole and streamed, sync and async, in every mode (C4)."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any, Literal

import pytest
from mirascope.core import (
    AsyncStructuredStream,
    BaseCallResponse,
    BaseStream,
    ResponseMissingError,
    ResponseModelError,
    ResponseRefusedError,
    ResponseTruncatedError,
    ResponseValidationError,
    StreamCancelledError,
    StreamConsumedError,
    StreamPicture,
    StreamState,
    StreamTruncatedError,
    StructuredStream,
    UsageError,
    call,
)
from mirascope.core.testing import Server, streamed, whole
from mirascope_tests.api import Each
from mirascope_tests.chat import DONE, answer, chunk, completion
from mirascope_tests.turns import WAYS, Way
from pydantic import BaseModel, ValidationError, field_validator

from .answers import answering, called, pieces
from .models import Book, Cat, Dog, Genre, Movie, Pet, Point

Serve = Callable[..., Server]
DUNE = '{"title": "Dune", "author": "Frank Herbert"}'
MODES = ("native", "tool", "json")
HELLO = [{"role": "user", "content": "Recommend a book."}]
CHAT = [way for way in WAYS if way.provider == "compatible"]

each_way = pytest.mark.parametrize("way", WAYS, ids=str)
each_chat = pytest.mark.parametrize("way", CHAT, ids=str)
each_mode = pytest.mark.parametrize("mode", MODES)


async def ask(way: Way, server: Server, **options: Any) -> Any:
    options.setdefault("response_model", Book)
    made = way.decorate(server, (), HELLO, **options)
    return await made() if way.is_async else made()


async def read(way: Way, loop: Any) -> list[Any]:
    return [made async for made in (loop if way.is_async else Each(iter(loop)))]


async def result(way: Way, stream: Any) -> Any:
    return await stream.result() if way.is_async else stream.result()


def reply_for(mode: str, text: str = DUNE, name: str = "Book") -> Any:
    return called(name, *pieces(text)) if mode == "tool" else answering(*pieces(text))


@each_mode
@each_way
async def test_a_call_returns_the_value_with_its_response(
    way: Way, mode: str, serve: Serve
) -> None:
    server = serve(reply_for(mode))
    book = await ask(way, server, stream=False, response_mode=mode)
    assert type(book) is Book
    assert book == Book(title="Dune", author="Frank Herbert")
    assert isinstance(book._response, BaseCallResponse)
    assert book.model_dump() == {"title": "Dune", "author": "Frank Herbert"}
    assert repr(book) == "Book(title='Dune', author='Frank Herbert')"
    for copied in (copy.deepcopy(book), pickle.loads(pickle.dumps(book))):
        assert copied == book
        assert isinstance(copied._response, StreamPicture)


@each_mode
@each_way
async def test_a_stream_yields_partials_and_at_last_the_value(
    way: Way, mode: str, serve: Serve
) -> None:
    stream = await ask(way, serve(reply_for(mode)), stream=True, response_mode=mode)
    assert isinstance(stream, AsyncStructuredStream if way.is_async else StructuredStream)
    assert stream.partial is None
    assert stream.response_mode == mode
    seen = await read(way, stream)
    *partials, book = seen
    assert type(book) is Book
    assert book == Book(title="Dune", author="Frank Herbert")
    assert partials
    assert all(isinstance(partial, Book) for partial in partials)
    if way.provider != "google" or mode != "tool":
        # Gemini sends a call in one piece.
        assert [partial.title for partial in partials][:2] == ["D", "Dune"]
        assert partials[0].author is None
    assert len({repr(partial) for partial in partials}) == len(partials)
    assert await result(way, stream) is book
    assert stream.partial is book
    assert stream.state is StreamState.COMPLETED
    assert isinstance(book._response, BaseCallResponse)
    assert stream.message_param == stream.stream.message_param
    assert (stream.tools != []) == (mode == "tool")


@each_way
async def test_how_a_tool_is_forced(way: Way, serve: Serve) -> None:
    server = serve(reply_for("tool"))
    await ask(way, server, stream=False, response_mode="tool")
    sent = server.requests[0].json
    forced: dict[str, Any] = {
        "chat": {"tool_choice": "required", "parallel_tool_calls": False},
        "anthropic": {
            "tool_choice": {"type": "tool", "name": "Book", "disable_parallel_tool_use": True}
        },
        "google": {
            "toolConfig": {
                "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["Book"]}
            }
        },
    }
    wanted = forced.get(way.provider, forced["chat"])
    assert {name: sent[name] for name in wanted} == wanted
    if way.provider == "anthropic":
        assert sent["tools"][0]["eager_input_streaming"] is True


@pytest.mark.parametrize(
    ("response_model", "text", "value"),
    [
        (list[Book], '{"value": [{"title": "Dune", "author": "H"}]}', None),
        (list[str], '{"value": ["a"]}', ["a"]),
        (Literal["yes", "no"], '{"value": "yes"}', "yes"),
        (Genre, '{"value": "crime"}', Genre.CRIME),
        (int, '{"value": 412}', 412),
        (bool, '{"value": true}', True),
        (str, '{"value": "x"}', "x"),
        (Cat | Dog, '{"value": {"kind": "dog"}}', Dog(kind="dog")),
        (Pet, '{"value": {"kind": "cat"}}', Cat(kind="cat")),
        (Book | None, '{"value": null}', None),
        (Movie, '{"title": "x"}', {"title": "x"}),
        (Point, '{"x": 1, "y": 2}', Point(1, 2)),
        (dict[str, int], '{"a": 1}', {"a": 1}),
    ],
    ids=str,
)
@each_way
async def test_any_type_that_pydantic_validates(
    way: Way, response_model: Any, text: str, value: Any, serve: Serve
) -> None:
    if response_model == list[Book]:
        value = [Book(title="Dune", author="H")]
    is_tool = response_model == dict[str, int] and way.provider == "anthropic"
    reply = called("dict_str_int", text) if is_tool else answering(text)
    server = serve(reply, reply)
    found = await ask(way, server, response_model=response_model, stream=False)
    assert found == value
    assert type(found) is type(value)
    stream = await ask(way, server, response_model=response_model, stream=True)
    assert (await read(way, stream))[-1] == value


@each_way
async def test_items_come_one_by_one_each_whole(way: Way, serve: Serve) -> None:
    class Shelf(BaseModel):
        name: str
        books: list[Book]

    text = '{"name": "n", "books": [' + DUNE + ", " + DUNE.replace("Dune", "Emma") + "]}"
    reply = answering(*pieces(text))
    server = serve(reply, reply, answering(*pieces(f'{{"value": [{DUNE}]}}')))
    for of in (lambda shelf: shelf.books, "books"):
        stream = await ask(way, server, response_model=Shelf, stream=True)
        books = await read(way, stream.items(of))
        assert [book.title for book in books] == ["Dune", "Emma"]
        assert all(type(book) is Book for book in books)
        assert (await result(way, stream)).name == "n"
    stream = await ask(way, server, response_model=list[Book], stream=True)
    assert [book.title for book in await read(way, stream.items())] == ["Dune"]


@each_chat
async def test_items_need_a_list_and_valid_items(way: Way, serve: Serve) -> None:
    server = serve(answering('{"value": [{"title": "a", "author": "b"}, {"title": 1}]}'))
    stream = await ask(way, server, response_model=list[Book], stream=True)
    with pytest.raises(UsageError, match=r"list\[Book\] has no|has no 'x'"):
        stream.items("x")
    books = stream.items() if way.is_async else Each(iter(stream.items()))
    assert (await anext(books)).title == "a"
    with pytest.raises(ResponseValidationError, match=r"an item: .*title: .*string") as caught:
        await anext(books)
    assert caught.value.text == '{"title": 1}'
    stream = await ask(way, server, stream=True)
    with pytest.raises(UsageError, match="needs a list, which Book is not"):
        stream.items()
    with pytest.raises(UsageError, match="'title' of Book is not"):
        stream.items(lambda book: book.title)


@each_chat
async def test_every_gives_few_partials_and_the_value(way: Way, serve: Serve) -> None:
    server = serve(answering(*pieces(DUNE, 1)))
    stream = await ask(way, server, stream=True)
    seen = await read(way, stream.every(3600))
    assert len(seen) == 2
    assert seen[0].title is None
    assert seen[1] == Book(title="Dune", author="Frank Herbert")


@each_chat
async def test_the_value_alone(way: Way, serve: Serve) -> None:
    stream = await ask(way, serve(answering(*pieces(DUNE))), stream=True)
    book = await result(way, stream)
    assert book.title == "Dune"
    assert await result(way, stream) is book
    assert stream.cost is None
    assert stream.content == DUNE
    with pytest.raises(StreamConsumedError, match="read once"):
        iter(stream) if not way.is_async else aiter(stream)
    with pytest.raises(TypeError, match=r"for partial in"):
        aiter(stream) if not way.is_async else iter(stream)


@each_chat
async def test_leaving_the_loop_ends_the_stream(way: Way, serve: Serve) -> None:
    stream = await ask(way, serve(answering(*pieces(DUNE))), stream=True)
    async for partial in stream if way.is_async else Each(iter(stream)):
        assert partial.title == "D"
        break
    assert stream.state is StreamState.STOPPED
    assert stream.partial is not None
    assert stream.open_path == ("title",)
    with pytest.raises(StreamCancelledError, match="ended before its end"):
        await result(way, stream)


@each_chat
async def test_close_in_the_loop_ends_it_without_an_error(way: Way, serve: Serve) -> None:
    stream = await ask(way, serve(answering(*pieces(DUNE))), stream=True)
    async for _ in stream if way.is_async else Each(iter(stream)):
        await stream.aclose() if way.is_async else stream.close()
    assert stream.state is StreamState.STOPPED


def invalid(name: str) -> tuple[list[bytes], type[ResponseModelError], str, str]:
    """The events of an answer without a value; the error, its message and its text."""
    cut = '{"title": "Du'
    return {
        "length": (
            [chunk(cut), chunk(finish="length"), DONE],
            ResponseTruncatedError,
            "was cut before the Book was whole: raise max_tokens",
            cut,
        ),
        "refusal": (
            [chunk(refusal="I won't."), chunk(finish="stop"), DONE],
            ResponseRefusedError,
            "the model declined: I won't.",
            "",
        ),
        "filter": (
            [chunk(cut), chunk(finish="content_filter"), DONE],
            ResponseRefusedError,
            "the provider's filter stopped the answer",
            cut,
        ),
        "prose": (
            answer("Dune, by {Frank} Herbert"),
            ResponseMissingError,
            "the answer contains no JSON of a Book",
            "Dune, by {Frank} Herbert",
        ),
        "nothing": (answer(), ResponseMissingError, "the answer is empty", ""),
        "cut": (
            answer(cut),
            ResponseValidationError,
            "does not fit: the answer: Invalid JSON",
            cut,
        ),
        "misfit": (
            answer('Sure: {"title": 1}.'),
            ResponseValidationError,
            "the answer does not fit: title: .*; author: Field required",
            '{"title": 1}',
        ),
    }[name]


@pytest.mark.parametrize(
    "name", ["length", "refusal", "filter", "prose", "nothing", "cut", "misfit"]
)
@each_chat
async def test_an_answer_that_is_no_value(way: Way, name: str, serve: Serve) -> None:
    events, error_class, message, text = invalid(name)
    server = serve(streamed(*events))
    stream = await ask(way, server, stream=True)
    with pytest.raises(error_class, match=message) as caught:
        await read(way, stream)
    error = caught.value
    assert error.text == text
    assert error.stream is stream
    assert error.response is None
    assert error.response_model is Book
    assert error.partial is stream.partial
    assert (error.partial is None) == (name in ("refusal", "prose", "nothing"))
    assert error.retryable is False
    assert stream.state is StreamState.COMPLETED
    assert stream.error is error
    assert stream.content == text or name == "misfit"
    with pytest.raises(error_class) as again:
        await result(way, stream)
    assert again.value is error
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is error_class
    assert (copied.text, str(copied)) == (error.text, str(error))
    assert isinstance(copied.stream, StreamPicture)
    if error_class is ResponseValidationError:
        assert isinstance(error.__cause__, ValidationError)
        assert copied.feedback() == error.feedback()


@each_chat
async def test_the_same_of_a_call_that_is_not_streamed(way: Way, serve: Serve) -> None:
    server = serve(whole(completion('{"title": 1}')), whole(completion(None, refusal="No.")))
    with pytest.raises(ResponseValidationError) as caught:
        await ask(way, server, stream=False)
    error = caught.value
    assert error.stream is None
    assert isinstance(error.response, BaseCallResponse)
    assert error.response.content == error.text == '{"title": 1}'
    assert (error.provider, error.model) == ("compatible", error.response.model)
    assert error.problems == ("title: Input should be a valid string", "author: Field required")
    assert error.feedback() == {
        "role": "user",
        "content": "The answer does not fit:\n- title: Input should be a valid string\n"
        "- author: Field required\nCorrect it and answer again, in full.",
    }
    with pytest.raises(ResponseRefusedError, match=r"declined: No\.") as refused:
        await ask(way, server, stream=False)
    assert (refused.value.refusal, refused.value.reason) == ("No.", "refusal")


@each_way
async def test_feedback_on_a_tool_call_is_its_result(way: Way, serve: Serve) -> None:
    server = serve(called("Book", '{"title": 1}'), answering(DUNE))
    with pytest.raises(ResponseValidationError) as caught:
        await ask(way, server, stream=False, response_mode="tool")
    error = caught.value
    message = json.dumps(error.feedback())
    assert "author: Field required" in message
    assert '"role": "user", "content": "The answer' not in message
    # The next try sends both, and the API is given the call and its result.
    history = [*HELLO, error.response.message_param, error.feedback()]
    made = way.decorate(server, (), history, stream=False, response_model=Book)
    assert (await made() if way.is_async else made()).title == "Dune"
    assert "author: Field required" in json.dumps(server.requests[1].json)


@each_chat
async def test_an_error_of_the_stream_leads_to_the_partial(way: Way, serve: Serve) -> None:
    server = serve(streamed(chunk('{"title": "Du')))
    stream = await ask(way, server, stream=True)
    with pytest.raises(StreamTruncatedError) as caught:
        await read(way, stream)
    assert caught.value.stream is stream
    assert caught.value.stream.partial.title == "Du"


@each_chat
async def test_a_value_that_was_whole_before_the_cut_counts(way: Way, serve: Serve) -> None:
    server = serve(streamed(chunk(DUNE + " Anyth"), chunk(finish="length"), DONE))
    stream = await ask(way, server, stream=True)
    assert (await read(way, stream))[-1].title == "Dune"


@each_chat
async def test_with_tools_the_model_may_call_in_place_of_answering(way: Way, serve: Serve) -> None:
    def look_up(title: str) -> str:
        """Look a book up."""
        return title

    reply = called("look_up", '{"title": "Dune"}')
    server = serve(reply, reply)
    for mode in ("native", "tool"):
        made = way.decorate(
            server, [look_up], HELLO, stream=True, response_model=Book, response_mode=mode
        )
        stream = await made() if way.is_async else made()
        with pytest.raises(ResponseMissingError, match="the model called 'look_up' and gave no"):
            await read(way, stream)
        assert [tool.call() for tool in stream.tools] == ["Dune"]


@each_chat
async def test_two_calls_of_the_answer_are_one_answer(way: Way, serve: Serve) -> None:
    events = [
        chunk(tool_calls=[{"index": n, "id": str(n), "function": {"name": "Book", "arguments": a}}])
        for n, a in enumerate((DUNE, DUNE.replace("Dune", "Emma")))
    ]
    server = serve(streamed(*events, chunk(finish="stop"), DONE))
    stream = await ask(way, server, stream=True, response_mode="tool")
    assert (await read(way, stream))[-1].title == "Dune"


@each_chat
async def test_a_validator_of_the_users_that_breaks_is_no_bare_exception(
    way: Way, serve: Serve
) -> None:
    class Broken(BaseModel):
        title: str

        @field_validator("title")
        @classmethod
        def check(cls, value: str) -> str:
            raise RuntimeError("broken")

    server = serve(answering('{"title": "x"}'))
    with pytest.raises(ResponseValidationError, match="RuntimeError: broken"):
        await ask(way, server, stream=False, response_model=Broken)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"response_model": Book, "output_parser": str}, "both say what a call returns"),
        ({"output_parser": str, "stream": True}, r"stream=True: call the parser on stream.coll"),
        ({"output_parser": 1}, "must be a function, not 1"),
        ({"response_model": Book, "n": 2}, "n=2 asks for several"),
        ({"response_model": Book, "response_mode": "xml"}, "'native', 'tool', 'json', not 'xml'"),
        ({"response_mode": "tool"}, "response_mode tells how a response_model is asked for"),
        ({"response_model": Book, "json_mode": True, "response_mode": "tool"}, "means response_m"),
        ({"json_mode": "yes"}, "json_mode must be True or False, not 'yes'"),
        ({"response_model": object()}, "response_model=.* can't be used"),
        ({"response_model": Book, "response_mode": "tool", "tools": [Book]}, "rename one|tool"),
    ],
)
def test_what_contradicts_itself_is_refused_when_decorating(
    options: dict[str, Any], message: str, is_async: bool
) -> None:
    from mirascope.core import call_async

    with pytest.raises(UsageError, match=message) as caught:
        (call_async if is_async else call)("compatible/m", **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("response_model", "name"),
    [
        (Book, "Book"),
        (list[Book], "list_Book"),
        (Pet, "Cat_Dog"),
        (Literal["a", "b"], "Literal_a_b"),
        (dict[str, int], "dict_str_int"),
    ],
    ids=str,
)
def test_the_name_of_a_schema(response_model: Any, name: str) -> None:
    made = call("compatible/m", response_model=response_model, stream=True)(lambda: "Hi")()
    assert made.call_kwargs["response_format"]["json_schema"]["name"] == name
    assert "FieldInfo" not in repr(made)


def test_a_provider_that_declares_no_modes_is_not_asked() -> None:
    from mirascope_compatible import CompatibleProvider

    class Plain(CompatibleProvider):
        response_modes = ()

    from mirascope.core import Call

    ask_plain = Call[Any, Any, Any](Plain())
    with pytest.raises(UsageError, match="'compatible' does not support response_model: its plug"):
        ask_plain("m", response_model=Book)
    with pytest.raises(UsageError, match="'compatible' has no JSON mode"):
        ask_plain("m", json_mode=True)


def test_deepseek_is_asked_in_the_way_that_it_takes() -> None:
    with pytest.raises(UsageError, match="'deepseek' has no response_mode 'native', but 'json' or"):
        call("deepseek/deepseek-chat", response_model=Book, response_mode="native")


def test_thinking_and_a_tool_that_has_to_be_called_exclude_each_other() -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    with pytest.raises(UsageError, match="leave response_mode='tool' out, or thinking"):
        call("anthropic/m", response_model=Book, response_mode="tool", thinking=thinking)
    with pytest.raises(UsageError, match="value is a dict, whose keys are free"):
        call("anthropic/m", response_model=dict[str, int] | Book, thinking=thinking)
    call("anthropic/m", response_model=Book, thinking=thinking)


@each_way
async def test_json_mode_alone_changes_the_request_and_nothing_else(way: Way, serve: Serve) -> None:
    server = serve(answering(DUNE))
    response = await ask(way, server, response_model=None, json_mode=True, stream=False)
    assert isinstance(response, BaseCallResponse)
    assert json.loads(response.content)["title"] == "Dune"
    sent = server.requests[0].json
    if way.provider == "anthropic":
        assert sent["system"] == "Answer with JSON and with nothing else."
    elif way.provider == "google":
        assert sent["generationConfig"] == {"responseMimeType": "application/json"}
    elif way.api == "responses":
        assert sent["text"] == {"format": {"type": "json_object"}}
    else:
        assert sent["response_format"] == {"type": "json_object"}
        assert sent["messages"] == HELLO


@each_way
async def test_json_mode_with_a_response_model_shows_the_schema(way: Way, serve: Serve) -> None:
    server = serve(answering(f"Here you are:\n```json\n{DUNE}\n```"))
    book = await ask(way, server, json_mode=True, stream=False)
    assert book.title == "Dune"
    assert "fits this JSON schema" in json.dumps(server.requests[0].json)
    assert book._response.user_message_param is not None


@each_way
async def test_an_output_parser_has_the_response(way: Way, serve: Serve) -> None:
    server = serve(answering("a, b"))
    options = {"response_model": None, "stream": False}
    parsed = await ask(way, server, output_parser=lambda r: r.content.split(", "), **options)
    assert parsed == ["a", "b"]


@each_chat
async def test_without_a_response_model_a_stream_is_a_stream(way: Way, serve: Serve) -> None:
    stream = await ask(way, serve(answering("Hi")), response_model=None, stream=True)
    assert not isinstance(stream, StructuredStream | AsyncStructuredStream)
    assert isinstance(stream, BaseStream) or way.is_async
