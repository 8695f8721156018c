"""What a decorated function sends and what its stream gives (S1 to S10, A1, A2, U1 to U3)."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from mirascope.core import (
    BaseAsyncStream,
    BaseCallResponseChunk,
    BaseStream,
    UsageError,
    call,
    call_async,
    compatible,
    openai,
)
from mirascope.core.testing import Hold, Server, sse, streamed
from mirascope_tests.api import API, KEY
from mirascope_tests.chat import DONE, answer, chunk

Serve = Callable[..., Server]


@pytest.mark.parametrize("form", ["keyword", "positional", "by name"])
async def test_the_documents_first_example(api: API, serve: Serve, form: str) -> None:
    server = serve(streamed(*answer("Certainly! ", "If you like…")))
    settings: dict[str, Any] = {"base_url": server.url, "api_key": KEY, "stream": True}
    if form == "keyword":
        decorate = api.decorator(model="gpt-4o", **settings)
    elif form == "positional":
        decorate = api.decorator("gpt-4o", **settings)
    else:
        by_name = call_async if api.is_async else call
        decorate = by_name(f"{api.provider}/gpt-4o", **settings)
    stream = await api.call(decorate(api.function("Recommend a {genre} book.")), genre="fantasy")
    assert [c.content async for c, _ in api.each(stream)][1:3] == ["Certainly! ", "If you like…"]
    assert stream.message_param == {
        "role": "assistant",
        "content": "Certainly! If you like…",
    }
    assert stream.user_message_param == {"role": "user", "content": "Recommend a fantasy book."}
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.json == {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Recommend a fantasy book."}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if api.provider == "openai":
        assert repr(stream.usage).startswith("CompletionUsage(completion_tokens=102, prompt_tokens")
        assert stream.cost == pytest.approx(0.00105)


async def test_the_environment_names_the_server(
    api: API, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(streamed(*answer("Hi")))
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    reading = await api.drain(await api.call(api.ask(), "fantasy"))
    assert reading.error is None
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_the_environments_key_goes_to_the_environments_server_only(
    compatible_api: API, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(streamed(*answer("Hi")))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    api = compatible_api
    reading = await api.drain(await api.call(api.ask(base_url=server.url), "fantasy"))
    assert reading.error is None
    assert "authorization" not in server.requests[0].headers


async def test_parameters_are_keywords_or_call_params(api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hi")))
    reading = await api.read(server, temperature=0.7, call_params={"seed": 3, "top_p": 1})
    sent = server.requests[0].json
    assert (sent["temperature"], sent["seed"], sent["top_p"]) == (0.7, 3, 1)
    assert dict(reading.stream.call_params) == {"temperature": 0.7, "seed": 3, "top_p": 1}


@pytest.mark.parametrize(
    "call_params", [{"temperature": 1}, {"model": "other"}, {"stream": False}, {"messages": []}]
)
def test_the_same_parameter_twice_is_an_error(api: API, call_params: dict[str, Any]) -> None:
    name = next(iter(call_params))
    with pytest.raises(UsageError, match=f"{name}.* once|can't contain '{name}'"):
        api.decorator("gpt-4o", stream=True, temperature=0.7, call_params=call_params)


@pytest.mark.parametrize("stream", ["yes", 1, None, {"partial": True}])
def test_stream_is_true_or_false(api: API, stream: Any) -> None:
    with pytest.raises(UsageError, match=r"stream must be|stream has no 'partial'"):
        api.decorator("gpt-4o", stream=stream)


def test_name_doc_and_signature_are_kept(api: API) -> None:
    if api.is_async:

        async def recommend(genre: str, *, count: int = 3) -> None:
            """Recommend {count} {genre} books."""
    else:

        def recommend(genre: str, *, count: int = 3) -> None:
            """Recommend {count} {genre} books."""

    decorated = api.ask(fn=recommend)
    assert decorated.__name__ == "recommend"
    assert decorated.__doc__ == "Recommend {count} {genre} books."
    assert inspect.signature(decorated) == inspect.signature(recommend)
    assert decorated.__wrapped__ is recommend
    assert inspect.iscoroutinefunction(decorated) is api.is_async


def test_call_async_needs_an_asynchronous_function(provider: str) -> None:
    module = API(provider, True).module
    with pytest.raises(
        UsageError,
        match=r"needs an asynchronous function, which 'recommend' is not: write 'async def recom",
    ):

        @module.call_async("gpt-4o", stream=True)
        def recommend() -> None:
            """Recommend a book."""


def test_call_takes_an_asynchronous_function_too(serve: Serve, provider: str) -> None:
    server = serve(streamed(*answer("Hi")))
    module = API(provider, True).module

    @module.call("gpt-4o", stream=True, base_url=server.url, api_key="k")
    async def recommend() -> None:
        """Recommend a book."""

    async def run() -> str:
        stream = await recommend()
        assert isinstance(stream, BaseAsyncStream)
        return "".join([chunk.content async for chunk, _ in stream])

    assert asyncio.run(run()) == "Hi"


def test_streams_are_generic_over_their_chunk_class() -> None:
    assert openai.OpenAIStream[openai.OpenAICallResponseChunk] is not None

    class AcmeChunk(openai.OpenAICallResponseChunk):
        __slots__ = ()

    class AcmeStream(openai.OpenAIStream[AcmeChunk]):
        pass

    assert AcmeStream.chunk_class is AcmeChunk
    assert openai.OpenAIStream.chunk_class is openai.OpenAICallResponseChunk
    assert compatible.CompatibleStream.chunk_class is compatible.CompatibleCallResponseChunk
    assert issubclass(openai.OpenAIStream, BaseStream)


async def test_a_bad_parameter_of_the_function_is_pythons_error(api: API) -> None:
    with pytest.raises(TypeError, match="genres"):
        await api.call(api.ask(), genres="fantasy")


async def test_items_and_chunks(api: API, serve: Serve) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    usage["prompt_tokens_details"] = {"cached_tokens": 4}  # type: ignore[assignment]
    events = [
        chunk("", role="assistant"),
        chunk("Hi", reasoning_content="Hm."),
        chunk(refusal="No."),
        chunk(finish="stop"),
        chunk(choices=[], usage=usage),
        sse({"choices": []}),
    ]
    reading = await api.read(serve(streamed(*events, DONE)))
    assert all(type(item) is tuple and len(item) == 2 for item in reading.items)
    assert all(tool is None for _, tool in reading.items)
    first, text, refusal, finish, counted, empty = (item for item, _ in reading.items)
    assert isinstance(first, BaseCallResponseChunk)
    assert [first.content, text.content, refusal.content] == ["", "Hi", ""]
    assert str(text) == "Hi"
    assert "Hi" in repr(text)
    assert (text.id, text.model) == ("chatcmpl-1", "gpt-4o-2024-08-06")
    assert (text.thinking, first.thinking) == ("Hm.", None)
    assert (refusal.refusal, text.refusal) == ("No.", None)
    assert (finish.finish_reasons, text.finish_reasons) == (["stop"], None)
    assert (counted.input_tokens, counted.cached_tokens, counted.output_tokens) == (5, 4, 2)
    assert counted.usage is not None
    for name in ("id", "model", "finish_reasons", "usage", "thinking", "refusal"):
        assert getattr(empty, name) is None
    assert (text.input_tokens, text.cached_tokens, text.output_tokens) == (None, None, None)
    assert (empty.content, str(empty)) == ("", "")
    if api.provider == "openai":
        from openai.types.chat import ChatCompletionChunk

        assert type(text.chunk) is ChatCompletionChunk
        assert text.chunk is text.chunk
        assert text.chunk.choices[0].delta.content == "Hi"
        assert counted.usage.prompt_tokens == 5
    else:
        assert text.chunk["choices"][0]["delta"]["content"] == "Hi"
        assert counted.usage == usage


async def test_unknown_things_pass_through(api: API, serve: Serve) -> None:
    strange = {"type": "brand.new", "choices": [], "payload": {"x": 1}}
    finish = chunk(finish="because", future_field={"a": [1, 2]}, logprobs=None)
    events = [sse(strange, name="brand.new"), chunk("Hi", weird=1), finish, DONE]
    reading = await api.read(serve(streamed(*events)))
    assert reading.error is None
    first = reading.items[0][0].chunk
    payload = first["payload"] if isinstance(first, dict) else first.payload
    assert payload == {"x": 1}
    assert reading.stream.finish_reasons == ["because"]
    assert reading.stream.finish_reason == "other"


async def test_other_choices_do_not_mix_with_the_first(api: API, serve: Serve) -> None:
    events = [
        chunk("A", choice=0),
        chunk("x", choice=1),
        chunk("B", choice=0),
        chunk("y", choice=1),
        chunk(choice=1, finish="length"),
        chunk(choice=0, finish="stop"),
    ]
    reading = await api.read(serve(streamed(*events, DONE)), n=2)
    stream = reading.stream
    assert reading.texts == ["A", "B"]
    assert stream.content == "AB"
    assert stream.finish_reasons == ["stop", "length"]
    assert stream.finish_reason == "stop"
    response = stream.construct_call_response().response
    choices = response["choices"] if isinstance(response, dict) else response.choices
    messages = [
        c["message"]["content"] if isinstance(c, dict) else c.message.content for c in choices
    ]
    assert messages == ["AB", "xy"]


async def test_a_choice_without_its_own_end_is_missing(api: API, serve: Serve) -> None:
    events = [chunk("A", choice=0), chunk("x", choice=1), chunk(choice=0, finish="stop")]
    reading = await api.read(serve(streamed(*events)), n=2)
    assert reading.stream.state == "truncated"


# Usage


async def test_usage_is_a_snapshot_and_never_a_sum(api: API, serve: Serve) -> None:
    def counted(output: int, **more: Any) -> dict[str, Any]:
        return {"prompt_tokens": 12, "completion_tokens": output, **more}

    events = [
        chunk("a", usage=counted(1)),
        chunk("b", usage=counted(2, prompt_tokens_details={"cached_tokens": 4})),
        chunk(finish="stop", usage=counted(3, total_tokens=15)),
        DONE,
    ]
    stream = (await api.read(serve(streamed(*events)))).stream
    usage = stream.common_usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (12, 3, 4)
    assert usage.total_tokens == 15


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {"include_usage": True}),
        ({"stream_options": {"include_obfuscation": False}}, ...),
        ({"stream_options": {"include_usage": True}}, {"include_usage": True}),
        ({"stream_options": {"include_usage": False}}, None),
        ({"stream_options": {"include_usage": False, "x": 1}}, {"x": 1}),
        ({"stream_options": None}, None),
    ],
)
async def test_usage_is_asked_for(api: API, serve: Serve, given: dict[str, Any], sent: Any) -> None:
    server = serve(streamed(*answer("Hi")))
    before = copy.deepcopy(given)
    await api.read(server, **given)
    await api.read(server, call_params=given)
    for request in server.requests:
        expected = {"include_usage": True, "include_obfuscation": False} if sent is ... else sent
        assert request.json.get("stream_options") == expected
    assert given == before


# Independence


async def test_many_streams_of_one_function(serve: Serve, provider: str) -> None:
    """More than a pool of connections holds by default, all of them open at once."""
    count = 120
    api = API(provider, True)
    barrier = threading.Barrier(count)

    def respond(request: Any) -> Any:
        genre = request.json["messages"][0]["content"].split()[2]
        barrier.wait(30)
        return streamed(*answer(*genre))

    server = serve(respond)
    ask = api.ask(base_url=server.url, api_key="k")

    async def one(genre: str) -> str:
        stream = await ask(genre)
        text = ""
        async for chunk_, _ in stream:
            text += chunk_.content
            await asyncio.sleep(0)
        assert stream.content == text
        assert stream.fn_args == {"genre": genre}
        assert stream.usage is not None
        return text

    genres = [f"genre-{number}" for number in range(count)]
    assert await asyncio.gather(*map(one, genres)) == genres


async def test_many_threads_of_one_function(serve: Serve, provider: str) -> None:
    count = 110
    barrier = threading.Barrier(count)

    def respond(request: Any) -> Any:
        genre = request.json["messages"][0]["content"].split()[2]
        barrier.wait(30)
        return streamed(*answer(*genre))

    server = serve(respond)
    ask = API(provider, False).ask(base_url=server.url, api_key="k")
    results: dict[str, str] = {}

    def one(genre: str) -> None:
        results[genre] = ask(genre).collect().content

    threads = [threading.Thread(target=one, args=(f"genre-{n}",)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == {genre: genre for genre in results}
    assert len(results) == count


async def test_a_client_of_one_call_stays_there(
    api: API, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = serve(streamed(*answer("ours"))), serve(streamed(*answer("theirs")))
    async with api.client(theirs.url) as client:
        if api.is_async:

            async def recommend(other: bool) -> Any:
                """Recommend a book."""
                return {"client": client} if other else None
        else:

            def recommend(other: bool) -> Any:
                """Recommend a book."""
                return {"client": client} if other else None

        settings = {} if api.provider == "compatible" else {"base_url": ours.url}
        monkeypatch.setenv("OPENAI_BASE_URL", ours.url)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        ask = api.ask(fn=recommend, **settings)
        contents = [
            (await api.drain(await api.call(ask, other))).stream.content
            for other in (True, False, True, False)
        ]
    assert contents == ["theirs", "ours", "theirs", "ours"]


async def test_what_the_user_gives_is_not_changed(api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hi")))
    given: dict[str, Any] = {
        "call_params": {"stream_options": {"x": 1}, "metadata": {"a": "b"}, "stop": ["."]},
        "tools": [],
    }
    history = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
    result: dict[str, Any] = {
        "messages": [*history, {"role": "user", "content": [{"type": "text", "text": "Go on"}]}],
        "call_params": {"seed": 1},
        "metadata": {"tags": ["t"]},
    }
    before = copy.deepcopy((given, result))
    ask_fn = api.function(None, result)
    async with api.connected(server) as connection:
        headers = dict(connection.get("headers", {}))
        ask = api.ask(fn=ask_fn, **connection, **given)
        for _ in range(2):
            reading = await api.drain(await api.call(ask))
            assert reading.error is None
        assert connection.get("headers", {}) == headers
    assert (given, result) == before
    first, second = (request.json for request in server.requests)
    assert first == second
    assert first["seed"] == 1
    assert first["messages"] == before[1]["messages"]
    assert reading.stream.metadata == {"tags": ["t"]}


async def test_changing_one_calls_view_changes_no_other(api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hi")))
    async with api.connected(server) as connection:
        ask = api.ask(**connection, call_params={"stop": ["."]})
        first = await api.call(ask, "fantasy")
        first.call_kwargs["seed"] = 7
        first.messages.append({"role": "user", "content": "And quickly."})
        await api.drain(first)
        await api.drain(await api.call(ask, "fantasy"))
    changed, plain = (request.json for request in server.requests)
    assert changed["seed"] == 7
    assert len(changed["messages"]) == 2
    assert "seed" not in plain
    assert len(plain["messages"]) == 1


async def test_cookies_of_one_call_are_not_sent_with_another(
    compatible_api: API, serve: Serve
) -> None:
    server = serve(streamed(*answer("Hi"), headers={"set-cookie": "session=1; Path=/"}))
    for key in ("first", "second"):
        ask = compatible_api.ask(base_url=server.url, api_key=key)
        await compatible_api.drain(await compatible_api.call(ask, "fantasy"))
    assert [r.headers.get("cookie") for r in server.requests] == [None, None]


async def test_settings_of_a_call_are_its_own(api: API, serve: Serve) -> None:
    servers = [serve(streamed(*answer(str(n)))) for n in range(3)]
    asks = [api.ask(base_url=s.url, api_key=f"key-{n}") for n, s in enumerate(servers)]
    for _ in range(2):
        readings = [await api.drain(await api.call(ask, "fantasy")) for ask in asks]
        assert [reading.stream.content for reading in readings] == ["0", "1", "2"]
    for number, server in enumerate(servers):
        assert {r.headers["authorization"] for r in server.requests} == {f"Bearer key-{number}"}


async def test_the_key_is_in_no_repr(api: API, serve: Serve) -> None:
    server = serve(streamed(chunk("Hi"), Hold()))
    stream = await api.call(api.ask(base_url=server.url, api_key=KEY), "fantasy")
    await api.result(stream.open())
    shown = f"{stream!r}{stream._call!r}{vars(stream)!r}{stream.call_kwargs!r}"
    assert KEY not in shown
    assert KEY not in json.dumps(stream.call_kwargs)
    await api.close(stream)
