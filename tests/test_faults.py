"""Whatever goes wrong on the wire ends as the right error, with all that arrived (E1, E2, E4)."""

from __future__ import annotations

import asyncio
import gzip
import socket
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
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
    StreamError,
    StreamInterruptedError,
    StreamProviderError,
    StreamTimeoutError,
    StreamTruncatedError,
    UsageError,
)
from mirascope.core.testing import Hangup, Hold, Pause, Reset, Server, sse, streamed, whole
from mirascope_tests.api import API, KEY, Reading
from mirascope_tests.chat import DONE, USAGE, answer, chunk, completion

Serve = Callable[..., Server]
BEGUN = [chunk("", role="assistant"), chunk("Hel"), chunk("lo")]


def no_traces_of(key: str, error: BaseException) -> None:
    shown = "".join(traceback.format_exception(error))
    for text in (str(error), repr(error), shown, repr(vars(error))):
        assert key not in text


def kept(reading: Reading, text: str = "Hello") -> None:
    """What arrived stays readable on the stream, which the error carries."""
    stream, error = reading.stream, reading.error
    assert "".join(reading.texts) == stream.content == text
    assert stream.message_param == {"role": "assistant", "content": text}
    assert stream.error is error
    assert stream.construct_call_response().content == text
    assert stream.start_time <= stream.end_time
    if isinstance(error, StreamError):
        assert error.stream is stream


STATUSES: list[tuple[int, type[APIError], bool]] = [
    (400, BadRequestError, False),
    (401, AuthenticationError, False),
    (403, PermissionDeniedError, False),
    (404, NotFoundError, False),
    (408, ProviderTimeoutError, True),
    (409, BadRequestError, False),
    (413, BadRequestError, False),
    (422, BadRequestError, False),
    (429, RateLimitError, True),
    (500, ProviderServerError, True),
    (503, ProviderServerError, True),
    (529, ProviderServerError, True),
]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "call"])
@pytest.mark.parametrize(("status", "error_class", "retryable"), STATUSES)
async def test_http_errors(
    api: API,
    serve: Serve,
    status: int,
    error_class: type[APIError],
    retryable: bool,
    stream: bool,
) -> None:
    body = {"error": {"message": "not today", "type": "some_error", "code": "some_code"}}
    server = serve(whole(body, status=status))
    async with api.connected(server) as connection:
        ask = api.ask(**connection, stream=stream)
        if stream:
            reading = await api.drain(await api.call(ask, "fantasy"))
            error = reading.error
            assert reading.stream.state == "failed"
            kept(reading, "")
        else:
            with pytest.raises(APIError) as caught:
                await api.call(ask, "fantasy")
            error = caught.value
    assert type(error) is error_class
    assert (error.provider, error.model) == (api.provider, "gpt-4o")
    assert (error.status, error.code, error.request_id) == (status, "some_code", "req_1")
    assert error.retryable is retryable
    assert error.message == "not today"
    assert str(error) == f"{api.provider}/gpt-4o: not today (HTTP {status})"
    assert len(server.requests) == 1
    if api.provider == "openai":
        import openai

        assert isinstance(error.__cause__, openai.APIStatusError)
    else:
        assert error.__cause__ is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
async def test_retry_after(
    api: API, serve: Serve, headers: dict[str, str], seconds: float | None
) -> None:
    reading = await api.read(serve(whole({"error": "slow down"}, status=429, headers=headers)))
    assert isinstance(reading.error, RateLimitError)
    assert reading.error.retry_after == seconds


async def test_retry_after_as_a_date(api: API, serve: Serve) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    reading = await api.read(serve(whole({}, status=429, headers={"retry-after": when})))
    assert isinstance(reading.error, RateLimitError)
    assert 60 < (reading.error.retry_after or 0) <= 90


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": "plain words"}', "plain words"),
        (b'{"detail": "from FastAPI"}', "from FastAPI"),
        (b'[{"error": {"message": "in an array", "code": 404}}]', "in an array"),
        (b"<html><body>Bad gateway</body></html>", "Bad gateway"),
        (b"", ""),
        (b'{"error": {"message": null}}', ""),
        (b"\xff\xfe", ""),
    ],
)
async def test_error_bodies_of_every_shape(
    api: API, serve: Serve, body: bytes, message: str
) -> None:
    reading = await api.read(serve(whole(body, status=502)))
    assert type(reading.error) is ProviderServerError
    assert message in reading.error.message
    assert reading.error.status == 502


