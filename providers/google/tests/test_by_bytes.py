"""A response that is read as bytes, beside the SDK's own loop on the same bytes."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from typing import Any

import pytest
from google.genai import errors, models, types
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mirascope.core import (
    StreamDecodeError,
    StreamError,
    StreamInterruptedError,
    StreamLimitError,
    StreamProviderError,
    StreamTruncatedError,
    stream_from,
)
from mirascope.core.testing import Pause, Reset, replay, streamed, whole
from mirascope_google import GoogleProvider
from mirascope_google._chunk_objects import ChunkObjects
from mirascope_google._segments import Segments
from pydantic import BaseModel

from .conftest import Way
from .recordings import RECORDINGS, Recording, check, recordings
from .responses import USAGE, answer, event, response

CONTINUES = "continuation_token" in types.Candidate.model_fields
TOKEN = {"continuationToken": "dG9rZW4="}
CONFIG = {"automatic_function_calling": {"disable": True}}
unknown_enums = pytest.mark.filterwarnings("ignore:.*is not a valid:UserWarning")
continues = pytest.mark.skipif(not CONTINUES, reason="this SDK does not continue answers")


async def sdks(way: Way, client: Any, **config: Any) -> tuple[list[Any], Exception | None]:
    """What the SDK's own loop yields, and how it ends."""
    objects: list[Any] = []
    sdk = client.aio.models if way.is_async else client.models
    question = {"model": "asked", "contents": "hi", "config": {**CONFIG, **config}}
    try:
        async for each in way.each(await way.wait(sdk.generate_content_stream(**question))):
            objects.append(each)  # noqa: PERF401 - what came before an error counts
    except Exception as error:
        return objects, error
    return objects, None


async def ours(way: Way, client: Any, **options: Any) -> tuple[Any, list[Any]]:
    """The stream, read to its end, and the chunks."""
    stream = await way.ask(client, model="asked", **options)
    chunks: list[Any] = []
    with contextlib.suppress(StreamError):
        async for chunk, _ in way.each(stream):
            chunks.append(chunk)
    return stream, chunks


def by_bytes(stream: Any) -> bool:
    return stream._lease.source.chunk_object is not None


def unlike(mine: list[Any], theirs: list[Any]) -> list[Any]:
    """The objects that differ; an event that completes two calls gives two chunks for one."""
    different = [pair for pair in zip(mine, theirs, strict=True) if pair[0] != pair[1]]
    fields = [p for p in zip(mine, theirs, strict=True) if p[0].model_dump() != p[1].model_dump()]
    return different or fields


def one_for_each_event(chunks: list[Any]) -> list[Any]:
    return [chunk.chunk for chunk in {id(chunk.data): chunk for chunk in chunks}.values()]


@unknown_enums
@recordings(*(r for r in RECORDINGS if not r.is_array))
@pytest.mark.parametrize("vertexai", [False, True], ids=["developer", "vertex"])
def test_a_recording_gives_what_the_sdk_yields(
    recording: Recording, vertexai: bool, serve: Any
) -> None:
    cuts = [recording.body[i : i + 400] for i in range(0, len(recording.body), 400)]
    server = serve(streamed(*cuts))

    async def run(way: Way) -> None:
        async with way.client(server, vertexai=vertexai) as client:
            theirs, _ = await sdks(way, client)
            stream, chunks = await ours(way, client)
            assert by_bytes(stream)
            check(stream, recording)
            assert unlike(one_for_each_event(chunks), theirs) == []
            assert all(chunk.chunk.sdk_http_response.headers for chunk in chunks)

    for way in (Way(False), Way(True)):
        asyncio.run(run(way))


# Any event

