"""Failures and keep-alives in a stream that no reference describes.

A server that has sent its 200 can report a failure only inside the stream. The shapes are those of
the server, of the framework below it, or of a gateway in front, whatever protocol it speaks: vLLM
(`object: "error"`), LiteLLM and Databricks (`error_code`, `error_message`), Alibaba (`code` and
`message`), Baidu (`error_msg`), Cloudflare (`errors`), MiniMax (`base_resp`), AWS (`__type`),
FastAPI (`detail`), RFC 9457 (`title` and `detail`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .._types import JSONObject
from ..json import as_list, as_object, as_text
from ._deltas import ErrorDelta

_MESSAGES: Final = ("error_message", "error_msg", "errorMessage", "error_description")
"""Names under which nothing but a failure is told."""
_WORDS: Final = ("message", "msg", "detail", "details", "title")
"""Names under which a failure is told where the event has nothing of an answer."""
_TYPES: Final = ("error_type", "errorType", "type", "__type")
_CODES: Final = ("error_code", "errorCode", "code", "status_code", "statusCode", "status")
_ANSWERS: Final = frozenset(
    {
        *("id", "object", "choices", "usage", "delta", "content", "text", "response", "output"),
        *("candidates", "usageMetadata", "promptFeedback", "responseId", "content_block", "item"),
    }
)
"""Fields of events that are a part of an answer, in any protocol."""
_FINE: Final = frozenset(
    {
        *("", "0", "200", "ok", "success", "succeeded", "completed", "none", "null", "false"),
        *("pending", "queued", "waiting", "running", "processing", "in_progress", "started"),
    }
)
"""Codes and states that are not a failure."""
_PULSES: Final = frozenset(
    {"ping", "pong", "keepalive", "keep_alive", "heartbeat", "heart_beat", "noop", "processing"}
)


def failure_in(data: JSONObject) -> ErrorDelta | None:
    """Return the failure that an event tells, or None.

    It knows the shapes of servers, frameworks and gateways that no protocol has. Ask it for events
    that are not known to be a part of the answer; it never raises.

    Args:
        data: the event's object.
    """
    if error := data.get("error"):
        return _failure({**data, **as_object(error)}, error)
    if errors := as_list(data.get("errors")):
        return _failure(as_object(errors[0]), errors[0])
    state = as_object(data.get("base_resp"))
    if state and not _is_fine(state.get("status_code")):
        return _failure(state, as_text(state.get("status_msg")))
    if message := _text(data, _MESSAGES):
        return _failure(data, message)
    if data.get("object") == "error" or data.get("type") == "error":
        return _failure(data, _text(data, _WORDS))
    if message := _text(data, _WORDS):
        codes = [data[name] for name in _CODES if data.get(name) is not None]
        if codes and all(map(_is_fine, codes)):
            return None
        # With a code of its own it is a failure whatever stands around it; without one, only where
        # nothing of an answer does.
        is_code = any(data.get(name) is not None for name in _CODES[:-1])
        if is_code or not any(data.get(name) for name in _ANSWERS):
            return _failure(data, message)
    return None


def is_keep_alive(word: object) -> bool:
    """Whether an event's name, type or data only says that the connection lives.

    Gateways send comments as data (`data: : keepalive`), and words of their own. Anything that can
    be a part of an answer, or tell a failure, is not one.
    """
    if not isinstance(word, str):
        return False
    word = word.strip()
    if word.startswith(":"):
        return True
    return word.strip("[]\"'.… ").lower().replace("-", "_").replace(" ", "_") in _PULSES


def _failure(fields: Mapping[str, Any], error: object) -> ErrorDelta:
    named = as_object(error)
    names = (*_MESSAGES, *_WORDS)
    message = as_text(error) or _text(named, names) or _text(fields, names)
    said = ErrorDelta.from_object({**named, "message": message} if message else error or fields)
    codes = [fields[name] for name in _CODES if fields.get(name) is not None]
    said.type = said.type or _text(fields, _TYPES)
    if said.type == "error":
        said.type = None
    if said.code is None:
        code = next((fields[n] for n in _CODES[:3] if fields.get(n) is not None), None)
        said.code = None if code is None else str(code)
    if said.status is None:
        said.status = next((n for code in codes if (n := _status(code))), None)
    return said


def _text(fields: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((text for name in names if (text := as_text(fields.get(name)))), None)


def _is_fine(code: object) -> bool:
    return str(code).lower() in _FINE or isinstance(code, (dict, list))


def _status(code: object) -> int | None:
    """Return an HTTP status, which some servers send as text."""
    number = int(code) if isinstance(code, str) and code.isascii() and code.isdigit() else code
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    return number if 400 <= number < 600 else None
