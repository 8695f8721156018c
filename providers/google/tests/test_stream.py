"""Streams through the real SDK from a server on this machine."""

from __future__ import annotations

import asyncio
import contextlib
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import mirascope_google as google
import pytest
from google.genai import errors, types
from google.genai.models import AsyncModels, Models
from mirascope.core import Messages, StreamProviderError, StreamTruncatedError, UsageError
from mirascope.core.testing import Reset, streamed, whole

from .conftest import KEY, Way
from .recordings import RECORDINGS, Recording, check, recordings
from .responses import USAGE, answer, event, response

SDK_READS = [r for r in RECORDINGS if not r.is_array]
CONTINUES = "continuation_token" in types.Candidate.model_fields


async def test_a_stream_gives_text_chunks_usage_and_cost(way: Way, serve: Any) -> None:
    server = serve(answer("Certainly! ", "The ", "Hobbit."))
    async with way.client(server) as client:
        stream = await way.ask(client)
        assert (server.requests, stream.state) == ([], "created")
        items = await way.items(stream)
    assert [chunk.content for chunk, _ in items] == ["Certainly! ", "The ", "Hobbit."]
    assert stream.state == "completed"
    assert type(stream) is (google.GoogleAsyncStream if way.is_async else google.GoogleStream)
    assert type(items[0][0]) is google.GoogleCallResponseChunk
    assert items[-1][0].chunk.usage_metadata == items[-1][0].usage == stream.usage
    assert stream.usage == types.GenerateContentResponseUsageMetadata(
        prompt_token_count=12,
        candidates_token_count=100,
        thoughts_token_count=2,
        total_token_count=114,
    )
    assert (stream.input_tokens, stream.output_tokens) == (12, 102)
    assert stream.cost == pytest.approx((12 * 0.3 + 102 * 2.5) / 1e6)
    assert (stream.finish_reasons, stream.finish_reason) == (["STOP"], "stop")
    assert (stream.id, stream.model) == ("resp-1", "gemini-2.5-flash")
    assert stream.message_param == {
        "role": "model",
        "parts": [{"text": "Certainly! The Hobbit."}],
    }
    assert stream.user_message_param == {
        "role": "user",
        "parts": [{"text": "Recommend a fantasy book."}],
    }
    whole_response = stream.construct_call_response().response
    assert type(whole_response) is types.GenerateContentResponse
    assert whole_response.text == "Certainly! The Hobbit."
    assert whole_response.usage_metadata == stream.usage


async def test_a_call_that_is_not_streamed(way: Way, serve: Any) -> None:
    server = serve(whole(response("The Hobbit.", finish="STOP", usageMetadata=USAGE)))
    async with way.client(server) as client:
        answered = await way.ask(client, stream=False)
    assert type(answered) is google.GoogleCallResponse
    assert type(answered.response) is types.GenerateContentResponse
    assert answered.content == answered.response.text == "The Hobbit."
    assert (answered.usage.prompt_token_count, answered.output_tokens) == (12, 102)
    assert server.requests[0].path.endswith(":generateContent")


async def test_the_connection_is_used_again(way: Way, serve: Any) -> None:
    server = serve(answer("Hi"))
    async with way.client(server) as client:
        for _ in range(3):
            await way.items(await way.ask(client))
    assert [request.connection for request in server.requests] == [0, 0, 0]


def test_the_clients_of_calls_without_one_come_from_the_environment(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(answer("Hi"))
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)

    @google.call("gemini-2.5-flash", stream=True)
    def say_hi() -> None:
        """Say hi."""

    @google.call_async("gemini-2.5-flash", stream=True, base_url=server.url, api_key="other")
    async def say_hi_async() -> None:
        """Say hi."""

    async def run() -> None:
        for _ in range(2):
            async for _ in await say_hi_async():
                pass

    for _ in range(2):
        list(say_hi())
    asyncio.run(run())
    assert [request.connection for request in server.requests] == [0, 0, 1, 1]
    keys = [request.headers["x-goog-api-key"] for request in server.requests]
    assert keys == [KEY, KEY, "other", "other"]


