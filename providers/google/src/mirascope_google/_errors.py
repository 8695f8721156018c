"""The SDK's errors as ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from traceback import walk_tb
from typing import Any, Final, cast

from google.auth.exceptions import GoogleAuthError
from google.genai.errors import APIError as GoogleAPIError
from mirascope.core import (
    APIError,
    AuthenticationError,
    BadRequestError,
    JSONObject,
    MirascopeError,
    StreamDecodeError,
    StreamProviderError,
    UsageError,
    error_from_status,
)
from mirascope.core.json import as_object, as_objects
from pydantic import ValidationError

_NO_CREDENTIALS: Final = re.compile(r"No API key|API key must be")
"""What the SDK's `ValueError` says where there is nothing to authenticate with."""

_READS_RESPONSES: Final = (GoogleAPIError.__module__, "google.genai._api_client")
"""The SDK's modules that read what the server sent; arguments are looked at in others."""


def map_error(error: Exception) -> APIError | None:
    """Return our error for one of the SDK's before the response, or None to let core say."""
    if isinstance(error, GoogleAPIError):
        return _status_error(error)
    if isinstance(error, GoogleAuthError):
        return AuthenticationError(f"no credentials for Vertex AI: {error}")
    if isinstance(error, ValidationError):
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        return BadRequestError(f"the SDK refuses the request: {problems}")
    return _unread_error(error)


def _unread_error(error: Exception) -> APIError | None:
    """Return our error where the SDK could not read the server's, which it believes is Google's."""
    if not isinstance(error, (AttributeError, LookupError, TypeError)):
        return None
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    if not frames or frames[-1].f_globals.get("__name__") not in _READS_RESPONSES:
        return None
    return StreamDecodeError(f"the SDK can't read the error that the server sent: {error}")


def map_stream_error(error: Exception) -> APIError | None:
    """Return our error for an error that the provider sent inside a response."""
    if not isinstance(error, GoogleAPIError):
        return _unread_error(error)
    return StreamProviderError(
        _message(error),
        type=error.status,
        code=error.status,
        status=error.code or None,
    )


def client_error(error: ValueError) -> MirascopeError:
    """Return our error for a client that could not be made."""
    if _NO_CREDENTIALS.search(str(error)):
        return AuthenticationError(
            "no credentials: set GEMINI_API_KEY or GOOGLE_API_KEY, give api_key=…, or give "
            f"client=genai.Client(…) ({error})"
        )
    return UsageError(f"the client can't be made: {error}")


def _status_error(error: GoogleAPIError) -> APIError:
    message = _message(error)
    headers = _headers(error)
    # A key that is not valid is a 400 here, with this reason.
    if any(detail.get("reason") == "API_KEY_INVALID" for detail in _details(error)):
        return AuthenticationError(message, status=error.code, code=error.status)
    if (delay := _retry_delay(error)) is not None:
        headers = {"retry-after": delay, **headers}
    return error_from_status(error.code or 500, message, headers=headers, code=error.status)


def _message(error: GoogleAPIError) -> str:
    # The SDK's annotation promises a text, and hands on whatever the server sent.
    message: object = error.message
    return message if isinstance(message, str) and message else str(error)


def _headers(error: GoogleAPIError) -> Mapping[str, str]:
    headers: Any = getattr(cast("Any", error).response, "headers", None)
    return headers if headers is not None else {}


def _details(error: GoogleAPIError) -> list[JSONObject]:
    """Return the details of the error (google.rpc.Status)."""
    body = as_object(cast("Any", error).details)
    return as_objects(as_object(body.get("error", body)).get("details"))


def _retry_delay(error: GoogleAPIError) -> str | None:
    """Return the seconds of a google.rpc.RetryInfo, such as `"34.5s"`, as a header has them."""
    delays = (detail.get("retryDelay") for detail in _details(error))
    return next((delay.removesuffix("s") for delay in delays if isinstance(delay, str)), None)