TEXTS = st.text(max_size=4)
WORDS = st.sampled_from(["STOP", "MAX_TOKENS", "NEW_WORD", "FINISH_REASON_UNSPECIFIED", ""])
NUMBERS = st.integers(-3, 10**6)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXTS,
        "thought": st.booleans(),
        "thoughtSignature": st.just("c2ln"),
        "functionCall": st.fixed_dictionaries(
            {"name": st.just("f")}, optional={"args": st.just({"a": [1, None]}), "news": TEXTS}
        ),
        "inlineData": st.just({"mimeType": "image/png", "data": "iVBORw=="}),
        "news": NUMBERS,
    },
)
CITATION = {"startIndex": 1, "uri": "https://example.org"}
CANDIDATES = st.fixed_dictionaries(
    {},
    optional={
        "content": st.none()
        | st.fixed_dictionaries(
            {}, optional={"parts": st.lists(PARTS, max_size=3), "role": TEXTS, "news": TEXTS}
        ),
        "finishReason": WORDS | st.none(),
        "finishMessage": TEXTS,
        "index": st.integers(0, 2) | st.none(),
        "tokenCount": NUMBERS,
        "avgLogprobs": st.floats(-5, 0),
        "safetyRatings": st.just([{"category": "HARM_CATEGORY_HATE_SPEECH", "news": 1}]),
        "citationMetadata": st.sampled_from(
            [{"citationSources": [CITATION]}, {"citations": [CITATION]}, {}]
        ),
        "groundingMetadata": st.just({"webSearchQueries": ["a"], "news": 1}),
        "urlContextMetadata": st.just({"urlMetadata": [{"retrievedUrl": "https://example.org"}]}),
        "news": TEXTS,
    },
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "candidates": st.none() | st.lists(CANDIDATES, max_size=2),
        "usageMetadata": st.fixed_dictionaries(
            {}, optional={"promptTokenCount": NUMBERS, "news": NUMBERS, "trafficType": WORDS}
        ),
        "modelVersion": TEXTS | st.none(),
        "responseId": TEXTS,
        "createTime": st.just("2026-04-02T17:03:50.399550Z"),
        "modelStatus": st.just({"modelStage": "STABLE", "message": "fine"}),
        "promptFeedback": st.just({"safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT"}]}),
        "sdkHttpResponse": st.just({"headers": {"a": "b"}}),
        "news": TEXTS,
    },
)


@unknown_enums
@pytest.mark.parametrize("platform", ["mldev", "vertex"])
@settings(suppress_health_check=[HealthCheck.differing_executors], deadline=None)
@given(data=EVENTS)
def test_the_object_of_any_event_is_the_sdks(platform: str, data: dict[str, Any]) -> None:
    sent = json.dumps(data)
    translate = getattr(models, f"_GenerateContentResponse_from_{platform}")
    theirs = types.GenerateContentResponse._from_response(
        response=translate(json.loads(sent), None), kwargs={}
    )
    theirs.sdk_http_response = types.HttpResponse(headers={"a": "1"})
    make = ChunkObjects({"a": "1"}, is_vertex=platform == "vertex", config=CONFIG)
    made = make(json.loads(sent), None)
    assert made == theirs
    assert made.model_dump() == theirs.model_dump()


@pytest.mark.parametrize("name", ["_GenerateContentResponse_from_mldev", "_from_response"])
def test_without_the_sdks_private_names_there_is_an_object_all_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner: Any = types.GenerateContentResponse if name == "_from_response" else models
    if name == "_from_response":
        monkeypatch.setattr(owner, name, None)
    else:
        monkeypatch.delattr(owner, name)
    make = ChunkObjects({"a": "1"}, is_vertex=False, config=CONFIG)
    made = make({**response("Hi"), "news": 1}, None)
    assert (made.text, made.sdk_http_response.headers) == ("Hi", {"a": "1"})


class Book(BaseModel):
    """What an answer may be parsed as."""

    title: str


@pytest.mark.parametrize(
    "config",
    [
        {"response_schema": Book, "response_mime_type": "application/json"},
        {"response_schema": list[Book], "response_mime_type": "application/json"},
        {"response_json_schema": {"type": "object"}, "response_mime_type": "application/json"},
        {"response_schema": {"type": "OBJECT"}, "response_mime_type": "application/json"},
        {"include_all_fields": True},
    ],
    ids=["class", "list", "json schema", "schema", "all fields"],
)
async def test_what_the_configuration_makes_of_an_event(
    way: Way, serve: Any, config: dict[str, Any]
) -> None:
    server = serve(answer('{"title": ', '{"title": "The Hobbit"}', '[{"title": "Emma"}]'))
    async with way.client(server) as client:
        if "include_all_fields" in config and not _takes_all_fields():
            pytest.skip("this SDK has no such parameter")
        theirs, error = await sdks(way, client, **config)
        stream, chunks = await ours(way, client, **config)
    assert (error, stream.state, by_bytes(stream)) == (None, "completed", True)
    assert unlike([chunk.chunk for chunk in chunks], theirs) == []
    if "include_all_fields" not in config:
        assert any(chunk.chunk.parsed is not None for chunk in chunks)


