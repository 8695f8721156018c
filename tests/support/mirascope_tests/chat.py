"""Bodies of chat completions, as OpenAI and those who speak like it send them."""

from __future__ import annotations

from typing import Any

from mirascope.core.testing import sse

DONE = b"data: [DONE]\n\n"


def chunk(content: str | None = None, **more: Any) -> bytes:
    """The event of one chat-completion chunk.

    `finish=` and `usage=` say the end; `choices=` replaces the one choice; what else is given is
    put into the delta.
    """
    finish, usage = more.pop("finish", None), more.pop("usage", None)
    index = more.pop("choice", 0)
    delta = {**({} if content is None else {"content": content}), **more}
    choices = more.pop("choices", None)
    if choices is None:
        choices = [{"index": index, "delta": delta, "finish_reason": finish}]
    data: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "gpt-4o-2024-08-06",
        "choices": choices,
    }
    if usage is not None:
        data["usage"] = usage
    return sse(data)


USAGE = {"prompt_tokens": 12, "completion_tokens": 102, "total_tokens": 114}


def answer(*texts: str, usage: dict[str, Any] | None = USAGE) -> list[bytes]:
    """The events of a whole, ordinary answer."""
    events = [chunk("", role="assistant"), *map(chunk, texts), chunk(finish="stop")]
    if usage is not None:
        events.append(chunk(choices=[], usage=usage))
    return [*events, DONE]


def completion(content: str | None = "Hi", **message: Any) -> dict[str, Any]:
    """A chat completion that was not streamed."""
    finish = message.pop("finish", "stop")
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "logprobs": None,
                "message": {"role": "assistant", "content": content, "refusal": None, **message},
            }
        ],
        "usage": USAGE,
    }
