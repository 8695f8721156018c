"""However a stream ends: its state, its error, and its connection."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import mirascope_google as google
import pytest
from google.genai import types
from mirascope.core import (
    APIError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    ProviderConnectionError,
    ProviderServerError,
    ProviderTimeoutError,
    RateLimitError,
    StreamDecodeError,
    StreamInterruptedError,
    StreamProviderError,
    StreamTimeoutError,
    StreamTruncatedError,
    UsageError,
)
from mirascope.core.testing import Hold, Reset, streamed, whole
from mirascope_tests.shared import CORPUS, each

from .conftest import KEY, Way
from .responses import answer, event, response

CONTINUES = "continuation_token" in types.Candidate.model_fields
HELD = streamed(event(response("One ")), event(response("two ")), Hold())
AT_ONCE = 1.0
"""Seconds. Closing is immediate; the machine that runs this test may be busy."""


@pytest.fixture(autouse=True)
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def google_error(code: int, status: str, message: str, *details: Any) -> dict[str, Any]:
    error = {"code": code, "message": message, "status": status}
    return {"error": {**error, "details": list(details)} if details else error}


# Leaving


@pytest.mark.parametrize("sdk_iteration", [False, True], ids=["tapped", "plain"])
async def test_break_closes_the_connection_at_once(
    way: Way, serve: Any, sdk_iteration: bool
) -> None:
    if way.is_async and sdk_iteration:
        pytest.skip("the SDK's own asynchronous loop leaves it to the garbage collector")
    server = serve(HELD)
    async with way.client(server) as client:
        stream = await way.ask(client, sdk_iteration=sdk_iteration)
        async for chunk, _ in way.each(stream):
            assert chunk.content == "One "
            break
        left = time.monotonic()
        assert stream.state == "stopped"
        assert await asyncio.to_thread(server.wait_closed) - left < AT_ONCE
    assert stream.content == "One "
    assert stream.message_param["parts"] == [{"text": "One "}]


@pytest.mark.parametrize("how", ["close", "block", "cancel"])
async def test_closing_closes_the_connection_at_once(way: Way, serve: Any, how: str) -> None:
    server = serve(HELD)
    async with way.client(server) as client:
        stream = await way.ask(client)
        if how == "block":
            await way.wait(stream.__aenter__() if way.is_async else stream.__enter__())
        iterator = aiter(way.each(stream))
        await anext(iterator)
        left = time.monotonic()
        if how == "cancel":
            stream.cancel()
        elif how == "close":
            await way.wait(stream.aclose() if way.is_async else stream.close())
        else:
            nothing = (None, None, None)
            end = stream.__aexit__(*nothing) if way.is_async else stream.__exit__(*nothing)
            await way.wait(end)
        assert await asyncio.to_thread(server.wait_closed) - left < AT_ONCE
    assert stream.state == ("cancelled" if how == "cancel" else "stopped")
    assert stream.content == "One "


@pytest.mark.parametrize(
    "reply", [HELD, streamed(Hold())], ids=["in the middle", "before the first event"]
)
async def test_cancel_ends_a_read_that_waits(way: Way, serve: Any, reply: Any) -> None:
    server = serve(reply)
    async with way.client(server) as client:
        stream = await way.ask(client)

        def cancel() -> None:
            server.wait_requests()
            time.sleep(0.2)
            stream.cancel()

        thread = threading.Thread(target=cancel)
        thread.start()
        start = time.monotonic()
        items = await way.items(stream)
        thread.join()
        assert time.monotonic() - start < 5
        assert stream.state == "cancelled"
        assert len(items) == (2 if reply is HELD else 0)
        await asyncio.to_thread(server.wait_closed)


async def test_a_cancelled_task_closes_the_connection(serve: Any) -> None:
    way = Way(True)
    server = serve(HELD)
    async with way.client(server) as client:
        stream = await way.ask(client)
        task = asyncio.ensure_future(way.items(stream))
        while stream.content != "One two ":
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        left = time.monotonic()
        assert await asyncio.to_thread(server.wait_closed) - left < AT_ONCE
    assert (stream.state, stream.content) == ("cancelled", "One two ")


@pytest.mark.skipif(not CONTINUES, reason="this SDK does not continue answers")
async def test_a_cancelled_stream_is_not_continued(way: Way, serve: Any) -> None:
    token = {"continuationToken": "dG9rZW4="}
    server = serve(streamed(event(response("One ", candidate=token)), Hold()), answer("two"))
    async with way.client(server) as client:
        stream = await way.ask(client)
        threading.Timer(0.4, stream.cancel).start()
        await way.items(stream)
    assert (stream.state, stream.content, len(server.requests)) == ("cancelled", "One ", 1)


async def test_an_abandoned_stream_gives_its_connection_back(way: Way, serve: Any) -> None:
    server = serve(HELD, answer("Hi"))
    async with way.client(server) as client:
        async for _ in way.each(await way.ask(client)):
            break
        left = time.monotonic()
        assert await asyncio.to_thread(server.wait_closed) - left < AT_ONCE
        assert len(await way.items(await way.ask(client))) == 1


@pytest.mark.parametrize(
    ("name", "reply"), [("first_chunk", streamed(Hold())), ("idle", HELD), ("total", HELD)]
)
async def test_a_deadline_ends_the_stream(way: Way, serve: Any, name: str, reply: Any) -> None:
    server = serve(reply)
    async with way.client(server) as client:
        stream = await way.ask(client, timeout={name: 0.4})
        with pytest.raises(StreamTimeoutError) as caught:
            await way.items(stream)
        assert (caught.value.deadline, stream.state) == (name, "timed_out")
        await asyncio.to_thread(server.wait_closed)
    assert stream.content == ("" if name == "first_chunk" else "One two ")


# Before the response


ERRORS: list[tuple[dict[str, Any], type[APIError]]] = [
    (google_error(400, "INVALID_ARGUMENT", "bad temperature"), BadRequestError),
    (google_error(401, "UNAUTHENTICATED", "no credentials"), AuthenticationError),
    (google_error(403, "PERMISSION_DENIED", "not for you"), PermissionDeniedError),
    (google_error(404, "NOT_FOUND", "no such model"), NotFoundError),
    (google_error(429, "RESOURCE_EXHAUSTED", "quota"), RateLimitError),
    (google_error(500, "INTERNAL", "an internal error"), ProviderServerError),
    (google_error(503, "UNAVAILABLE", "overloaded"), ProviderServerError),
]


@pytest.mark.parametrize("streams", [True, False], ids=["stream", "call"])
@pytest.mark.parametrize(("body", "error_class"), ERRORS, ids=[c.__name__ for _, c in ERRORS])
@pytest.mark.parametrize("in_array", [False, True], ids=["object", "array"])
async def test_an_http_error_is_one_of_ours(
    way: Way,
    serve: Any,
    body: dict[str, Any],
    error_class: type[APIError],
    in_array: bool,
    streams: bool,
) -> None:
    error = body["error"]
    server = serve(whole([body] if in_array else body, status=error["code"]))
    async with way.client(server) as client:
        answered = await way.ask(client) if streams else None
        with pytest.raises(error_class, match=error["message"]) as caught:
            # Opening a stream is enough: nothing of the answer is read.
            await (way.wait(answered.open()) if answered else way.ask(client, stream=False))
    assert type(caught.value) is error_class
    assert (caught.value.status, caught.value.code) == (error["code"], error["status"])
    assert (caught.value.provider, caught.value.model) == ("google", "gemini-2.5-flash")
    assert caught.value.__cause__ is not None
    assert answered is None or answered.state == "failed"


@pytest.mark.parametrize("path", each(sorted(CORPUS.glob("http-error/*google*.json"))))
async def test_a_recorded_http_error(way: Way, serve: Any, path: Any) -> None:
    body = json.loads(path.read_bytes())
    server = serve(whole(body, status=body["error"]["code"]))
    async with way.client(server) as client:
        with pytest.raises(NotFoundError, match="is not found for API version"):
            await way.items(await way.ask(client))


@pytest.mark.parametrize(
    ("error", "error_class", "status"),
    [
        ({"code": 503, "message": "busy", "status": "UNAVAILABLE"}, ProviderServerError, 503),
        ({"code": "overloaded", "message": "busy"}, ProviderServerError, 500),
        ({"code": 429, "message": "busy"}, RateLimitError, 429),
    ],
)
async def test_a_failure_under_status_200_is_the_failure_it_reports(
    way: Way, serve: Any, error: dict[str, Any], error_class: type[APIError], status: int
) -> None:
    """The SDK alone makes an empty answer of it."""
    async with way.client(serve(whole({"error": error}))) as client:
        with pytest.raises(error_class, match="busy") as caught:
            await way.ask(client, stream=False)
    assert caught.value.status == status


async def test_a_key_that_is_refused(way: Way, serve: Any) -> None:
    reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    body = google_error(400, "INVALID_ARGUMENT", f"API key not valid: {KEY}", reason)
    server = serve(whole(body, status=400))
    async with way.client(server) as client:
        with pytest.raises(AuthenticationError, match="API key not valid") as caught:
            await way.items(await way.ask(client))
    assert KEY not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize("message", [5, ["no"], {"text": "no"}, None, True])
async def test_an_error_whose_message_is_not_a_text(way: Way, serve: Any, message: Any) -> None:
    server = serve(whole({"error": {"code": 400, "message": message}}, status=400))
    async with way.client(server) as client:
        with pytest.raises(BadRequestError, match="400"):
            await way.items(await way.ask(client))


@pytest.mark.parametrize("by", ["header", "detail"])
async def test_when_to_come_again(way: Way, serve: Any, by: str) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
    body = google_error(429, "RESOURCE_EXHAUSTED", "quota", *([info] if by == "detail" else []))
    headers = {"retry-after": "34.5"} if by == "header" else {}
    server = serve(whole(body, status=429, headers=headers))
    async with way.client(server) as client:
        with pytest.raises(RateLimitError) as caught:
            await way.items(await way.ask(client))
    assert (caught.value.retry_after, caught.value.retryable) == (34.5, True)


async def test_no_server(way: Way, serve: Any) -> None:
    server = serve(answer("Hi"))
    async with way.client(server) as client:
        server.stop()
        with pytest.raises(ProviderConnectionError):
            await way.items(await way.ask(client))


async def test_the_clients_own_timeout(way: Way, serve: Any) -> None:
    async with way.client(serve([Hold()]), http_options={"timeout": 300}) as client:
        with pytest.raises(ProviderTimeoutError):
            await way.items(await way.ask(client))
    async with way.client(serve(HELD), http_options={"timeout": 300}) as client:
        stream = await way.ask(client)
        with pytest.raises(StreamTimeoutError):
            await way.items(stream)
    assert (stream.state, stream.content) == ("timed_out", "One two ")


async def test_no_key(way: Way) -> None:
    with pytest.raises(AuthenticationError, match="GEMINI_API_KEY or GOOGLE_API_KEY") as caught:
        await way.items(await way.ask(None))
    assert isinstance(caught.value.__cause__, ValueError)


async def test_a_client_that_can_not_be_made(way: Way) -> None:
    with pytest.raises(UsageError, match=r"the client can't be made: .*[Pp]roject/location"):
        await way.items(await way.ask(None, project="p", api_key="k"))


async def test_a_parameter_that_the_api_does_not_have(way: Way, serve: Any) -> None:
    server = serve(answer("Hi"))
    async with way.client(server) as client:
        with pytest.raises(BadRequestError, match="temprature") as caught:
            await way.items(await way.ask(client, call_params={"temprature": 1}))
    assert "\n" not in str(caught.value)
    assert server.requests == []


# During the response


@pytest.mark.parametrize(
    ("pieces", "error_class", "state"),
    [
        ([event(response("One "))], StreamTruncatedError, "truncated"),
        ([], StreamTruncatedError, "truncated"),
        ([event(response("One ")), Reset()], StreamInterruptedError, "failed"),
        ([event(response("One ")), b"data: {broken\r\n\r\n"], StreamDecodeError, "failed"),
        ([b"<html><body>busy</body></html>"], StreamDecodeError, "failed"),
        (
            [event(response("One ")), event(google_error(503, "UNAVAILABLE", "overloaded"))],
            StreamProviderError,
            "failed",
        ),
        (
            [
                event(response("One ")),
                json.dumps(google_error(503, "UNAVAILABLE", "overloaded"), indent=2).encode(),
            ],
            StreamProviderError,
            "failed",
        ),
        ([event(google_error(503, "UNAVAILABLE", "overloaded"))], StreamProviderError, "failed"),
        ([event({"error": {"message": "overloaded"}})], StreamProviderError, "failed"),
        ([event({"error": "overloaded"})], StreamProviderError, "failed"),
    ],
    ids=[
        "cut",
        "empty",
        "reset",
        "no JSON",
        "no stream",
        "error event",
        "error text",
        "error first",
        "error without code",
        "error that is text",
    ],
)
async def test_a_response_that_does_not_end_well(
    way: Way, serve: Any, pieces: list[Any], error_class: type[APIError], state: str
) -> None:
    server = serve(streamed(*pieces))
    async with way.client(server) as client:
        stream = await way.ask(client)
        with pytest.raises(error_class) as caught:
            await way.items(stream)
    assert type(caught.value) is error_class
    assert (stream.state, caught.value.stream) == (state, stream)
    assert stream.content == ("One " if event(response("One ")) in pieces else "")
    if error_class is StreamProviderError:
        assert caught.value.message == "overloaded"


async def test_the_providers_error_has_its_code(way: Way, serve: Any) -> None:
    error = google_error(503, "UNAVAILABLE", "overloaded")
    server = serve(streamed(event(response("One ")), event(error)))
    async with way.client(server) as client:
        with pytest.raises(StreamProviderError) as caught:
            await way.items(await way.ask(client))
    found = caught.value
    assert (found.status, found.code, found.type) == (503, "UNAVAILABLE", "UNAVAILABLE")


async def test_the_sdks_own_error_in_its_own_loop(way: Way, serve: Any) -> None:
    error = google_error(503, "UNAVAILABLE", "overloaded")
    server = serve(streamed(event(response("One ")), event(error)))
    async with way.client(server) as client:
        with pytest.raises(StreamProviderError, match="overloaded") as caught:
            await way.items(await way.ask(client, sdk_iteration=True))
    found = caught.value
    assert (found.status, found.code, found.type) == (503, "UNAVAILABLE", "UNAVAILABLE")
    assert found.retryable
    assert type(found.__cause__).__name__ == "ServerError"


@pytest.mark.parametrize("before", ["", "One "])
@pytest.mark.parametrize("sent", ["boom", None])
async def test_an_error_that_the_sdk_cant_read(
    way: Way, serve: Any, before: str, sent: Any
) -> None:
    events = [event(response(before))] if before else []
    server = serve(streamed(*events, event({"error": sent})))
    async with way.client(server) as client:
        with pytest.raises(StreamDecodeError, match="can't read the error that the server sent"):
            await way.items(await way.ask(client, sdk_iteration=True))


async def test_an_error_after_a_finish_reason_is_an_error(way: Way, serve: Any) -> None:
    error = google_error(499, "CANCELLED", "cancelled")
    server = serve(streamed(event(response("One ", finish="STOP")), event(error)))
    async with way.client(server) as client:
        stream = await way.ask(client)
        with pytest.raises(StreamProviderError, match="cancelled"):
            await way.items(stream)
    assert (stream.state, stream.content) == ("failed", "One ")


async def test_a_blocked_prompt_is_a_complete_answer(way: Way, serve: Any) -> None:
    feedback = {"blockReason": "SAFETY"}
    body = {"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 7}}
    server = serve(streamed(event(body)))
    async with way.client(server) as client:
        stream = await way.ask(client)
        [(chunk, _)] = await way.items(stream)
    assert (stream.state, stream.content, stream.input_tokens) == ("completed", "", 7)
    assert (stream.finish_reason, stream.finish_reasons) == ("content_filter", None)
    assert chunk.chunk.prompt_feedback.block_reason == "SAFETY"
    response_object = stream.construct_call_response().response
    assert response_object.prompt_feedback.block_reason == "SAFETY"


def test_the_classes_can_be_extended() -> None:
    class Chunk(google.GoogleCallResponseChunk):
        pass

    class Stream(google.GoogleStream[Chunk]):
        pass

    assert Stream.chunk_class is Chunk
