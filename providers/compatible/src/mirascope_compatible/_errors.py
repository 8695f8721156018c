"""HTTP errors of compatible servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mirascope.core import APIError, ErrorDelta, error_from_status
from mirascope.core.json import as_list, as_object
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
    # Google's compatible endpoint wraps the object in an array.
    data = as_object(next(iter(as_list(data)), data))
    for delta in ChatDecoder().decode_stray(data) or ():
        if isinstance(delta, ErrorDelta):
            message, code = delta.message, delta.code
    return error_from_status(status, message or "no message", headers=headers, code=code, **facts)