@pytest.mark.filterwarnings("ignore:.*is not a valid:UserWarning")
@recordings(*SDK_READS)
def test_a_recording_through_the_sdk_says_the_same_and_gives_the_sdks_objects(
    recording: Recording, serve: Any
) -> None:
    pieces = [recording.body[i : i + 400] for i in range(0, len(recording.body), 400)]
    server = serve(streamed(*pieces))

    async def run(way: Way) -> list[Any]:
        objects: list[Any] = []
        async with way.client(server) as client:
            stream = await way.ask(_recorder(way, client, objects), model="asked")
            chunks: list[Any] = []
            with contextlib.suppress(StreamProviderError, StreamTruncatedError):
                async for chunk, _ in way.each(stream):
                    chunks.append(chunk)
        # The first object only says that the response has begun.
        first, *objects = objects
        assert first.candidates is None
        check(stream, recording, in_framing=True)
        # An event that completes two calls gives two chunks.
        assert list({id(chunk.chunk): None for chunk in chunks}) == list(map(id, objects))
        return objects

    async def plain(way: Way) -> list[Any]:
        objects: list[Any] = []
        question: dict[str, Any] = {"model": "asked", "contents": "hi"}
        async with way.client(server) as client:
            models = client.aio.models if way.is_async else client.models
            with contextlib.suppress(errors.APIError):
                async for each in way.each(
                    await way.wait(models.generate_content_stream(**question))
                ):
                    objects.append(each)  # noqa: PERF401 - what came before an error counts
        return objects

    for way in (Way(False), Way(True)):
        assert asyncio.run(run(way)) == asyncio.run(plain(way))


def _recorder(way: Way, client: Any, objects: list[Any]) -> Any:
    """A client whose models keep what the SDK's loop yields."""
    if way.is_async:

        class Recorder(AsyncModels):
            async def generate_content_stream(self, **arguments: Any) -> Any:
                stream = await super().generate_content_stream(**arguments)

                async def kept() -> Any:
                    async for each in stream:
                        objects.append(each)
                        yield each

                return kept()
    else:

        class Recorder(Models):
            def generate_content_stream(self, **arguments: Any) -> Any:
                for each in super().generate_content_stream(**arguments):
                    objects.append(each)
                    yield each

    return SimpleNamespace(models=Recorder(client._api_client))


async def test_fields_that_the_sdk_does_not_know_are_kept(way: Way, serve: Any) -> None:
    new_part = {"text": "Hi", "partNews": {"a": 1}}
    body = response(new_part, finish="STOP", candidate={"news": 1}, news=[2])
    server = serve(streamed(event(body)))
    async with way.client(server) as client:
        stream = await way.ask(client)
        [(chunk, _)] = await way.items(stream)
    assert chunk.data == body
    assert chunk.chunk.text == chunk.content == "Hi"
    assert stream.message_param["parts"] == [new_part]


@pytest.mark.skipif(not CONTINUES, reason="this SDK does not continue answers")
async def test_an_answer_that_the_sdk_continues_is_one_answer(way: Way, serve: Any) -> None:
    token = {"continuationToken": "dG9rZW4="}
    first_usage = {**USAGE, "serviceTier": "standard"}
    server = serve(
        streamed(
            event(response("One ")),
            event(
                response("two ", finish="CONTINUATION", candidate=token, usageMetadata=first_usage)
            ),
        ),
        streamed(
            event(response("three ", usageMetadata={"promptTokenCount": 5})),
            event(response("four", finish="STOP", usageMetadata=USAGE)),
        ),
    )
    async with way.client(server) as client:
        stream = await way.ask(client)
        items = await way.items(stream)
    assert stream.content == "One two three four"
    assert [chunk.finish_reasons for chunk, _ in items] == [None, None, None, ["STOP"]]
    assert stream.finish_reasons == ["STOP"]
    assert server.requests[1].json["continuationToken"] == "dG9rZW4="
    assert stream.usage.model_dump() == items[-1][0].chunk.usage_metadata.model_dump()
    assert (stream.usage.candidates_token_count, stream.usage.thoughts_token_count) == (200, 4)
    assert stream.message_param["parts"] == [{"text": "One two three four"}]
    assert stream.state == "completed"


