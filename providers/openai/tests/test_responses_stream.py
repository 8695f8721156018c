"""Streams of the Responses API through the official SDK, over real sockets."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any

import mirascope_openai
import openai
import pytest
from mirascope.core import (
    APIError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    ProviderServerError,
    RateLimitError,
    StreamInterruptedError,
    StreamProviderError,
    StreamTruncatedError,
    UsageError,
)
from mirascope.core.testing import (
    Hangup,
    Hold,
    ReceivedRequest,
    Reply,
    Script,
    Server,
    streamed,
    whole,
)
from mirascope_tests.shared import CORPUS, needs_shared
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseCreatedEvent,
    ResponseTextDeltaEvent,
    ResponseUsage,
)

from .responses import (
    MODEL,
    USAGE,
    WAYS,
    Way,
    created,
    deltas,
    event,
    events,
    function_call,
    message,
    reasoning,
    response,
    way_name,
)

pytestmark = pytest.mark.parametrize("way", WAYS, ids=way_name)

RECORDINGS = sorted((CORPUS / "openai-responses").glob("*.sse"))


INDEX = CORPUS / "index.jsonl"
HTTP_ERRORS = [
    record
    for record in map(json.loads, INDEX.read_text("utf-8").splitlines() if INDEX.exists() else ())
    if record["protocol"] == "http-error" and record["endpoint"].endswith("/responses")
]
ITEMS = [reasoning("Hm."), message("Hello")]


def serving(script: Script) -> Server:
    return Server(script, path="/v1")


def get_weather(city: str) -> str:
    """Say the weather in a city."""
    return f"sunny in {city}"


def test_the_stream_has_the_sdk_s_types(way: Way) -> None:
    with serving(streamed(events(*ITEMS))) as server:
        reading = way.read(server.url)
    stream = reading.stream
    assert reading.error is None
    (request,) = server.requests
    assert request.path == "/v1/responses"
    assert [request.json] == [
        {
            "model": "gpt-5",
            "input": [{"role": "user", "content": "Recommend a fantasy book."}],
            "stream": True,
        }
    ]
    chunks = [chunk for chunk, _ in reading.items]
    assert type(chunks[0].chunk) is ResponseCreatedEvent
    assert type(chunks[-1].chunk) is ResponseCompletedEvent
    (first, _) = [c for c in chunks if c.content]
    assert type(first.chunk) is ResponseTextDeltaEvent
    assert first.chunk.delta == first.content == str(first) == "Hel"
    assert first.chunk is first.chunk
    kind = "OpenAIResponsesAsyncStream" if way.is_async else "OpenAIResponsesStream"
    assert type(stream) is getattr(mirascope_openai, kind)
    assert type(chunks[0]) is mirascope_openai.OpenAIResponsesCallResponseChunk
    assert stream.usage == ResponseUsage.model_validate(USAGE) == chunks[-1].usage
    assert type(stream.usage) is ResponseUsage
    assert chunks[0].usage is None
    assert stream.user_message_param == {"role": "user", "content": "Recommend a fantasy book."}
    assert stream.message_param == {"role": "assistant", "content": ITEMS}
    assert stream.model == MODEL
    assert stream.cost == pytest.approx((100 * 1.25 + 20 * 0.125 + 30 * 10) / 1e6)


def test_a_stream_gives_the_response_of_a_call(way: Way) -> None:
    body = response("completed", output=ITEMS, usage=USAGE)

    def reply(request: ReceivedRequest) -> Reply:
        return streamed(events(*ITEMS)) if request.json.get("stream") else whole(body)

    with serving(reply) as server:
        collected = way.read(server.url).stream.construct_call_response()
        fetched = way.fetch(server.url)
    assert type(fetched) is type(collected) is mirascope_openai.OpenAIResponsesCallResponse
    assert type(fetched.response) is type(collected.response) is Response
    assert fetched.response == collected.response
    for name in ("content", "thinking", "usage", "cost", "message_param", "finish_reason", "id"):
        assert getattr(fetched, name) == getattr(collected, name), name
    assert fetched.response.output_text == fetched.content == "Hello"


def test_a_failed_response_that_was_not_streamed_raises(way: Way) -> None:
    body = response("failed", error={"code": "server_error", "message": "Broken."})
    with serving(whole(body)) as server, pytest.raises(ProviderServerError, match="Broken"):
        way.fetch(server.url)


def test_tools_in_the_loop(way: Way) -> None:
    with serving(streamed(events(function_call("get_weather", '{"city": "Rome"}')))) as server:
        reading = way.read(server.url, tools=[get_weather], tool_choice="required")
    assert [tool.call() for tool in reading.tools] == ["sunny in Rome"]
    (sent,) = (request.json for request in server.requests)
    assert sent["tool_choice"] == "required"
    assert sent["tools"][0]["name"] == "get_weather"


def test_the_sdk_s_own_loop_can_be_taken(way: Way) -> None:
    items = [*ITEMS, function_call("get_weather", '{"city": "Rome"}')]
    body = events(*items)
    with serving(streamed(body)) as server:
        ours = way.read(server.url, tools=[get_weather])
        theirs = way.read(server.url, tools=[get_weather], sdk_iteration=True)
    assert [c.chunk for c, _ in ours.items] == [c.chunk for c, _ in theirs.items]
    assert [c.content for c, _ in ours.items] == [c.content for c, _ in theirs.items]
    assert [t.args for t in ours.tools] == [t.args for t in theirs.tools] == [{"city": "Rome"}]
    assert ours.stream.usage == theirs.stream.usage
    for one, other in zip(
        ours.stream.message_param["content"], theirs.stream.message_param["content"], strict=True
    ):
        assert one == {**one, **other}
    broken = created() + event("error", error={"message": "Too much.", "code": "x"})
    with serving(streamed(broken)) as server:
        error = way.read(server.url, sdk_iteration=True).error
    assert isinstance(error, StreamProviderError)
    assert (error.message, error.code) == ("Too much.", "x")


def test_a_client_that_is_no_client_of_the_sdk(way: Way) -> None:
    with (
        serving(streamed(events(*ITEMS))) as server,
        openai.OpenAI(base_url=server.url, api_key="k") as sdk,
    ):
        received = list(sdk.responses.create(model="gpt-5", input="hi", stream=True))

    class Responses:
        def create(self, **kwargs: Any) -> Any:
            assert kwargs["stream"] is True
            return _later(received) if way.is_async else iter(received)

    class Stub:
        responses = Responses()

    reading = _read_stub(way, Stub())
    assert reading.content == "Hello"
    assert reading.state == "completed"


async def _later(events: list[Any]) -> Any:
    async def each() -> Any:
        for item in events:
            yield item

    return each()


def _read_stub(way: Way, stub: Any) -> Any:
    decorated = way.decorated(client=stub)
    if not way.is_async:
        stream = decorated()
        for _ in stream:
            pass
        return stream

    async def read() -> Any:
        stream = await decorated()
        async for _ in stream:
            pass
        return stream

    return asyncio.run(read())


def test_the_wrong_kind_of_client(way: Way) -> None:
    with pytest.raises(UsageError, match="client is"):
        _read_stub(way, Way(not way.is_async).client("http://127.0.0.1:9/v1"))


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (404, NotFoundError),
        (429, RateLimitError),
        (500, ProviderServerError),
    ],
)
def test_errors_before_the_stream(way: Way, status: int, error_class: type[APIError]) -> None:
    body = {"error": {"message": "No.", "type": "t", "code": "some_code", "param": None}}
    with serving(whole(body, status=status, headers={"retry-after": "7"})) as server:
        reading = way.read(server.url)
    error = reading.error
    assert type(error) is error_class
    assert (error.message, error.code, error.status) == ("No.", "some_code", status)
    assert (error.provider, error.model, error.request_id) == ("openai", "gpt-5", "req_1")
    assert isinstance(error.__cause__, openai.APIStatusError)
    assert reading.stream.state == "failed"
    if isinstance(error, RateLimitError):
        assert error.retry_after == 7


@needs_shared
def test_recorded_errors_before_the_stream(way: Way) -> None:
    for record in HTTP_ERRORS:
        body = (CORPUS / record["file"]).read_bytes()
        with serving(whole(body, status=record["status"])) as server:
            error = way.read(server.url).error
        expected = {400: BadRequestError, 401: AuthenticationError}[record["status"]]
        assert type(error) is expected, record["file"]
        assert error.message
        assert error.message in json.dumps(json.loads(body), ensure_ascii=False)


def test_a_parameter_that_the_sdk_does_not_know(way: Way) -> None:
    error = way.read("http://127.0.0.1:9/v1", no_such_parameter=1).error
    assert isinstance(error, BadRequestError)
    assert "no_such_parameter" in str(error)


def test_a_connection_that_drops(way: Way) -> None:
    begun = created() + deltas(message("Hello"), 0, "Hel")
    with serving(streamed(begun, Hangup())) as server:
        reading = way.read(server.url)
    assert isinstance(reading.error, StreamInterruptedError)
    assert reading.stream.content == reading.error.stream.content == "Hel"


def test_a_body_that_ends_early(way: Way) -> None:
    with serving(streamed(created() + deltas(message("Hello"), 0, "Hel"))) as server:
        reading = way.read(server.url)
    assert isinstance(reading.error, StreamTruncatedError)
    assert (str(reading.stream.state), reading.stream.content) == ("truncated", "Hel")


def test_break_closes_the_connection_at_once(way: Way) -> None:
    held = streamed(created() + deltas(message("Hello"), 0, "Hel"), Hold())
    gc.collect()
    gc.disable()
    try:
        with serving(held) as server:
            stream = _break(way, server)
    finally:
        gc.enable()
    assert stream.state == "stopped"
    assert stream.content == "Hel"
    assert stream.usage is None
    assert stream.message_param["content"] == [
        {"type": "message", "role": "assistant", "content": "Hel"}
    ]


def _break(way: Way, server: Server) -> Any:
    async def leave_async() -> Any:
        async with way.client(server.url) as client:
            stream = await way.decorated(client=client)()
            async for chunk, _ in stream:
                if chunk.content:
                    break
            # While the loop runs and before the client is closed.
            await asyncio.to_thread(server.wait_closed)
            return stream

    if way.is_async:
        return asyncio.run(leave_async())
    with way.client(server.url) as client:
        stream = way.decorated(client=client)()
        for chunk, _ in stream:
            if chunk.content:
                break
        server.wait_closed()
        return stream


def test_a_finished_stream_s_connection_is_used_again(way: Way) -> None:
    async def thrice_async() -> None:
        async with way.client(server.url) as client:
            for _ in range(3):
                async for _ in await way.decorated(client=client)():
                    pass

    with serving(streamed(events(*ITEMS))) as server:
        if way.is_async:
            asyncio.run(thrice_async())
        else:
            with way.client(server.url) as client:
                for _ in range(3):
                    way.decorated(client=client)().collect()
    assert len(server.requests) == 3
    assert len(server.connections) == 1


@needs_shared
def test_chunks_are_what_the_sdk_yields(way: Way) -> None:
    bodies = {path.stem: path.read_bytes() for path in RECORDINGS}
    compared = 0
    with serving(lambda request: streamed(bodies[request.json["model"]])) as server:
        for name in bodies:
            theirs = _sdk_events(way, server.url, name)
            reading = way.read(server.url, model=name)
            # An event that completes several tool calls is yielded with each of them.
            ours = list({id(chunk.data): chunk.chunk for chunk, _ in reading.items}.values())
            assert len(ours) == len(theirs), name
            for one, other in zip(ours, theirs, strict=True):
                assert type(one) is type(other), name
                assert _dump(one) == _dump(other), name
                assert one.model_fields_set == other.model_fields_set, name
                compared += 1
    assert compared > 1000


def _dump(event: Any) -> dict[str, Any]:
    return event.model_dump(warnings=False)


def _sdk_events(way: Way, url: str, name: str) -> list[Any]:
    """What the SDK yields but keep-alives, up to the error that it may raise."""
    events: list[Any] = []

    async def read() -> None:
        async with way.client(url) as client:
            async for event in await client.responses.create(model=name, input="", stream=True):
                events.append(event)  # noqa: PERF401 - what came before an error is kept

    try:
        if way.is_async:
            asyncio.run(read())
        else:
            with way.client(url) as client:
                for event in client.responses.create(model=name, input="", stream=True):
                    events.append(event)  # noqa: PERF402
    except openai.APIError:
        pass
    return [event for event in events if event.type != "keepalive"]