def _takes_all_fields() -> bool:
    return "include_all_fields" in types.GenerateContentConfig.model_fields


# Bodies that only a reader of bytes reads rightly


GOOD = event(response("One ")), event(response("two", finish="STOP", usageMetadata=USAGE))
BODIES: dict[str, tuple[bytes, type[StreamError] | None, str]] = {
    "comments": (b": a\r\n\r\n" + GOOD[0] + b": b\r\n\r\n" + GOOD[1], None, "One two"),
    "LF": (b"".join(GOOD).replace(b"\r\n", b"\n"), None, "One two"),
    "CR": (b"".join(GOOD).replace(b"\r\n", b"\r"), None, "One two"),
    "no blank line at the end": (b"".join(GOOD)[:-4], None, "One two"),
    "an array": (b"[%s]" % b",".join(e[6:-4] for e in GOOD), None, "One two"),
    "half an event": (GOOD[0] + GOOD[1][:40], StreamTruncatedError, "One "),
    "comments alone": (b": a\r\n\r\n: b\r\n\r\n", StreamTruncatedError, ""),
    "a list": (GOOD[0] + b"data: [1]\r\n\r\n" + GOOD[1], StreamDecodeError, "One "),
    "a number": (GOOD[0] + b"data: 1\r\n\r\n" + GOOD[1], StreamDecodeError, "One "),
    "no UTF-8": (GOOD[0] + b'data: {"a": "\xff"}\r\n\r\n', StreamDecodeError, "One "),
    "an error of two lines": (
        GOOD[0] + b'{\r\n"error": {"code": 503, "message": "busy"}\r\n}\r\n',
        StreamProviderError,
        "One ",
    ),
}


@pytest.mark.parametrize("cut", [1, 400], ids=["byte by byte", "as sent"])
@pytest.mark.parametrize("name", BODIES)
async def test_a_body(way: Way, serve: Any, name: str, cut: int) -> None:
    body, error_class, content = BODIES[name]
    server = serve(streamed(*(body[i : i + cut] for i in range(0, len(body), cut))))
    async with way.client(server) as client:
        stream, _ = await ours(way, client)
    assert by_bytes(stream)
    assert (type(stream.error), stream.content) == (error_class or type(None), content)


async def test_a_response_without_content(way: Way, serve: Any) -> None:
    async with way.client(serve(whole(b"", status=204))) as client:
        stream, _ = await ours(way, client)
    assert type(stream.error) is StreamTruncatedError


async def test_a_compressed_body(way: Way, serve: Any) -> None:
    body = gzip.compress(b"".join(GOOD))
    server = serve(streamed(body[:30], body[30:], headers={"content-encoding": "gzip"}))
    async with way.client(server) as client:
        stream, _ = await ours(way, client)
    assert (stream.error, stream.content, by_bytes(stream)) == (None, "One two", True)


async def test_a_body_that_is_too_large(way: Way, serve: Any) -> None:
    server = serve(streamed(*([GOOD[0]] * 100)))
    async with way.client(server) as client:
        stream, chunks = await ours(way, client, max_bytes=len(GOOD[0]) * 10)
    assert type(stream.error) is StreamLimitError
    assert len(chunks) == 10


def test_an_event_that_is_too_large_for_the_sdks_loop() -> None:
    segments = Segments()
    assert list(segments.feed(b'data: {"a": 1}\n\ndata: ')) == [{"a": 1}]
    with pytest.raises(StreamDecodeError, match="one event is larger than 67,108,864 bytes"):
        list(segments.feed(b"x" * (1 << 26) + b"x\n\n"))


