"""The SDK's errors as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import openai
from mirascope.core import (
    APIError,
    AuthenticationError,
    ErrorDelta,
    StreamDecodeError,
    StreamProviderError,
    error_from_status,
)
from mirascope.core.json import as_list
from mirascope_compatible import ChatDecoder


def map_error(error: Exception) -> APIError | None:
    """Return our error for one of the SDK's, or None for timeouts and connections."""
    if isinstance(error, openai.APIStatusError):
        return error_from_status(
            error.status_code,
            _message(error.body) or error.message,
            headers=error.response.headers,
            code=error.code,
        )
    if isinstance(error, openai.APIConnectionError):
        return None
    if isinstance(error, openai.APIResponseValidationError):
        return StreamDecodeError(error.message, status=error.status_code)
    if isinstance(error, openai.APIError):
        # Only the SDK's own loop raises it: for an error object inside a stream.
        return StreamProviderError(error.message, type=error.type, code=error.code)
    if isinstance(error, openai.OpenAIError):
        return AuthenticationError(
            f"no credentials: set OPENAI_API_KEY, or give client=OpenAI(api_key=…) ({error})"
        )
    return None


def _message(body: object) -> str | None:
    """Return the message of an error body; the SDK has already taken off an outer `error`."""
    # Google's compatible endpoint wraps the object in an array.
    body = next(iter(as_list(body)), body)
    if not isinstance(body, Mapping):
        return body if isinstance(body, str) else None
    data = cast("Mapping[str, Any]", body)
    for delta in ChatDecoder().decode_stray(dict(data)) or ():
        return delta.message if isinstance(delta, ErrorDelta) else None
    return None
