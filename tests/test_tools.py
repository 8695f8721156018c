"""Tools: their schemas, every shape of call on the wire, and mistakes as data (T1, T2, T3, S9)."""

from __future__ import annotations

import asyncio
import enum
import inspect
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from mirascope.core import BaseTool, InvalidTool, ToolError, UsageError
from mirascope.core._tools._tool_types import to_tool_type
from mirascope.core.testing import Server, streamed, whole
from mirascope_tests.api import API, Reading
from mirascope_tests.chat import DONE, answer, chunk, completion
from pydantic import BaseModel, Field, field_validator

Serve = Callable[..., Server]


def google(title: str, pages: int = 100) -> str:
    """Format a book.

    In two paragraphs.

    Args:
        title: the book's title.
        pages: how many pages
            it has.

    Returns:
        A line.
    """
    return f"{title}, {pages} pages"


def numpy(title: str, pages: int = 100) -> str:
    """Format a book.

    In two paragraphs.

    Parameters
    ----------
    title : str
        the book's title.
    pages : int
        how many pages
        it has.
    """
    return f"{title}, {pages} pages"


def rest(title: str, pages: int = 100) -> str:
    """Format a book.

    In two paragraphs.

    :param title: the book's title.
    :param pages: how many pages
        it has.
    :returns: a line.
    """
    return f"{title}, {pages} pages"


def epydoc(title: str, pages: int = 100) -> str:
    """Format a book.

    In two paragraphs.

    @param title: the book's title.
    @param pages: how many pages
        it has.
    @return: a line.
    """
    return f"{title}, {pages} pages"


@pytest.mark.parametrize("fn", [google, numpy, rest, epydoc], ids=lambda fn: fn.__name__)
def test_docstrings(fn: Any) -> None:
    tool = to_tool_type(fn)
    assert tool.tool_name() == fn.__name__
    assert tool.tool_description() == "Format a book.\n\nIn two paragraphs."
    assert tool.tool_parameters() == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "the book's title."},
            "pages": {
                "type": "integer",
                "default": 100,
                "description": "how many pages\nit has.",
            },
        },
        "required": ["title"],
    }


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Author(BaseModel):
    """An author."""

    name: str
    title: str = Field("Dr.", description="how to address them")


def test_types() -> None:
    def find(
        kind: Literal["novel", "essay"],
        author: Author,
        tags: list[str],
        color: Color = Color.RED,
        year: int | None = None,
        shelf: Annotated[int, Field(ge=1, description="the shelf")] = 1,
        *,
        extra: dict[str, float] | None = None,
    ) -> None:
        """Find a book."""

    schema = to_tool_type(find).tool_parameters()
    properties = schema["properties"]
    assert properties["kind"] == {"type": "string", "enum": ["novel", "essay"]}
    assert properties["author"] == {"$ref": "#/$defs/Author"}
    assert properties["tags"] == {"type": "array", "items": {"type": "string"}}
    assert properties["color"]["default"] == "red"
    assert properties["year"] == {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}
    assert properties["shelf"] == {
        "type": "integer",
        "minimum": 1,
        "default": 1,
        "description": "the shelf",
    }
    assert properties["extra"]["default"] is None
    assert schema["required"] == ["kind", "author", "tags"]
    # A property that is named "title" is no title.
    author = schema["$defs"]["Author"]
    assert author["properties"]["title"]["description"] == "how to address them"
    assert "title" not in author
    assert json.loads(json.dumps(schema)) == schema


def test_awkward_names() -> None:
    def awkward(
        model_x: int, _private: str, args: int, call: int, schema: str, self_: int, copy: int,
        json: str, class_: str = "c", model_config: int = 1, error: int = 2,
    ) -> tuple[Any, ...]:  # fmt: skip
        """Take what other libraries keep for themselves."""
        return (model_x, _private, args, call, schema, self_, copy, json, class_, model_config)

    tool_type = to_tool_type(awkward)
    names = list(inspect.signature(awkward).parameters)
    assert list(tool_type.tool_parameters()["properties"]) == names
    given = {name: "1" if name in ("_private", "schema", "json") else 1 for name in names[:8]}
    tool = reading_of(tool_type, given)
    assert tool.error is None
    assert tool.args == {**given, "class_": "c", "model_config": 1, "error": 2}
    assert tool.call() == (1, "1", 1, 1, "1", 1, 1, "1", "c", 1)