async def test_a_recording_of_it_is_of_bytes(way: Way, serve: Any, tmp_path: Any) -> None:
    path = tmp_path / "answer.json"
    async with way.client(serve(streamed(*GOOD))) as client:
        stream, chunks = await ours(way, client, record=path)
    assert stream.content == "One two"
    assert chunks[0].chunk.sdk_http_response.headers["transfer-encoding"] == "chunked"
    again = replay(GoogleProvider(), b"".join(GOOD))
    assert [chunk.data for chunk, _ in again] == [chunk.data for chunk in chunks]


# Continuation


@continues
@pytest.mark.parametrize("vertexai", [False, True], ids=["developer", "vertex"])
@pytest.mark.parametrize(
    "hops",
    [
        # The usage comes before the token, and the SDK sums what it saw.
        [
            [response("One ", usageMetadata=USAGE), response("two ", candidate=TOKEN)],
            [response("three", finish="STOP", usageMetadata=USAGE)],
        ],
        [
            [response("One ", finish="CONTINUATION", candidate=TOKEN, usageMetadata=USAGE)],
            [response("two ", finish="CONTINUATION", candidate={"continuationToken": "dG9rZW5z"})],
            [response("three", finish="STOP", usageMetadata=USAGE)],
        ],
        # Feedback on the prompt, or another finish reason, before a token ends it.
        [
            [
                response("One ", promptFeedback={"safetyRatings": []}),
                response("two ", candidate=TOKEN),
            ],
            [response("never asked for", finish="STOP")],
        ],
        [
            [response("One ", finish="MAX_TOKENS"), response("two ", candidate=TOKEN)],
            [response("never asked for", finish="STOP")],
        ],
    ],
    ids=["usage first", "three", "feedback", "finished"],
)
@pytest.mark.parametrize("cut", [None, 1, 50])
async def test_an_answer_is_continued_as_the_sdk_does(
    way: Way, serve: Any, hops: list[list[Any]], vertexai: bool, cut: int | None
) -> None:
    def replies() -> list[Any]:
        bodies = [b"".join(map(event, hop)) for hop in hops]
        size = cut or 10**6
        return [streamed(*(b[i : i + size] for i in range(0, len(b), size))) for b in bodies]

    async with way.client(server := serve(*replies()), vertexai=vertexai) as client:
        theirs, error = await sdks(way, client)
    async with way.client(mine := serve(*replies()), vertexai=vertexai) as client:
        stream, chunks = await ours(way, client)
    assert (error, by_bytes(stream)) == (None, True)
    # Feedback on the prompt ends the SDK's continuing, and is no end of an answer.
    assert stream.state == ("truncated" if "promptFeedback" in hops[0][0] else "completed")
    assert [r.json for r in mine.requests] == [
        {**r.json, "contents": mine.requests[0].json["contents"]} for r in server.requests
    ]
    assert [_content(chunk.chunk) for chunk in chunks] == [_content(each) for each in theirs]


def _content(obj: Any) -> Any:
    return obj.model_dump(exclude={"sdk_http_response"})


@continues
async def test_a_connection_that_drops_behind_the_token(way: Way, serve: Any) -> None:
    one = event(response("One ", usageMetadata=USAGE))
    server = serve(
        streamed(one, event(response("two ", candidate=TOKEN)), Pause(0.05), b"data: {", Reset()),
        answer("three"),
    )
    async with way.client(server) as client:
        stream, _ = await ours(way, client)
    assert (stream.content, stream.state, len(server.requests)) == (
        "One two three",
        "completed",
        2,
    )
    assert stream.usage.candidates_token_count == 200


@continues
async def test_a_connection_that_drops_before_a_token_is_an_error(way: Way, serve: Any) -> None:
    server = serve(streamed(event(response("One ")), Reset()), answer("two"))
    async with way.client(server) as client:
        stream, _ = await ours(way, client)
    assert (type(stream.error), len(server.requests)) == (StreamInterruptedError, 1)


