"""HTTP errors of compatible servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mirascope.core import APIError, error_from_status
from pydantic_core import from_json

from ._decode import ChatDecoder

_SHOWN = 300


def status_error(status: int, body: bytes, headers: Mapping[str, str], **facts: Any) -> APIError:
    """Return the error for an HTTP status and its body.

    Args:
        status: the HTTP status.
        body: the response's body, JSON or not.
        headers: the response's headers.
        **facts: what else is known of the call, as in `APIError`.
    """
    code: str | None = None
    message = " ".join(body[: _SHOWN * 4].decode("utf-8", "replace").split())[:_SHOWN]
    try:
        data: Any = from_json(body)
    except ValueError:
        data = None
    if isinstance(data, list) and data:
        # Google's compatible endpoint wraps the object in an array.
        data = cast("list[Any]", data)[0]
    if isinstance(data, dict):
        for delta in ChatDecoder().decode_stray(cast("dict[str, Any]", data)) or ():
            message = getattr(delta, "message", message)
            code = getattr(delta, "code", code)
    return error_from_status(status, message or "no message", headers=headers, code=code, **facts)