def reading_of(tool_type: Any, arguments: Any, name: str | None = None) -> BaseTool:
    """Resolve a call as a stream does."""
    from mirascope.core import ToolCall
    from mirascope.core._tools._toolset import Toolset

    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    toolset = Toolset([tool_type])
    return toolset.resolve(ToolCall("call_1", name or toolset.types[0].tool_name(), text))


def test_a_function_without_parameters() -> None:
    def now() -> str:
        """Tell the time."""
        return "noon"

    assert to_tool_type(now).tool_parameters() == {"type": "object", "properties": {}}
    for arguments in ("{}", "", "null", "  "):
        tool = reading_of(now, arguments)
        assert tool.error is None
        assert tool.args == {}
        assert tool.call() == "noon"


def test_a_function_without_a_docstring_or_annotations() -> None:
    def plain(a, b=2):  # type: ignore[no-untyped-def]
        return a + b

    tool_type = to_tool_type(plain)
    assert tool_type.tool_description() == ""
    assert tool_type.tool_parameters()["required"] == ["a"]
    assert reading_of(plain, {"a": 3}).call() == 5


def test_bound_methods() -> None:
    class Library:
        def __init__(self, name: str) -> None:
            self.name = name

        def find(self, title: str) -> str:
            """Find a book.

            Args:
                title: which one.
            """
            return f"{title} in {self.name}"

    tool_type = to_tool_type(Library("Alexandria").find)
    assert list(tool_type.tool_parameters()["properties"]) == ["title"]
    assert reading_of(Library("Alexandria").find, {"title": "Dune"}).call() == "Dune in Alexandria"


def test_asynchronous_functions() -> None:
    async def find(title: str) -> str:
        """Find a book."""
        await asyncio.sleep(0)
        return title.upper()

    async def run() -> str:
        return await reading_of(find, {"title": "Dune"}).call()

    assert asyncio.run(run()) == "DUNE"


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("sunny", "sunny"),
        ("", ""),
        (None, "null"),
        ({"city": "Zürich", "at": [1, 2.5]}, '{"city":"Zürich","at":[1,2.5]}'),
        (Ellipsis, '"Ellipsis"'),
    ],
)
def test_the_text_of_a_result(output: Any, text: str) -> None:
    def look(city: str) -> Any: ...

    good = reading_of(look, {"city": "Zürich"})
    assert good.result_text(output) == text
    bad = reading_of(look, {"town": "Zürich"})
    assert bad.result_text(output) == (str(bad.error) if output is None else text)


def test_classes() -> None:
    class FormatBook(BaseTool):
        """Return a book's title and author on one line."""

        title: str = Field(description="the title")
        author: str = "anonymous"

        def call(self) -> str:
            return f"{self.title} by {self.author}"

    assert FormatBook.tool_name() == "FormatBook"
    assert FormatBook.tool_description() == "Return a book's title and author on one line."
    assert FormatBook.tool_parameters() == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "the title"},
            "author": {"type": "string", "default": "anonymous"},
        },
        "required": ["title"],
    }
    tool = reading_of(FormatBook, {"title": "Dune"})
    assert isinstance(tool, FormatBook)
    assert tool.args == {"title": "Dune", "author": "anonymous"}
    assert tool.call() == "Dune by anonymous"
    assert tool.tool_call.id == "call_1"


def star_args(*args: str) -> None: ...


