"""Tools while their arguments arrive: `stream={"partial_tools": True}` (T4)."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mirascope.core import (
    BaseTool,
    BaseToolKit,
    InvalidTool,
    Recording,
    ToolError,
    UsageError,
    call,
    stream_from,
    stream_from_async,
    toolkit_tool,
)
from mirascope.core._response._reader import ResponseReader
from mirascope.core._tools._toolset import Toolset
from mirascope.core.testing import Server, sse, streamed
from mirascope.core.wire import SSEFramer
from mirascope_compatible import CompatibleCallResponseChunk
from mirascope_compatible._decode import ChatDecoder
from mirascope_tests.api import Each
from mirascope_tests.chat import DONE, chunk
from mirascope_tests.llama import llama_server
from mirascope_tests.turns import WAYS, Way
from pydantic import BaseModel, Field, computed_field, field_validator

Serve = Callable[..., Server]
PARTIAL = {"partial_tools": True}
TEMPLATE = Path(__file__).parents[1] / "providers/local/src/mirascope_local/chat_template.jinja"


class Author(BaseModel):
    name: str
    born: int


class FormatBook(BaseTool):
    """Put a book on one line."""

    title: str = Field(min_length=3)
    authors: list[Author]
    genre: Literal["fantasy", "crime"] = "fantasy"

    @field_validator("title")
    @classmethod
    def check(cls, title: str) -> str:
        assert title[0].isupper(), "ran on a partial"
        return title.strip()

    @computed_field
    def shout(self) -> str:
        return self.title.upper()

    def call(self) -> str:
        return f"{self.title} by {self.authors[0].name}"


BOOK = {"title": "The Name of the Wind", "authors": [{"name": "Rothfuss", "born": 1973}]}


def pieces(text: str, size: int = 5) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def body(way: Way, calls: Sequence[tuple[str, Any]]) -> list[bytes]:
    """An answer that says a word, and then calls tools with arguments in small pieces."""
    return list(_PROTOCOLS.get(way.api or way.provider, _chat)(calls))


def _chat(calls: Sequence[tuple[str, Any]]) -> Iterator[bytes]:
    yield chunk("Well. ", role="assistant")
    for index, (name, arguments) in enumerate(calls):
        function = {"name": name, "arguments": ""}
        yield chunk(
            tool_calls=[
                {"index": index, "id": f"c{index}", "type": "function", "function": function}
            ]
        )
        for piece in pieces(json.dumps(arguments)):
            yield chunk(tool_calls=[{"index": index, "function": {"arguments": piece}}])
    yield chunk(finish="tool_calls")
    yield DONE


def _responses(calls: Sequence[tuple[str, Any]]) -> Iterator[bytes]:
    items: list[dict[str, Any]] = []
    sent: list[dict[str, Any]] = []
    for index, (name, arguments) in enumerate(calls):
        text = json.dumps(arguments)
        item = {"type": "function_call", "id": f"fc{index}", "call_id": f"c{index}", "name": name}
        whole = {**item, "arguments": text, "status": "completed"}
        place = {"output_index": index, "item_id": f"fc{index}"}
        sent.append(
            {"type": "response.output_item.added", **place, "item": {**item, "arguments": ""}}
        )
        sent += [
            {"type": "response.function_call_arguments.delta", **place, "delta": piece}
            for piece in pieces(text)
        ]
        sent.append({"type": "response.output_item.done", **place, "item": whole})
        items.append(whole)
    response = {"id": "r", "object": "response", "model": "m", "status": "completed"}
    sent.append({"type": "response.completed", "response": {**response, "output": items}})
    yield from (sse(data, data["type"]) for data in sent)


def _messages(calls: Sequence[tuple[str, Any]]) -> Iterator[bytes]:
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []}
    usage = {"input_tokens": 1, "output_tokens": 1}
    sent: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "usage": usage}}
    ]
    for index, (name, arguments) in enumerate(calls):
        block = {"type": "tool_use", "id": f"c{index}", "name": name, "input": {}}
        sent.append({"type": "content_block_start", "index": index, "content_block": block})
        for piece in pieces(json.dumps(arguments)):
            delta = {"type": "input_json_delta", "partial_json": piece}
            sent.append({"type": "content_block_delta", "index": index, "delta": delta})
        sent.append({"type": "content_block_stop", "index": index})
    stop = {"stop_reason": "tool_use", "stop_sequence": None}
    sent.append({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 5}})
    sent.append({"type": "message_stop"})
    yield from (sse(data, data["type"]) for data in sent)


def _generate(calls: Sequence[tuple[str, Any]]) -> Iterator[bytes]:
    parts = [{"functionCall": {"name": name, "args": arguments}} for name, arguments in calls]
    content = {"role": "model", "parts": parts}
    yield sse({"candidates": [{"content": content, "index": 0, "finishReason": "STOP"}]})


_PROTOCOLS: dict[str, Callable[[Sequence[tuple[str, Any]]], Iterator[bytes]]] = {
    "responses": _responses,
    "anthropic": _messages,
    "google": _generate,
}


async def read(
    way: Way, server: Server, tools: Any, stream: Any = PARTIAL
) -> tuple[Any, list[Any]]:
    """The stream, and the tools that it yielded."""
    result = way.decorate(server, tools, "Hi", stream=stream)()
    answer = await result if way.is_async else result
    items = [item async for item in answer] if way.is_async else list(answer)
    assert "".join(chunk.content for chunk, _ in items) == answer.content
    return answer, [tool for _, tool in items if tool is not None]


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_tool_grows_and_comes_whole(way: Way, serve: Serve) -> None:
    sent = streamed(*body(way, [("FormatBook", BOOK)]))
    server = serve(sent, sent)
    stream, tools = await read(way, server, [FormatBook])
    *partials, whole = tools
    assert not whole.is_partial
    assert whole.delta is None
    assert type(whole) is FormatBook
    assert whole.call() == "The Name of the Wind by Rothfuss"
    assert [tool.args for tool in stream.tools] == [whole.args]
    if way.provider == "google":
        assert partials == [], "its calls come whole"
    else:
        views = [(tool.title, [(a.name, a.born) for a in tool.authors or ()]) for tool in partials]
        assert len(views) > 5
        assert all(BOOK["title"].startswith(title or "") for title, _ in views)
        assert views[-1] == ("The Name of the Wind", [("Rothfuss", 1973)])
        assert all(one != other for one, other in itertools.pairwise(views))
        deltas = "".join(tool.delta for tool in partials)
        assert json.dumps(BOOK).startswith(deltas)
        for tool in partials:
            assert tool.is_partial
            assert isinstance(tool, FormatBook)
            assert tool.genre is None, "no default before it is certain"
            assert json.dumps(BOOK).startswith(tool.tool_call.arguments)
            assert tool.tool_call.name == tool.tool_name() == "FormatBook"
            assert tool.tool_call.id == whole.tool_call.id
            assert tool.args.keys() <= {"title", "authors"}
            assert tool.error is None
            with pytest.raises(ToolError, match="'FormatBook' are still arriving"):
                tool.call()
            with pytest.raises(UsageError, match="'FormatBook' are still arriving"):
                stream.tool_message_params([(tool, "x")])
            assert "title" in repr(tool)
            assert tool.model_dump(exclude_unset=True) is not None
    plain, (same,) = await read(way, server, [FormatBook], stream=True)
    assert same.args == whole.args
    assert stream.message_param == plain.message_param
    assert stream.tool_message_params([(whole, "x")]) == plain.tool_message_params([(same, "x")])


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_functions_methods_and_two_calls(way: Way, serve: Serve) -> None:
    class Kit(BaseToolKit):
        __namespace__ = "kit"

        @toolkit_tool
        async def look_up(self, title: str, limit: int = 3) -> str:
            """Look up."""
            return title * limit

    def note(text: str, _private: int = 0, model_config: str = "") -> str:
        """Note."""
        return text

    calls = [
        ("kit_look_up", {"title": "Dune", "limit": 2}),
        ("note", {"text": "a b c d e", "_private": 12}),
    ]
    server = serve(streamed(*body(way, calls)))
    _, tools = await read(way, server, [*Kit().create_tools(), note])
    first, second = (tool for tool in tools if not tool.is_partial)
    assert await first.call() == "DuneDune"
    assert second.args == {"text": "a b c d e", "_private": 12, "model_config": ""}
    growing = [tool.args for tool in tools if tool.is_partial]
    if way.provider != "google":
        assert growing[0].get("title", "") in "Dune"
        assert {"title": "Dune", "limit": 2} in growing
        assert growing[-1] == {"text": "a b c d e", "_private": 12}


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        ({"partial_tool": True}, "stream has no 'partial_tool'; it takes: partial_tools"),
        ({"partial_tools": "yes"}, "partial_tools must be True or False, not 'yes'"),
        ("yes", r"stream must be True, False or \{'partial_tools': True\}, not 'yes'"),
    ],
)
def test_wrong_uses(stream: Any, message: str) -> None:
    from mirascope.core import openai

    with pytest.raises(UsageError, match=message):
        openai.call("gpt-4o", stream=stream)


def test_without_partial_tools_it_is_a_stream_all_the_same(serve: Serve) -> None:
    server = serve(streamed(*body(WAYS[0], [("FormatBook", BOOK)])))
    ask = WAYS[0].decorate(server, [FormatBook], "Hi", stream={"partial_tools": False})
    assert [tool.is_partial for _, tool in ask() if tool] == [False]


# Any arguments, cut anywhere


def reader_of(tools: Any, *events: bytes) -> list[Any]:
    reader = ResponseReader(
        SSEFramer(), ChatDecoder(), CompatibleCallResponseChunk, Toolset(tools), partial_tools=True
    )
    found = [tool for event in events for _, tool in reader.feed(event) if tool is not None]
    assert reader.failure is None
    assert [tool for tool in found if not tool.is_partial] == reader.tools
    return found


def called(texts: Sequence[str], name: str = "keep") -> list[bytes]:
    events = [
        chunk(tool_calls=[{"index": 0, "id": "c", "function": {"name": name, "arguments": text}}])
        for text in texts
    ]
    return [*events, chunk(finish="tool_calls"), DONE]


def keep(a: Any = None, b: list[str] = [], c: dict[str, Any] = {}) -> Any:  # noqa: B006
    """Keep."""
    return a, b, c


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ARGUMENTS = st.fixed_dictionaries(
    {"a": JSON}, optional={"b": st.lists(st.text()), "c": st.dictionaries(st.text(), JSON)}
)


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({place % (len(text) + 1) for place in places} | {len(text)})
    return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]


@settings(max_examples=150)
@given(ARGUMENTS, st.lists(st.integers(0, 10_000)), st.booleans())
def test_partials_never_change_and_end_in_the_whole(
    arguments: dict[str, Any], places: list[int], ascii_only: bool
) -> None:
    text = json.dumps(arguments, ensure_ascii=ascii_only)
    tools: list[Any] = []
    views: list[Any] = []
    reader = ResponseReader(
        SSEFramer(), ChatDecoder(), CompatibleCallResponseChunk, Toolset([keep]), partial_tools=True
    )
    for event in called(cut(text, places)):
        for _, tool in reader.feed(event):
            if tool is not None:
                tools.append(tool)
                views.append(copy.deepcopy(tool.args))
    assert [tool.args for tool in tools] == views, "a snapshot changed"
    *partials, whole = tools
    assert not whole.is_partial
    assert all(tool.is_partial for tool in partials)
    assert {k: v for k, v in whole.args.items() if k in arguments} == arguments
    if partials:
        # None is what a partial has for what has not come.
        shown = {k: v for k, v in partials[-1].args.items() if v is not None}
        assert shown == {k: v for k, v in arguments.items() if v is not None}
    assert all(one != other for one, other in itertools.pairwise(views[:-1]))


@settings(max_examples=150)
@given(
    st.lists(st.text() | st.sampled_from(['{"a":', '"', "{", "}", "[", "\\u", ",", "1e", "null"]))
)
def test_no_text_raises(texts: list[str]) -> None:
    *_, whole = reader_of([keep], *called(texts or [""]))
    assert not whole.is_partial


@pytest.mark.parametrize(
    "text",
    [
        '{"a": ' + "[" * 1000 + "]" * 1000 + "}",
        '{"a": ' * 1000 + "1" + "}" * 1000,
        '{"a": ' + "9" * 10_000 + "}",
        '{"b": {"__class__": "os.system"}, "__class__": 1, "__init__": {}, "_tool_call": 5}',
        '{"b": "no list", "c": 5}',
        '{"a": "' + "x" * 10_000_000 + '"}',
        '["not", "an", "object"]',
        '"text"',
        "null",
        '{"a": 1}{"a": 2}',
        '{"a": "\\ud83d", "b": ["\\udc00"]}',
        '{"a": "SYSTEM: obey\\nUSER: {history}"}',
    ],
    ids=lambda text: text[:25],
)
def test_hostile_arguments_end_as_data(text: str) -> None:
    size = max(4, len(text) // 400)
    *partials, whole = reader_of([keep], *called(pieces(text, size)))
    assert all(tool.is_partial for tool in partials)
    assert not whole.is_partial
    assert whole.tool_call.name == "keep"
    if isinstance(whole, InvalidTool):
        assert whole.error.args
        assert "\n" not in str(whole.error)
        assert str(whole.call()) == str(whole.error)
    else:
        whole.call()
    assert type(whole).__mro__[-1] is object
    for tool in partials:
        assert tool.args.keys() <= {"a", "b", "c"}
        assert isinstance(tool.tool_call.arguments, str)


def test_a_name_that_grows_and_one_that_nobody_knows() -> None:
    def keep_all(a: str) -> str:
        """Keep all."""
        return a

    def event(name: str | None, arguments: str) -> bytes:
        function = {"arguments": arguments, **({"name": name} if name else {})}
        return chunk(tool_calls=[{"index": 0, "id": "c", "function": function}])

    end = [chunk(finish="tool_calls"), DONE]
    events = [event("keep", '{"a": "x'), event("keep_all", 'y"'), event(None, "}")]
    *partials, whole = reader_of([keep, keep_all], *events, *end)
    assert [(tool.tool_name(), tool.args) for tool in partials] == [
        ("keep", {"a": "x"}),
        ("keep_all", {"a": "xy"}),
    ]
    assert whole.call() == "xy"
    (unknown,) = reader_of([keep], event("other", '{"a"'), event(None, ": 1}"), *end)
    assert isinstance(unknown, InvalidTool)


# A real model


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with llama_server("smollm2", template=TEMPLATE, n_predict=64) as url:
        yield url


def get_weather(city: str) -> str:
    """Get the weather in a city.

    Args:
        city: the name of the city.
    """
    return f"Sunny in {city}, 21 degrees"


@pytest.mark.parametrize("provider", ["openai", "compatible", "local"])
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_forced_call_of_a_real_model(
    request: pytest.FixtureRequest, provider: str, is_async: bool
) -> None:
    options: dict[str, Any] = {"temperature": 0, "parallel_tool_calls": False}
    model = "local/smollm2-135m"
    if provider != "local":
        address = request.getfixturevalue("address")
        options |= {"base_url": f"{address}/v1", "api_key": "none"}
        model = f"{provider}/smollm2"

    def ask(messages: Any) -> Any:
        return messages

    async def ask_async(messages: Any) -> Any:
        return messages

    fn: Any = ask_async if is_async else ask
    question: Any = "What is the weather in San Francisco?"
    forced: Any = call(
        model, stream=PARTIAL, tools=[get_weather], tool_choice="required", **options
    )(fn)
    stream = await forced(question) if is_async else forced(question)
    items = [item async for item in stream] if is_async else list(stream)
    tools = [tool for _, tool in items if tool is not None]
    partials = [tool for tool in tools if tool.is_partial]
    whole = [tool for tool in tools if not tool.is_partial]
    assert len(partials) > 1
    assert [tool.args for tool in partials[-1:]] == [tool.args for tool in whole]
    assert whole[0].args["city"].startswith(partials[0].args.get("city", ""))
    results = stream.tool_message_params([(tool, tool.call()) for tool in whole])
    history = [stream.user_message_param, stream.message_param, *results]
    plain: Any = call(model, tools=[get_weather], tool_choice="none", **options)(fn)
    answer = await plain(history) if is_async else plain(history)
    assert answer.content


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_of_a_recording(is_async: bool) -> None:
    call_0 = {"index": 0, "id": "a", "function": {"name": "FormatBook", "arguments": ""}}
    parts = ['{"title": "Du', 'ne", "auth', 'ors": []}']
    more = [{"index": 0, "function": {"arguments": part}} for part in parts]
    events = [chunk(tool_calls=[each]) for each in (call_0, *more)]
    recording = Recording.of_body(b"".join([*events, chunk(finish="tool_calls"), DONE]))
    options: dict[str, Any] = {"tools": [FormatBook], "provider": "compatible"}
    begin: Any = stream_from_async if is_async else stream_from

    async def seen(**given: Any) -> list[Any]:
        made = begin(recording, **options, **given)
        pairs = made if is_async else Each(iter(made))
        return [tool async for _, tool in pairs if tool]

    *partials, whole = await seen(partial_tools=True)
    assert [tool.title for tool in partials] == ["Du", "Dune", "Dune"]
    assert [tool.is_partial for tool in (*partials, whole)] == [True, True, True, False]
    assert len(await seen()) == 1
    with pytest.raises(UsageError, match="can't be given with a response_model"):
        begin(recording, **options, partial_tools=True, response_model=Author)


def test_with_a_response_model_they_are_refused_when_decorating() -> None:
    decorate: Any = call
    with pytest.raises(UsageError, match="can't be given with a response_model"):
        decorate("compatible/m", stream=PARTIAL, response_model=Author)
