"""HTTP errors of compatible servers, recorded and made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import (
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    ProviderServerError,
    RateLimitError,
)
from mirascope_compatible import status_error
from mirascope_tests.shared import CORPUS, each

RECORDED = [
    path
    for path in sorted(CORPUS.glob("http-error/*.json"))
    if any(name in path.name for name in ("openai", "mistral", "llamacpp", "venice", "doubleword"))
]


@pytest.mark.parametrize(
    ("status", "body", "message", "code"),
    [
        (401, {"error": {"message": "m", "code": "invalid_api_key"}}, "m", "invalid_api_key"),
        (404, {"error": {"message": "m", "code": 404}}, "m", "404"),
        (404, {"detail": "Not Found"}, "Not Found", None),
        (400, {"message": "m", "type": "t"}, "m", None),
        (400, [{"error": {"message": "m"}}], "m", None),
        (500, "plain", '"plain"', None),
    ],
)
def test_bodies(status: int, body: Any, message: str, code: str | None) -> None:
    error = status_error(status, json.dumps(body).encode(), {})
    assert (error.message, error.code, error.status) == (message, code, status)


def test_bodies_that_are_no_json() -> None:
    html = b"<html>\n <h1>502   Bad Gateway</h1>" + b" " * 99 + b"x" * 5000
    error = status_error(502, html, {})
    assert type(error) is ProviderServerError
    assert error.message.startswith("<html> <h1>502 Bad Gateway</h1> xxx")
    assert len(error.message) <= 300
    assert status_error(503, b"", {}).message == "no message"
    assert status_error(500, b"\xff", {}).message == "\ufffd"


def test_headers() -> None:
    error = status_error(
        429, b"", {"retry-after": "2", "x-request-id": "r"}, provider="p", model="m"
    )
    assert isinstance(error, RateLimitError)
    assert (error.retry_after, error.request_id) == (2.0, "r")
    assert str(error) == "p/m: no message (HTTP 429)"


@pytest.mark.parametrize("path", each(RECORDED))
def test_recorded_errors(path: Path) -> None:
    """Whatever a server says, its own words are the message and no JSON is left around them."""
    recorded = json.loads(path.read_text("utf-8"))
    body = recorded.get("body", recorded) if isinstance(recorded, dict) else recorded
    text = body if isinstance(body, str) else json.dumps(body)
    for status in (400, 401, 404):
        error = status_error(status, text.encode(), {})
        assert type(error) in (BadRequestError, AuthenticationError, NotFoundError)
        assert error.message
        assert not error.message.startswith(("{", "["))
