"""A replayed recording as a JSON object: its ending, its answer, its usage."""

from __future__ import annotations

from typing import Any

from mirascope.core import APIError, BaseStream, StructuredStream

from ._json import parse_json


def record(stream: BaseStream[Any]) -> dict[str, Any]:
    """Return a stream that has ended as the fields that `mirascope replay` prints."""
    answer = stream.answer
    usage = stream.common_usage
    return {
        "state": str(stream.state),
        "error": None if stream.error is None else describe_error(stream.error),
        "text": answer.text,
        "thinking": answer.thinking,
        "refusal": answer.refusal,
        "tool_calls": [
            {"id": block.id, "name": block.name, "arguments": _parsed(block.text)}
            for block in answer.tool_calls
        ],
        "finish_reason": answer.finish_reason,
        "finish_reasons": answer.finish_reasons,
        "usage": answer.usage,
        "common_usage": None if usage is None else usage.to_dict(),
        "cost": stream.cost,
        "model": answer.model,
        "id": answer.id,
        "n_events": stream.event_count,
    }


def value_record(stream: StructuredStream[Any], text: str) -> dict[str, Any]:
    """Return what there is to tell of a value besides: itself, and what is wrong with it.

    Args:
        stream: the stream, which has ended.
        text: the value's own JSON.
    """
    error = stream.error
    return {
        "error": None if error is None else describe_error(error),
        "value": _parsed(text) if error is None else None,
    }


def failure_record(error: Exception) -> dict[str, Any]:
    """Return the same fields for a file that could not be replayed at all."""
    return {
        "state": "failed",
        "error": describe_error(error),
        "text": "",
        "thinking": "",
        "refusal": None,
        "tool_calls": [],
        "finish_reason": None,
        "finish_reasons": [],
        "usage": None,
        "common_usage": None,
        "cost": None,
        "model": None,
        "id": None,
        "n_events": 0,
    }


def describe_error(error: Exception) -> dict[str, str]:
    """Return the class and the message of an error."""
    if isinstance(error, APIError):
        message = error.message
    elif isinstance(error, OSError) and error.strerror:
        message = error.strerror
    else:
        message = str(error)
    return {"type": type(error).__name__, "message": message}


def _parsed(text: str) -> Any:
    """Return what a JSON text says, or the text itself where it is not valid JSON."""
    try:
        return parse_json(text)
    except ValueError:
        return text