def star_kwargs(**kwargs: str) -> None: ...


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        (lambda city: city, "a lambda has no name that a model could call"),
        (star_args, r"\*args"),
        (star_kwargs, r"\*\*kwargs"),
        (5, "5 is not a tool: give a function or a subclass of BaseTool"),
        (dict, "'dict' is not a tool: derive it from BaseTool"),
    ],
)
def test_what_is_not_a_tool(tool: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        to_tool_type(tool)


def test_two_tools_of_one_name(api: API) -> None:
    with pytest.raises(UsageError, match="two tools are named 'google'"):
        api.ask(tools=[google, google])


# On the wire


def fragment(index: Any = ..., id: Any = ..., name: Any = ..., arguments: Any = ...) -> Any:  # noqa: A002
    """One fragment of a call with only what is given."""
    function = {k: v for k, v in (("name", name), ("arguments", arguments)) if v is not ...}
    fields = (("index", index), ("id", id), ("function", function or ...))
    return {k: v for k, v in fields if v is not ...}


def calls(*fragments: Any, content: str | None = None) -> bytes:
    return chunk(content, tool_calls=list(fragments))


A, B = '{"title": "Dune"}', '{"title": "Emma", "pages": 7}'
FINISH = chunk(finish="tool_calls")

SHAPES: dict[str, list[bytes]] = {
    "OpenAI: one after the other": [
        calls(fragment(0, "a", "google", "")),
        calls(fragment(0, arguments=A[:5])),
        calls(fragment(0, arguments=A[5:])),
        calls(fragment(1, "b", "google", "")),
        calls(fragment(1, arguments=B[:9])),
        calls(fragment(1, arguments=B[9:])),
        FINISH,
        DONE,
    ],
    "interleaved by index": [
        calls(fragment(0, "a", "google", A[:3])),
        calls(fragment(1, "b", "google", B[:3])),
        calls(fragment(0, arguments=A[3:9])),
        calls(fragment(1, arguments=B[3:9])),
        calls(fragment(1, arguments=B[9:]), fragment(0, arguments=A[9:])),
        FINISH,
        DONE,
    ],
    "two whole calls in one delta": [
        calls(fragment(0, "a", "google", A), fragment(1, "b", "google", B)),
        FINISH,
        DONE,
    ],
    "two in one delta, both under index 0": [
        calls(fragment(0, "a", "google", A), fragment(0, "b", "google", B)),
        FINISH,
    ],
    "each under index 0": [
        calls(fragment(0, "a", "google", A)),
        calls(fragment(0, "b", "google", B)),
        FINISH,
    ],
    "under index 0, in pieces": [
        calls(fragment(0, "a", "google", "")),
        calls(fragment(0, arguments=A)),
        calls(fragment(0, "b", "google", "")),
        calls(fragment(0, arguments=B)),
        FINISH,
    ],
    "no index": [
        calls(fragment(id="a", name="google", arguments=A)),
        calls(fragment(id="b", name="google", arguments=B)),
        FINISH,
    ],
    "no index, in pieces": [
        calls(fragment(id="a", name="google", arguments=A[:4])),
        calls(fragment(arguments=A[4:])),
        calls(fragment(id="b", name="google", arguments=B[:4])),
        calls(fragment(arguments=B[4:])),
        FINISH,
    ],
    "id and name repeated in each piece": [
        calls(fragment(0, "a", "google", A[:4])),
        calls(fragment(0, "a", "google", A[4:])),
        calls(fragment(1, "b", "google", B[:4])),
        calls(fragment(1, "b", "google", B[4:])),
        FINISH,
    ],
    "null where nothing is meant": [
        calls(fragment(0, "a", "google", None)),
        calls(fragment(0, None, None, A)),
        calls(fragment(1, "b", "google", None)),
        calls(fragment(1, None, None, B)),
        FINISH,
    ],
    "empty strings where nothing is meant": [
        calls(fragment(0, "a", "google", "")),
        calls(fragment(0, "", "", A)),
        calls(fragment(1, "b", "google", "")),
        calls(fragment(1, "", "", B)),
        FINISH,
    ],
    "arguments as an object": [
        calls(fragment(0, "a", "google", json.loads(A))),
        calls(fragment(1, "b", "google", json.loads(B))),
        FINISH,
    ],
    "the finish reason rides on the last call": [
        calls(fragment(0, "a", "google", A)),
        chunk(tool_calls=[fragment(1, "b", "google", B)], finish="tool_calls"),
    ],
    "the finish reason is stop": [
        calls(fragment(0, "a", "google", A), fragment(1, "b", "google", B)),
        chunk(finish="stop"),
        DONE,
    ],
    "no finish reason": [
        calls(fragment(0, "a", "google", A), fragment(1, "b", "google", B)),
        DONE,
    ],
    "indices that begin at 1": [
        calls(fragment(1, "a", "google", A)),
        calls(fragment(2, "b", "google", B)),
        FINISH,
    ],
    "a whole message": [
        chunk(
            choices=[
                {
                    "index": 0,
                    "finish_reason": "tool_calls",
                    "message": {
                        "tool_calls": [
                            fragment(id="a", name="google", arguments=A),
                            fragment(id="b", name="google", arguments=B),
                        ],
                    },
                }
            ]
        ),
    ],
}


def both(reading: Reading, ids: tuple[str, str] = ("a", "b")) -> None:
    stream = reading.stream
    assert reading.error is None
    assert stream.state == "completed"
    assert [tool.tool_call.id for tool in reading.tools] == list(ids)
    assert [tool.tool_call.name for tool in reading.tools] == ["google", "google"]
    assert [json.loads(tool.tool_call.arguments) for tool in reading.tools] == [
        json.loads(A),
        json.loads(B),
    ]
    assert [tool.call() for tool in reading.tools] == ["Dune, 100 pages", "Emma, 7 pages"]
    assert stream.tools == reading.tools
    message = stream.message_param
    assert [call["id"] for call in message["tool_calls"]] == list(ids)
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["google"] * 2
    assert message["content"] is None


@pytest.mark.parametrize("shape", SHAPES)
async def test_shapes(api: API, serve: Serve, shape: str) -> None:
    server = serve(streamed(chunk("", role="assistant"), *SHAPES[shape]))
    both(await api.read(server, tools=[google]))


async def test_ids_missing(api: API, serve: Serve) -> None:
    events = [
        calls(fragment(name="google", arguments=A)),
        calls(fragment(name="google", arguments=B)),
    ]
    reading = await api.read(serve(streamed(*events, FINISH)), tools=[google])
    both(reading, ("call_chatcmpl-1_0", "call_chatcmpl-1_1"))


async def test_ids_repeated(api: API, serve: Serve) -> None:
    events = [calls(fragment(0, "a", "google", A)), calls(fragment(1, "a", "google", B))]
    reading = await api.read(serve(streamed(*events, FINISH)), tools=[google])
    both(reading, ("a", "a_1"))


async def test_a_call_is_yielded_as_soon_as_it_is_complete(api: API, serve: Serve) -> None:
    server = serve(streamed(*SHAPES["OpenAI: one after the other"]))
    reading = await api.read(server, tools=[google])
    places = [place for place, (_, tool) in enumerate(reading.items) if tool is not None]
    # The first with the event that begins the second, the second with the finish reason.
    assert places == [3, 6]


async def test_text_on_a_tool_delta_is_kept_and_not_doubled(api: API, serve: Serve) -> None:
    events = [
        chunk("Let me "),
        calls(fragment(0, "a", "google", A), content="look."),
        chunk("!", tool_calls=[fragment(1, "b", "google", B)], finish="tool_calls"),
    ]
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    reading = await api.read(
        serve(streamed(*events, chunk(choices=[], usage=usage), DONE)), tools=[google]
    )
    stream = reading.stream
    assert reading.texts == ["Let me ", "look.", "!"]
    assert stream.content == "Let me look.!"
    assert [tool.args["title"] for tool in reading.tools] == ["Dune", "Emma"]
    assert stream.message_param["content"] == "Let me look.!"
    assert len(stream.message_param["tool_calls"]) == 2


async def test_calls_without_arguments(api: API, serve: Serve) -> None:
    def now() -> str:
        """Tell the time."""
        return "noon"

    events = [
        calls(fragment(0, "a", "now")),
        calls(fragment(1, "b", "now", "")),
        calls(fragment(2, "c", "now", "{}")),
        calls(fragment(3, "d", "now", None)),
    ]
    reading = await api.read(serve(streamed(*events, FINISH)), tools=[now])
    assert [tool.call() for tool in reading.tools] == ["noon"] * 4
    # Whatever was streamed, what goes back is JSON.
    sent = [call["function"]["arguments"] for call in reading.stream.message_param["tool_calls"]]
    assert sent == ["{}"] * 4


async def test_a_call_that_was_cut_is_no_call(api: API, serve: Serve) -> None:
    events = [calls(fragment(0, "a", "google", A)), calls(fragment(1, "b", "google", B[:9]))]
    reading = await api.read(serve(streamed(*events)), tools=[google])
    assert reading.stream.state == "truncated"
    assert [tool.tool_call.id for tool in reading.stream.tools] == ["a"]
    assert [call["id"] for call in reading.stream.message_param["tool_calls"]] == ["a"]


class Picky(BaseTool):
    """A tool whose validation can fail in more than one way."""

    title: str

    @field_validator("title")
    @classmethod
    def check(cls, title: str) -> str:
        if title == "Emma":
            raise KeyError(title)
        return title


MISTAKES: dict[str, tuple[str, str, str, Any]] = {
    "an unknown name": ("googel", A, "the tools are: google, Picky", {"title": "Dune"}),
    "no JSON": ("google", '{"title": ', "not valid JSON", {}),
    "no object": ("google", "[1]", "not a JSON object", {}),
    "a missing argument": ("google", '{"pages": 1}', "title: Field required", {"pages": 1}),
    "a wrong type": ("google", '{"title": 1}', "title: Input should be", {"title": 1}),
    "a validator that breaks": ("Picky", '{"title": "Emma"}', "Emma", {"title": "Emma"}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_mistakes_are_data(api: API, serve: Serve, mistake: str) -> None:
    name, arguments, message, args = MISTAKES[mistake]
    events = [
        calls(fragment(0, "a", name, arguments)),
        calls(fragment(1, "b", "google", B), content="Still here."),
        FINISH,
    ]
    reading = await api.read(serve(streamed(*events, DONE)), tools=[google, Picky])
    assert reading.error is None
    assert reading.stream.state == "completed"
    assert reading.texts == ["Still here."]
    bad, good = reading.tools
    assert good.call() == "Emma, 7 pages"
    assert isinstance(bad, InvalidTool)
    assert isinstance(bad.error, ToolError)
    assert message in str(bad.error)
    assert bad.args == args
    assert (bad.tool_call.id, bad.tool_call.name, bad.tool_call.arguments) == ("a", name, arguments)
    assert bad.call() == str(bad.error)
    results = reading.stream.tool_message_params([(bad, None), (good, good.call())])
    assert results[0]["content"] == str(bad.error)
    back = reading.stream.message_param["tool_calls"][0]["function"]["arguments"]
    if mistake in ("no JSON", "no object"):
        # Servers that put the history into a template take nothing but an object.
        assert json.loads(back) == {"INVALID_JSON": arguments}
    else:
        assert back == arguments


async def test_the_round_trip(api: API, serve: Serve) -> None:
    """What a stream gives is what the next request sends, to the letter."""
    server = serve(
        streamed(chunk("Let me look."), *SHAPES["OpenAI: one after the other"]),
        streamed(*answer("Dune.")),
        whole(completion("Dune.")),
    )
    async with api.connected(server) as connection:
        ask = api.ask(**connection, tools=[google], temperature=0)
        reading = await api.drain(await api.call(ask, "fantasy"))
        stream = reading.stream
        outputs = [(tool, tool.call()) for tool in reading.tools[:1]]
        outputs += [(reading.tools[1], {"pages": [1, 2]})]
        history = [*stream.messages, stream.message_param, *stream.tool_message_params(outputs)]
        for again in (True, False):
            follow_up = api.ask(fn=api.function(None, history), stream=again, **connection)
            result = await api.call(follow_up)
            if again:
                assert (await api.drain(result)).error is None
            assert result.content == "Dune."
    first, second, third = (request.json for request in server.requests)
    assert first["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "google",
                "description": "Format a book.\n\nIn two paragraphs.",
                "parameters": to_tool_type(google).tool_parameters(),
            },
        }
    ]
    assert (
        second["messages"]
        == third["messages"]
        == [
            {"role": "user", "content": "Recommend a fantasy book."},
            {
                "role": "assistant",
                "content": "Let me look.",
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "google", "arguments": A}},
                    {"id": "b", "type": "function", "function": {"name": "google", "arguments": B}},
                ],
            },
            {"role": "tool", "tool_call_id": "a", "content": "Dune, 100 pages"},
            {"role": "tool", "tool_call_id": "b", "content": '{"pages":[1,2]}'},
        ]
    )