async def test_a_redirect_is_no_answer(compatible_api: API, serve: Serve) -> None:
    """A key is not carried to another address; the SDK's client follows by its own rules."""
    server = serve(whole(b"", status=307, headers={"location": "/elsewhere"}))
    reading = await compatible_api.read(server)
    assert type(reading.error) is BadRequestError
    assert reading.error.status == 307
    assert "/elsewhere" in str(reading.error)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "call"])
@pytest.mark.parametrize("key", [KEY, "plain-words-as-a-secret"], ids=["sk", "plain"])
async def test_a_key_that_the_server_echoes_is_not_shown(
    api: API, serve: Serve, key: str, stream: bool
) -> None:
    def respond(request: Any) -> Any:
        sent = request.headers["authorization"]
        assert sent == f"Bearer {key}"
        message = f"Incorrect API key provided: {sent.split()[1]} ({sent})."
        body = {"error": {"message": message, "code": "invalid_api_key", "param": sent}}
        return whole(body, status=401)

    server = serve(respond)
    settings: dict[str, Any] = {"base_url": server.url, "api_key": key}
    ask = api.ask(**settings, stream=stream)
    with pytest.raises(AuthenticationError, match="Incorrect API key provided") as caught:  # noqa: PT012
        answer = await api.call(ask, "fantasy")
        assert key not in repr(answer) + repr(answer._call) + repr(vars(answer))
        await api.result(answer.open())
    no_traces_of(key, caught.value)
    assert caught.value.code == "invalid_api_key"


async def test_a_key_that_a_stream_echoes_is_not_shown(api: API, serve: Serve) -> None:
    server = serve(streamed(*BEGUN, sse({"error": {"message": f"bad key {KEY}"}})))
    reading = await api.read(server)
    assert isinstance(reading.error, StreamProviderError)
    no_traces_of(KEY, reading.error)


async def test_connection_refused(api: API) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with api.client(f"http://127.0.0.1:{port}/v1") as client:
        for stream in (True, False):
            with pytest.raises(ProviderConnectionError) as caught:  # noqa: PT012
                result = await api.call(api.ask(client=client, stream=stream), "fantasy")
                await api.result(result.open())
            error = caught.value
            assert (error.provider, error.model, error.status) == (api.provider, "gpt-4o", None)
            assert error.retryable
            assert error.__cause__ is not None
            assert type(error.__cause__).__module__.split(".")[0] in ("openai", "httpx")


async def test_dropped_before_the_headers(api: API, serve: Serve) -> None:
    reading = await api.read(serve([Reset()]))
    assert type(reading.error) is ProviderConnectionError
    assert reading.stream.state == "failed"
    kept(reading, "")


async def test_the_clients_own_timeout_before_the_headers(api: API, serve: Serve) -> None:
    reading = await api.read(serve([Hold()]), client_options={"timeout": 0.2})
    assert type(reading.error) is ProviderTimeoutError
    assert reading.error.retryable
    assert reading.error.__cause__ is not None


@pytest.mark.parametrize("sdk_iteration", [False, True], ids=["bytes", "sdk"])
async def test_the_clients_own_timeout_in_the_body(
    openai_api: API, serve: Serve, sdk_iteration: bool
) -> None:
    reading = await openai_api.read(
        serve(streamed(*BEGUN, Hold())),
        client_options={"timeout": 0.2},
        sdk_iteration=sdk_iteration,
    )
    assert type(reading.error) is StreamTimeoutError
    assert reading.error.deadline == "read"
    assert reading.stream.state == "timed_out"
    kept(reading)


MID_BODY: dict[str, tuple[list[Any], type[StreamError], str, bool]] = {
    "reset": ([Reset()], StreamInterruptedError, "failed", True),
    "hangup": ([Hangup()], StreamInterruptedError, "failed", True),
    "clean end": ([], StreamTruncatedError, "truncated", True),
    "broken JSON": ([sse(b'{"choices": [')], StreamDecodeError, "failed", False),
    "no object": ([sse(b"[1, 2]")], StreamDecodeError, "failed", False),
    "bad shape": ([sse({"choices": ["x"]})], StreamDecodeError, "failed", False),
    "invalid UTF-8": ([sse(b'{"choices": "\xff\xfe"}')], StreamDecodeError, "failed", False),
    "error event": (
        [sse({"error": {"message": "overloaded", "type": "server", "code": "busy"}})],
        StreamProviderError,
        "failed",
        False,
    ),
}