@pytest.mark.skipif(not CONTINUES, reason="this SDK does not continue answers")
@pytest.mark.parametrize("plain", [False, True])
async def test_each_request_of_an_answer_has_its_own_price(
    way: Way, serve: Any, plain: bool
) -> None:
    """Three prompts of 90,000 tokens are not a long one of 270,000, which costs twice as much."""
    usage = {
        "promptTokenCount": 90_000,
        "candidatesTokenCount": 3000,
        "totalTokenCount": 93_000,
    }
    model = {"modelVersion": "gemini-3.1-pro-preview", "usageMetadata": usage}
    # The SDK gives up where a request brings no new token.
    first, second = (
        response("more ", finish="CONTINUATION", candidate={"continuationToken": token}, **model)
        for token in ("dG9rZW4x", "dG9rZW4y")
    )
    server = serve(
        streamed(event(first)),
        streamed(event(second)),
        streamed(event(response("end", finish="STOP", **model))),
    )
    async with way.client(server) as client:
        stream = await way.ask(client, sdk_iteration=plain)
        await way.items(stream)
    assert len(server.requests) == 3
    assert stream.common_usage.input_tokens == 270_000
    notes = stream.cost_details.notes
    if plain:
        # The SDK alone knows only the sum.
        assert "may have been continued" in " ".join(notes)
        return
    # 3 x (90,000 x 2 + 3000 x 12) a million; the server is not Google, which is said.
    assert stream.cost_details.total == Decimal("0.648")
    assert len(notes) == 1


@pytest.mark.skipif(not CONTINUES, reason="this SDK does not continue answers")
async def test_a_dropped_connection_is_taken_up_again_by_the_sdk(way: Way, serve: Any) -> None:
    token = {"continuationToken": "dG9rZW4="}
    server = serve(
        streamed(event(response("One ", candidate=token)), Reset()),
        answer("two"),
    )
    async with way.client(server) as client:
        stream = await way.ask(client)
        await way.items(stream)
    assert (stream.content, stream.state, len(server.requests)) == ("One two", "completed", 2)
    assert "was cut before it said what it used" in " ".join(stream.cost_details.notes)


async def test_vertex_ai(way: Way, serve: Any) -> None:
    create_time = "2026-04-02T17:03:50.399550Z"
    part = {"functionCall": {"name": "f", "willContinue": True}}
    piece = {"jsonPath": "$.a", "stringValue": "b"}
    server = serve(
        streamed(
            event(response(part, createTime=create_time)),
            event(response({"functionCall": {"partialArgs": [piece], "willContinue": True}})),
            event(response({"functionCall": {}}, finish="STOP")),
        )
    )
    async with way.client(server, vertexai=True) as client:
        stream = await way.ask(client)
        items = await way.items(stream)
    assert "/publishers/google/models/gemini-2.5-flash:streamGenerate" in server.requests[0].path
    assert items[0][0].chunk.create_time.year == 2026
    assert [tool.args for _, tool in items if tool] == [{"a": "b"}]


