"""How what goes wrong at the API arrives."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import anthropic
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
    StreamProviderError,
    StreamState,
    StreamTimeoutError,
)
from mirascope.core.testing import Hold, Pause, streamed, whole
from mirascope_tests.shared import SHARED, needs_shared

from .conftest import KEY, Way
from .messages import PING, event, message_start, text


def error_body(kind: str, message: str = "No.", **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, **more}}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("status", "kind", "error_class", "retryable"),
    [
        (400, "invalid_request_error", BadRequestError, False),
        (401, "authentication_error", AuthenticationError, False),
        (402, "billing_error", BadRequestError, False),
        (403, "permission_error", PermissionDeniedError, False),
        (404, "not_found_error", NotFoundError, False),
        (413, "request_too_large", BadRequestError, False),
        (429, "rate_limit_error", RateLimitError, True),
        (500, "api_error", ProviderServerError, True),
        (529, "overloaded_error", ProviderServerError, True),
    ],
)
def test_statuses(
    serve: Any,
    way: Way,
    status: int,
    kind: str,
    error_class: type[APIError],
    retryable: bool,
    stream: bool,
) -> None:
    server = serve(
        whole(error_body(kind), status=status, headers={"request-id": "req_1", "retry-after": "3"})
    )
    if stream:
        reading = way.read(server.url)
        error = reading.error
        assert reading.stream.state is StreamState.FAILED
    else:
        with pytest.raises(APIError) as raised:
            way.fetch(server.url)
        error = raised.value
    assert type(error) is error_class
    assert (error.status, error.code, error.message) == (status, kind, "No.")
    assert (error.provider, error.request_id) == ("anthropic", "req_1")
    assert error.retryable is retryable
    assert isinstance(error.__cause__, anthropic.APIStatusError)
    if isinstance(error, RateLimitError):
        assert error.retry_after == 3


def recorded_errors() -> list[tuple[Path, dict[str, Any]]]:
    index = SHARED / "corpus" / "index.jsonl"
    entries = [json.loads(line) for line in index.read_text().splitlines() if '"http-error' in line]
    return [
        (SHARED / "corpus" / entry["file"], entry)
        for entry in entries
        if entry["wire_protocol"] == "anthropic-messages"
    ]


@needs_shared
def test_recorded_errors(serve: Any, way: Way) -> None:
    recorded = recorded_errors()
    assert recorded
    for path, entry in recorded:
        body = path.read_bytes()
        server = serve(whole(body, status=entry["status"]))
        error = way.read(server.url).error
        said = json.loads(body)
        assert type(error) is NotFoundError
        assert error.status == entry["status"]
        assert error.message == said["error"]["message"]
        assert error.code == "not_found_error"
        assert error.request_id == said["request_id"]


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b'{"detail": "?"}', b'["?"]', b'"?"']
)
def test_bodies_that_are_no_error_objects(serve: Any, way: Way, body: bytes) -> None:
    server = serve(whole(body, status=502))
    error = way.read(server.url).error
    assert type(error) is ProviderServerError
    assert error.message


@pytest.mark.parametrize("sdk_iteration", [False, True])
def test_an_error_event(serve: Any, way: Way, sdk_iteration: bool) -> None:
    body = error_body("overloaded_error", "Overloaded")
    server = serve(streamed(message_start(), text(0, "Once"), event(body)))
    reading = way.read(server.url, sdk_iteration=sdk_iteration)
    error = reading.error
    assert type(error) is StreamProviderError
    assert (error.type, error.status, error.message) == ("overloaded_error", 529, "Overloaded")
    assert error.stream is reading.stream
    assert reading.stream.content == "Once"


def test_no_key(way: Way) -> None:
    for error in (
        way.read().error,
        way.read(client=way.client("http://127.0.0.1:9", api_key=None)).error,
    ):
        assert type(error) is AuthenticationError
        assert "ANTHROPIC_API_KEY" in str(error)


@pytest.mark.parametrize("stream", [True, False])
def test_a_key_is_never_shown(serve: Any, way: Way, stream: bool) -> None:
    for key in (KEY, "an-opaque-key"):
        server = serve(whole(error_body("authentication_error", f"bad key: {key}"), status=401))
        client = way.client(server.url, api_key=key)
        if stream:
            reading = way.read(server.url, client=client)
            error: Any = reading.error
            shown = repr(reading.stream)
        else:
            with pytest.raises(AuthenticationError) as raised:
                way.fetch(server.url, client=client)
            error, shown = raised.value, ""
        assert type(error) is AuthenticationError
        assert key not in f"{error} {error!r} {error.message} {shown}"
        assert "bad key: ***" in error.message


def test_nobody_listens(way: Way) -> None:
    error = way.read("http://127.0.0.1:9").error
    assert type(error) is ProviderConnectionError
    assert isinstance(error.__cause__, anthropic.APIConnectionError)


def test_the_clients_own_timeout(serve: Any, way: Way) -> None:
    server = serve(streamed(message_start(), Hold()))
    error = way.read(server.url, client=way.client(server.url, timeout=0.3)).error
    assert type(error) is StreamTimeoutError
    server = serve(streamed(Hold()))
    error = way.read(server.url, client=way.client(server.url, timeout=0.3)).error
    assert isinstance(error, (ProviderTimeoutError, StreamTimeoutError))


def test_pings_are_no_progress(serve: Any, way: Way) -> None:
    server = serve(streamed(message_start(), *[PING, Pause(0.02)] * 100))
    start = time.monotonic()
    reading = way.read(server.url, timeout={"idle": 0.4})
    assert type(reading.error) is StreamTimeoutError
    assert time.monotonic() - start < 1.9
    assert reading.stream.state is StreamState.TIMED_OUT


def test_a_parameter_that_is_refused(serve: Any, way: Way) -> None:
    server = serve(whole(error_body("invalid_request_error", "colour: Extra inputs"), status=400))
    error = way.read(server.url, colour="red").error
    assert type(error) is BadRequestError
    assert server.requests[0].json["colour"] == "red"


def test_a_long_answer_must_be_streamed(serve: Any, way: Way) -> None:
    server = serve(whole({}))
    with pytest.raises(BadRequestError, match="stream=True"):
        way.fetch(server.url, max_tokens=100_000)
    assert server.requests == []