@pytest.mark.parametrize("sdk_iteration", [False, True], ids=["bytes", "sdk"])
@pytest.mark.parametrize("fault", MID_BODY)
async def test_faults_in_the_body(api: API, serve: Serve, fault: str, sdk_iteration: bool) -> None:
    if sdk_iteration and api.provider != "openai":
        pytest.skip("this provider has no SDK")
    steps, error_class, state, retryable = MID_BODY[fault]
    after = () if fault in ("reset", "hangup", "clean end") else (*answer("never"),)
    server = serve(streamed(*BEGUN, Pause(0.05), *steps, *after))
    reading = await api.read(server, sdk_iteration=sdk_iteration)
    error = reading.error
    assert type(error) is error_class
    assert isinstance(error, StreamError)
    assert reading.stream.state == state
    assert (error.provider, error.model) == (api.provider, "gpt-4o")
    assert error.request_id == "req_1"
    assert error.retryable is retryable
    kept(reading)
    if fault == "error event":
        assert (error.message, error.code) == ("overloaded", "busy")
    if fault in ("reset", "hangup", "broken JSON", "invalid UTF-8"):
        assert error.__cause__ is not None


@pytest.mark.parametrize(
    "shape", ["bare error line", "error field", "error name", "status in code"]
)
async def test_error_objects_of_other_shapes(api: API, serve: Serve, shape: str) -> None:
    steps = {
        "bare error line": b'{"error": {"message": "out of memory", "code": 503}}\n\n',
        "error field": b'error: {"message": "out of memory", "code": 503}\n\n',
        "error name": sse({"message": "out of memory", "code": 503}, name="error"),
        "status in code": sse({"error": {"message": "out of memory", "code": 503}}),
    }[shape]
    reading = await api.read(serve(streamed(*BEGUN, steps)))
    assert type(reading.error) is StreamProviderError
    assert (reading.error.message, reading.error.status) == ("out of memory", 503)
    kept(reading)


NO_STREAMS: dict[str, tuple[Any, type[StreamError], str]] = {
    "HTML": (
        whole(b"<html>\n<p>busy</p></html>", headers={"content-type": "text/html"}),
        StreamDecodeError,
        "<html>",
    ),
    "empty": (whole(b""), StreamTruncatedError, "empty"),
    "pings only": (streamed(b": ping\n\n", b": ping\n\n"), StreamTruncatedError, "empty"),
    "error as JSON": (whole({"error": {"message": "nope"}}), StreamProviderError, "nope"),
    "JSON of another kind": (whole({"hello": 1}), StreamDecodeError, "hello"),
    "JSON of a bad shape": (whole({"choices": ["x"]}), StreamDecodeError, "choices"),
    "garbage": (whole(b"\x00\xff\x17"), StreamDecodeError, "not an event stream"),
}


@pytest.mark.parametrize("kind", NO_STREAMS)
async def test_a_200_that_is_no_stream(api: API, serve: Serve, kind: str) -> None:
    reply, error_class, message = NO_STREAMS[kind]
    reading = await api.read(serve(reply))
    assert type(reading.error) is error_class
    assert message in str(reading.error)
    kept(reading, "")


async def test_a_whole_completion_in_place_of_a_stream(api: API, serve: Serve) -> None:
    reading = await api.read(serve(whole(completion("Hello"))))
    assert reading.error is None
    assert reading.stream.state == "completed"
    assert reading.texts == ["Hello"]
    assert reading.stream.common_usage.output_tokens == 102
    assert reading.stream.finish_reasons == ["stop"]


async def test_a_body_that_can_not_be_decompressed(api: API, serve: Serve) -> None:
    server = serve(streamed(b"no gzip at all", headers={"content-encoding": "gzip"}))
    reading = await api.read(server)
    assert type(reading.error) is StreamDecodeError
    assert reading.error.__cause__ is not None


async def test_a_compressed_body(api: API, serve: Serve) -> None:
    packed = gzip.compress(b"".join(answer("Hel", "lo")))
    server = serve(streamed(packed[:40], packed[40:], headers={"content-encoding": "gzip"}))
    reading = await api.read(server)
    assert reading.error is None
    assert reading.texts == ["Hel", "lo"]


