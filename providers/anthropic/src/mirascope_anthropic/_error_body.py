"""Error objects of the API, in a response's body or inside a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mirascope.core import ErrorDelta, JSONObject
from mirascope.core.json import as_object

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
    error: Any = data.get("error") or data
    fields = as_object(error)
    kind = str(fields.get("type"))
    code = as_object(fields.get("details")).get("error_code")
    if not code and fields.get("code") is None:
        code = fields.get("type")
    return ErrorDelta.from_object(error, code=str(code) if code else None, status=STATUS.get(kind))