async def test_reasoning_goes_back_with_the_calls(api: API, serve: Serve) -> None:
    details = [{"type": "reasoning.text", "text": "Hm", "index": 0, "signature": None}]
    more = [{"type": "reasoning.text", "text": ".", "index": 0, "signature": "sig"}]
    hidden = [{"type": "reasoning.encrypted", "data": "xyz", "id": "r"}]
    events = [
        chunk(reasoning="Hm", reasoning_details=details),
        chunk(reasoning=".", reasoning_details=more),
        chunk(reasoning_details=hidden),
        calls(fragment(0, "a", "google", A)),
    ]
    stream = (await api.read(serve(streamed(*events, FINISH)), tools=[google])).stream
    assert stream.thinking == "Hm."
    assert stream.message_param["reasoning_details"] == [
        {"type": "reasoning.text", "text": "Hm.", "index": 0, "signature": "sig"},
        {"type": "reasoning.encrypted", "data": "xyz", "id": "r"},
    ]


async def test_provider_tools_beside_ours(api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hi")))
    raw = {"type": "web_search", "web_search": {}}
    await api.read(server, tools=[google], call_params={"tools": [raw]})
    names = [
        tool.get("function", tool).get("name", "web_search")
        for tool in server.requests[0].json["tools"]
    ]
    assert names == ["google", "web_search"]


async def test_dynamic_tools_replace_the_decorators(api: API, serve: Serve) -> None:
    server = serve(streamed(*SHAPES["each under index 0"]))
    fn = api.function("Recommend a {genre} book.", {"tools": [google]})
    reading = await api.read(server, fn=fn, tools=[numpy])
    both(reading)
    assert [tool["function"]["name"] for tool in server.requests[0].json["tools"]] == ["google"]
    assert [tool.tool_name() for tool in reading.stream.tool_types] == ["google"]
