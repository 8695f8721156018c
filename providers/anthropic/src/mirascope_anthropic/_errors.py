"""The SDK's errors as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import anthropic
from mirascope.core import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ErrorDelta,
    StreamProviderError,
    error_from_status,
)

from ._error_body import error_delta

_NO_CREDENTIALS = "no credentials: set ANTHROPIC_API_KEY, or give client=Anthropic(api_key=…)"


def map_error(error: Exception) -> APIError | None:
    """Return our error for one of the SDK's, or None for timeouts and connections."""
    if isinstance(error, anthropic.APIStatusError):
        return _status_error(error)
    if isinstance(error, (anthropic.APIConnectionError, anthropic.APIResponseValidationError)):
        return None
    if isinstance(error, anthropic.AnthropicError):
        return AuthenticationError(f"{_NO_CREDENTIALS} ({error})")
    # The SDK has no classes of its own for these two, which it raises before anything is sent.
    if isinstance(error, TypeError) and "authentication method" in str(error):
        return AuthenticationError(_NO_CREDENTIALS)
    if isinstance(error, ValueError) and "Streaming is required" in str(error):
        return BadRequestError(f"{error}; write stream=True, or lower max_tokens")
    return None


def _status_error(error: anthropic.APIStatusError) -> APIError:
    response = error.response
    said = _said(error.body) or ErrorDelta(error.message)
    message = said.message
    if response.status_code < 300:
        # Only the SDK's own loop raises it: for an error event inside a stream.
        return StreamProviderError(message, type=said.type, code=said.code, status=said.status)
    return error_from_status(
        response.status_code,
        message,
        headers=response.headers,
        code=said.code,
        request_id=_request_id(error),
    )


def _said(body: object) -> ErrorDelta | None:
    if isinstance(body, Mapping):
        return error_delta(dict(cast("Mapping[str, Any]", body)))
    return ErrorDelta(body) if isinstance(body, str) and body else None


def _request_id(error: anthropic.APIStatusError) -> str | None:
    body: object = error.body
    if error.request_id is None and isinstance(body, Mapping):
        return cast("Mapping[str, str | None]", body).get("request_id")
    return error.request_id