@continues
async def test_a_recording_of_a_continued_answer(way: Way, serve: Any, tmp_path: Any) -> None:
    one = event(response("One ", usageMetadata=USAGE))
    two = event(response("two ", candidate=TOKEN))
    path = tmp_path / "answer.json"
    async with way.client(serve(streamed(one, two), answer("three"))) as client:
        stream, chunks = await ours(way, client, record=path)
    again = stream_from(path)
    assert [chunk.content for chunk, _ in again] == [chunk.content for chunk in chunks]
    assert (again.content, again.usage) == ("One two three", stream.usage)
    assert again.cost == stream.cost


@continues
async def test_comments_and_errors_of_a_later_request(way: Way, serve: Any) -> None:
    first = streamed(event(response("One ", finish="CONTINUATION", candidate=TOKEN)))
    server = serve(first, streamed(b": ping\r\n\r\n" + GOOD[1]))
    async with way.client(server) as client:
        stream, _ = await ours(way, client)
    assert (stream.content, stream.error) == ("One two", None)
    error = event({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}})
    async with way.client(serve(first, streamed(error))) as client:
        stream, _ = await ours(way, client)
    assert (stream.content, type(stream.error)) == ("One ", StreamProviderError)


# Where the SDK's loop is needed


async def test_functions_that_the_sdk_calls_by_itself(way: Way, serve: Any) -> None:
    asked: list[str] = []

    def weather(city: str) -> str:
        """Look the weather up."""
        asked.append(city)
        return "sunny"

    # Older versions of the SDK can't read annotations that are text.
    weather.__annotations__ = {"city": str, "return": str}
    call = {"functionCall": {"name": "weather", "args": {"city": "Bonn"}}}
    server = serve(streamed(event(response(call, finish="STOP"))), answer("Sunny."))
    options = {"config": {"tools": [weather], "automatic_function_calling": {"disable": False}}}
    async with way.client(server) as client:
        stream, _ = await ours(way, client, **options)
    assert (asked, len(server.requests), by_bytes(stream)) == (["Bonn"], 2, False)
    assert stream.content == "Sunny."


@pytest.mark.parametrize("tool", [{"google_search": {}}, types.Tool(google_search={})])
async def test_tools_that_are_declarations(way: Way, serve: Any, tool: Any) -> None:
    async with way.client(serve(streamed(*GOOD))) as client:
        stream, _ = await ours(way, client, config={"tools": [tool]})
    assert (stream.content, by_bytes(stream)) == ("One two", True)


async def test_a_loop_that_somebody_looks_on(
    way: Way, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instrumentation sees every chunk, as it would without this library."""
    seen: list[Any] = []
    target = models.AsyncModels if way.is_async else models.Models
    original: Any = target.generate_content_stream

    async def look_on(*args: Any, **kwargs: Any) -> Any:
        async def looked() -> Any:
            async for each in await original(*args, **kwargs):
                seen.append(each)
                yield each

        return looked()

    def look_on_sync(*args: Any, **kwargs: Any) -> Any:
        for each in original(*args, **kwargs):
            seen.append(each)
            yield each

    monkeypatch.setattr(
        target, "generate_content_stream", look_on if way.is_async else look_on_sync
    )
    async with way.client(serve(streamed(*GOOD))) as client:
        stream, chunks = await ours(way, client)
    assert (stream.content, by_bytes(stream)) == ("One two", False)
    assert [chunk.chunk for chunk in chunks] == seen[1:]


async def test_an_error_of_the_request_is_the_sdks(way: Way, serve: Any) -> None:
    body = {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}
    server = serve(whole(body, status=429), streamed(*GOOD))
    options = {"retry_options": types.HttpRetryOptions(attempts=2, initial_delay=0.01)}
    async with way.client(server, http_options=options) as client:
        stream, _ = await ours(way, client)
    assert (stream.content, len(server.requests)) == ("One two", 2)
    async with way.client(serve(whole(body, status=429))) as client:
        _, error = await sdks(way, client)
        stream = await way.ask(client)
        with pytest.raises(Exception, match="slow down") as caught:
            await way.wait(stream.open())
    assert type(caught.value.__cause__) is type(error) is errors.ClientError