@pytest.mark.parametrize("plain", [True, False], ids=["sdk_iteration", "another client"])
async def test_a_loop_without_a_tap_says_the_same(way: Way, serve: Any, plain: bool) -> None:
    call = {"functionCall": {"name": "f", "args": {"a": [1]}}, "thoughtSignature": "c2ln"}
    server = serve(
        streamed(
            event(response({"text": "Hm", "thought": True}, "Hi")),
            event(response(call, finish="STOP", usageMetadata=USAGE)),
        )
    )
    async with way.client(server) as client:
        models = client.aio.models if way.is_async else client.models
        stub = SimpleNamespace(
            models=SimpleNamespace(generate_content_stream=models.generate_content_stream)
        )
        stream = await way.ask(client if plain else stub, sdk_iteration=plain)
        items = await way.items(stream)
    assert (stream.content, stream.thinking, stream.state) == ("Hi", "Hm", "completed")
    assert [tool.tool_call.arguments for _, tool in items if tool] == ['{"a": [1]}']
    assert stream.message_param["parts"] == [{"text": "Hm", "thought": True}, {"text": "Hi"}, call]
    assert type(items[0][0].chunk) is types.GenerateContentResponse
    assert stream.output_tokens == 102


async def _late(stream: Any) -> Any:
    """Read one chunk ahead, and leave out those that say nothing, as instrumentation may."""
    held = None
    async for each in stream:
        if held is not None:
            yield held
        held = each if each.candidates else held
    if held is not None:
        yield held