@pytest.mark.parametrize("end", ["reset", "hangup", "finish only", "done only"])
async def test_the_protocols_own_end_counts_however_the_body_ends(
    api: API, serve: Serve, end: str
) -> None:
    finish = chunk(finish="stop", usage=USAGE)
    steps: list[Any] = {
        "reset": [finish, Pause(0.05), Reset()],
        "hangup": [finish, Hangup()],
        "finish only": [finish],
        "done only": [DONE],
    }[end]
    reading = await api.read(serve(streamed(*BEGUN, *steps)))
    assert reading.error is None
    assert reading.stream.state == "completed"
    assert reading.stream.content == "Hello"


async def test_the_last_event_needs_no_blank_line(api: API, serve: Serve) -> None:
    reading = await api.read(serve(streamed(*BEGUN, chunk(finish="stop").rstrip())))
    assert reading.error is None
    assert reading.stream.finish_reason == "stop"


async def test_events_after_the_end_marker_are_not_read(api: API, serve: Serve) -> None:
    reading = await api.read(serve(streamed(*answer("Hello"), chunk("no more"))))
    assert reading.error is None
    assert reading.stream.content == "Hello"


async def test_no_credentials(openai_api: API) -> None:
    reading = await openai_api.drain(await openai_api.call(openai_api.ask(), "fantasy"))
    assert type(reading.error) is AuthenticationError
    assert "OPENAI_API_KEY" in str(reading.error)
    assert (reading.error.provider, reading.error.model) == ("openai", "gpt-4o")


async def test_no_server(compatible_api: API) -> None:
    api = compatible_api
    reading = await api.drain(await api.call(api.ask(), "fantasy"))
    assert type(reading.error) is UsageError
    assert "OPENAI_BASE_URL" in str(reading.error)


async def test_a_client_of_the_other_kind(api: API, serve: Serve) -> None:
    other = API(api.provider, not api.is_async)
    server = serve(streamed(*answer("Hello")))
    async with other.client(server.url) as client:
        reading = await api.drain(await api.call(api.ask(client=client), "fantasy"))
    assert type(reading.error) is UsageError
    assert "client is" in str(reading.error)
    assert server.requests == []


async def test_a_parameter_that_the_sdk_does_not_have(openai_api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hello")))
    reading = await openai_api.read(server, call_params={"temprature": 1})
    assert type(reading.error) is BadRequestError
    assert "temprature" in str(reading.error)
    assert isinstance(reading.error.__cause__, TypeError)


async def test_many_pings_do_not_end_a_slow_stream(api: API, serve: Serve) -> None:
    pings = [b": ping\n\n", Pause(0.01)] * 20
    reading = await api.read(serve(streamed(*pings, *BEGUN, *pings, chunk(finish="stop"), DONE)))
    assert reading.error is None
    assert reading.texts == ["Hel", "lo"]


CALL_FAULTS: dict[str, tuple[Any, type[APIError]]] = {
    "HTML": (whole(b"<html>", headers={"content-type": "text/html"}), StreamDecodeError),
    "broken JSON": (whole(b'{"choices": ['), StreamDecodeError),
    "no object": (whole(b"[1]"), StreamDecodeError),
    "bad shape": (whole({"choices": ["x"]}), StreamDecodeError),
    "empty": (whole(b""), StreamDecodeError),
    "error with 200": (whole({"error": {"message": "nope", "code": 429}}), RateLimitError),
    "reset": ([Reset()], ProviderConnectionError),
}


@pytest.mark.parametrize("fault", CALL_FAULTS)
async def test_calls_that_are_not_streamed_fail_as_streams_do(
    api: API, serve: Serve, fault: str
) -> None:
    reply, error_class = CALL_FAULTS[fault]
    async with api.connected(serve(reply)) as connection:
        with pytest.raises(APIError) as caught:
            await api.call(api.ask(**connection, stream=False), "fantasy")
    assert type(caught.value) is error_class
    assert (caught.value.provider, caught.value.model) == (api.provider, "gpt-4o")
    assert caught.value.__cause__ is not caught.value


def test_an_error_of_a_stream_can_be_shown(serve: Serve) -> None:
    """The chain of an error has an end, also for tools that walk it."""
    api = API("compatible", False)
    reading = asyncio.run(api.read(serve(streamed(*BEGUN))))
    seen: list[BaseException] = []
    error: BaseException | None = reading.error
    while error is not None:
        assert error not in seen
        seen.append(error)
        error = error.__cause__ or error.__context__
