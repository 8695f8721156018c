"""Bodies of the Messages API, event by event."""

from __future__ import annotations

from typing import Any

from mirascope.core.testing import sse


def event(data: Any, name: str | None = "") -> bytes:
    """A server-sent event; its name is the data's type unless one is given, None for no name."""
    return sse(data, data["type"] if name == "" else name)


def message_start(usage: Any = None, **fields: Any) -> bytes:
    """The event that begins a message."""
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude-sonnet-5",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage or {"input_tokens": 12, "output_tokens": 1},
        **fields,
    }
    return event({"type": "message_start", "message": message})


def start(index: int, **block: Any) -> bytes:
    """The event that begins a content block."""
    return event({"type": "content_block_start", "index": index, "content_block": block})


def delta(index: int, **delta: Any) -> bytes:
    """The event that goes on with a content block."""
    return event({"type": "content_block_delta", "index": index, "delta": delta})


def text(index: int, *texts: str) -> bytes:
    """The events of a whole text block."""
    pieces = [delta(index, type="text_delta", text=piece) for piece in texts]
    return b"".join([start(index, type="text", text=""), *pieces, stop(index)])


def stop(index: int) -> bytes:
    """The event that ends a content block."""
    return event({"type": "content_block_stop", "index": index})


def message_delta(reason: str | None = "end_turn", usage: Any = None, **delta: Any) -> bytes:
    """The event that says why the message ends, and its usage."""
    return event(
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None, **delta},
            "usage": usage or {"output_tokens": 102},
        }
    )


MESSAGE_STOP = event({"type": "message_stop"})
PING = event({"type": "ping"})


def answer(*blocks: bytes, reason: str = "end_turn", usage: Any = None) -> list[bytes]:
    """The events of a whole message."""
    return [message_start(), *blocks, message_delta(reason, usage), MESSAGE_STOP]
