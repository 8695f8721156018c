"""Error objects of the API, in a response's body or inside a stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from mirascope.core import ErrorDelta, JSONObject

STATUS: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The HTTP status of each type of error (https://docs.anthropic.com/en/api/errors)."""


def is_error(data: JSONObject) -> bool:
    """Whether a JSON object is an error, in its envelope or, as llama.cpp sends it, without."""
    if data.get("type") == "error" or data.get("error"):
        return True
    return "message" in data and str(data.get("type", "")).endswith("_error")


def error_delta(data: JSONObject) -> ErrorDelta:
    """Return what an error object says; `code` is the stable code, or else the type."""
    given: Any = data.get("error") or data
    if not isinstance(given, dict):
        return ErrorDelta(str(given))
    error = cast("JSONObject", given)
    kind = error.get("type")
    message = error.get("message")
    code = _code(error)
    status = STATUS.get(str(kind))
    if status is None and isinstance(code, int) and 400 <= code < 600:
        status = code
    return ErrorDelta(
        message=message if message and isinstance(message, str) else json.dumps(error),
        type=None if kind is None else str(kind),
        code=None if code is None else str(code),
        status=status,
    )


def _code(error: JSONObject) -> Any:
    details = error.get("details")
    if isinstance(details, dict) and (code := cast("JSONObject", details).get("error_code")):
        return code
    code = error.get("code")
    return error.get("type") if code is None else code