@pytest.mark.parametrize("of_the_class", [True, False], ids=["class", "instance"])
async def test_a_loop_that_somebody_has_wrapped(
    way: Way, serve: Any, of_the_class: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(answer("Certainly! ", "The ", "Hobbit."))
    async with way.client(server) as client:
        models = client.aio.models if way.is_async else client.models
        target = type(models) if of_the_class else models
        original = target.generate_content_stream

        async def wrapped_async(*args: Any, **kwargs: Any) -> Any:
            return _late(await original(*args, **kwargs))

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            held = [each for each in original(*args, **kwargs) if each.candidates]
            yield from held

        wrapper = wrapped_async if way.is_async else wrapped
        monkeypatch.setattr(target, "generate_content_stream", wrapper)
        stream = await way.ask(client)
        items = await way.items(stream)
    assert [chunk.content for chunk, _ in items] == ["Certainly! ", "The ", "Hobbit."]
    assert [chunk.chunk.text for chunk, _ in items] == ["Certainly! ", "The ", "Hobbit."]
    assert (stream.state, stream.output_tokens) == ("completed", 102)


async def test_a_client_for_the_other_way(serve: Any) -> None:
    server = serve(answer("Hi"))
    async with Way(True).client(server) as client:
        stream = await Way(True).ask(client.aio)
        assert len(await Way(True).items(stream)) == 1
        with pytest.raises(UsageError, match="client is asynchronous"):
            await Way(False).items(await Way(False).ask(client.aio))


async def test_tools_and_thinking_over_two_turns(way: Way, serve: Any) -> None:
    parts = [
        {"text": "I need ", "thought": True},
        {"text": "the weather.", "thought": True},
        {"text": "Let me look. "},
        {"functionCall": {"name": "weather", "args": {"city": "Bonn"}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"id": "0b3pdf3o", "name": "weather", "args": {"city": "Köln"}}},
        {"functionCall": {"name": "unknown"}},
        {"executableCode": {"code": "print(1)", "language": "PYTHON"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
        {"text": "Done.", "thoughtSignature": "c2lnMg=="},
        {"text": "", "thoughtSignature": "c2lnMw=="},
    ]  # fmt: skip
    server = serve(
        streamed(
            *(event(response(part)) for part in parts[:3]),
            event(response(*parts[3:6])),
            *(event(response(part)) for part in parts[6:]),
            event(response(finish="STOP", usageMetadata=USAGE)),
        ),
        answer("Sunny."),
    )

    def weather(city: str) -> str:
        """Look the weather up.

        Args:
            city: where.
        """
        return f"sunny in {city}"

    async with way.client(server) as client:
        stream = await way.ask(client, tools=[weather])
        items = await way.items(stream)
        tools = [tool for _, tool in items if tool is not None]
        assert [tool.tool_call.name for tool in tools] == ["weather", "weather", "unknown"]
        assert [tool.error is None for tool in tools] == [True, True, False]
        assert stream.finish_reason == "tool_calls"
        results = [(tool, None if tool.error else tool.call()) for tool in tools]
        messages = [
            Messages.System("Be brief."),
            *stream.messages,
            stream.message_param,
            *stream.tool_message_params(results),
        ]
        following = await way.ask(client, messages, tools=[weather])
        await way.items(following)

    assert stream.message_param == {
        "role": "model",
        "parts": [{"text": "I need the weather.", "thought": True}, *parts[2:]],
    }
    assert following.content == "Sunny."
    assert following.messages[0] == {"role": "system", "parts": [{"text": "Be brief."}]}
    sent = server.requests[1].json
    contents = [types.Content.model_validate(content) for content in sent["contents"]]
    assert [content.role for content in contents] == ["user", "model", "user"]
    assert contents[1] == types.Content.model_validate(stream.message_param)
    assert [p["functionResponse"] for p in sent["contents"][2]["parts"]] == [
        {"name": "weather", "response": {"output": "sunny in Bonn"}},
        {"id": "0b3pdf3o", "name": "weather", "response": {"output": "sunny in Köln"}},
        {
            "name": "unknown",
            "response": {"error": "the model called 'unknown', but the tools are: weather"},
        },
    ]
    assert types.Content.model_validate(sent["systemInstruction"]).parts[0].text == "Be brief."
    [tool] = [types.Tool.model_validate(tool) for tool in sent["tools"]]
    assert [d.name for d in tool.function_declarations] == ["weather"]


# The four snippets of the document, with this provider's shapes.


@pytest.fixture
def book_server(serve: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    server = serve(answer("Certainly! ", "The Hobbit."))
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
    return server


@google.call(model="gemini-2.5-flash", stream=True)
def recommend_book(genre: str) -> None:
    """Recommend a {genre} book."""


@pytest.mark.usefixtures("book_server")
def test_snippet_stream(capsys: pytest.CaptureFixture[str]) -> None:
    stream = recommend_book(genre="fantasy")
    for chunk, _ in stream:
        print(chunk.content, end="", flush=True)
    assert capsys.readouterr().out == "Certainly! The Hobbit."


@pytest.mark.usefixtures("book_server")
def test_snippet_stream_versus_chunks(capsys: pytest.CaptureFixture[str]) -> None:
    results = recommend_book(genre="fantasy")
    for _chunk, _ in results:
        pass
    print(results.usage)
    print(f"{results.cost:.7f}")
    print(results.message_param)
    print(results.user_message_param)
    out = capsys.readouterr().out
    assert "candidates_token_count=100" in out
    assert "0.0002586" in out
    assert "{'role': 'model', 'parts': [{'text': 'Certainly! The Hobbit.'}]}" in out
    assert "{'role': 'user', 'parts': [{'text': 'Recommend a fantasy book.'}]}" in out


@pytest.mark.usefixtures("book_server")
def test_snippet_chunk_from_provider_api() -> None:
    results = recommend_book(genre="fantasy")
    chunks = [chunk.chunk for chunk, _ in results]
    assert [type(chunk) for chunk in chunks] == [types.GenerateContentResponse] * 2


@pytest.mark.usefixtures("book_server")
def test_snippet_async(capsys: pytest.CaptureFixture[str]) -> None:
    @google.call_async(model="gemini-2.5-flash", stream=True)
    async def recommend_book(genre: str) -> None:
        """Recommend a {genre} book."""

    async def run() -> None:
        results = await recommend_book(genre="fiction")
        async for chunk, _ in results:
            print(chunk.content, end="", flush=True)

    asyncio.run(run())
    assert capsys.readouterr().out == "Certainly! The Hobbit."
