"""What a provider's server sends: the one thing that the conformance kit has to be told."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from ..._recording._format import Recording
from .._replies import sse

KEY_PLACE: Final = "%KEY%"
"""Stands in a body for the call's key, which a server echoes."""

_CALLS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("get_weather", {"city": "Oslo"}),
    ("get_time", {"zone": "Europe/Oslo"}),
    ("ping", {}),
)


@dataclass(frozen=True, kw_only=True)
class Wire:
    """The bodies of one protocol, event by event.

    Attributes:
        text: the events of a streamed answer, each as the server sends it, framing included. It
            says `content`, has usage where the protocol has any, and ends well.
        end: the index in `text` of the event with which the answer is complete; the last one by
            default. Of chat completions it is the one with the finish reason.
        content: the text that `text` and `whole` say.
        thinking: the reasoning that they say besides.
        usage: tokens in, out and cached, of `text` and `whole`, with the cached ones in the first;
            None where the protocol counts nothing.
        tools: the events of an answer with tool calls: `calls`, interleaved if the protocol can.
            Without any, nothing is checked of tools.
        calls: the names and arguments of the calls in `tools` and `whole_tools`, in their order:
            of the tools `get_weather(city)`, `get_time(zone)` and `ping()`.
        calls_end: whether the protocol says of each call when it is complete, before the answer's
            end.
        error: an event that tells a failure, with `%KEY%` in its text.
        malformed: an event that can't be read.
        unknown: an event of a kind that does not exist yet.
        keep_alive: what the server sends to keep a connection open.
        no_usage: `text` without usage.
        whole: the body of the same answer without streaming; empty where the API has none.
        whole_tools: the same of `tools`.
        refused: the body of an HTTP error, with `%KEY%` in its text.
        content_type: of streamed answers.
        lines_end: what lines end with, as `text` has it; None for a protocol without lines.
        sentinel: an end marker that is data of another kind, such as `data: [DONE]`.
        sentinel_ends: whether the sentinel alone is a whole answer.
        finish_words: more of the server's finish reasons, and what each one means.
        thinking_goes_back: whether reasoning is part of the message that goes back.
    """

    text: tuple[bytes, ...]
    end: int = -1
    content: str = "Hello, world"
    thinking: str = ""
    usage: tuple[int, int, int] | None = None
    tools: tuple[bytes, ...] = ()
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = _CALLS
    calls_end: bool = False
    error: bytes = b""
    malformed: bytes = b""
    unknown: bytes = b""
    keep_alive: bytes = b""
    no_usage: tuple[bytes, ...] = ()
    whole: bytes = b""
    whole_tools: bytes = b""
    refused: bytes = b'{"error": {"message": "the key %KEY% is wrong"}}'
    content_type: str = "text/event-stream"
    lines_end: bytes | None = b"\n"
    sentinel: bytes = b""
    sentinel_ends: bool = False
    finish_words: Mapping[str, str] = field(default_factory=dict[str, str])
    thinking_goes_back: bool = False

    @property
    def complete_at(self) -> int:
        """The index of the event with which the answer is complete."""
        return self.end % len(self.text)

    def keyed(self, body: bytes, key: str) -> bytes:
        """Return a body that echoes a key."""
        return body.replace(KEY_PLACE.encode(), key.encode())

    def replace(self, **changes: Any) -> Self:
        """Return a wire that differs in some fields."""
        return replace(self, **changes)

    @classmethod
    def chat(
        cls,
        *,
        usage: Mapping[str, Any] | None = None,
        tokens: tuple[int, int, int] | None = None,
        reasoning_field: str | None = None,
        model: str = "model-1",
        **changes: Any,
    ) -> Self:
        """Return the wire of a server that speaks chat completions.

        Args:
            usage: its usage object; that of OpenAI by default.
            tokens: what the usage means: tokens in, out and cached.
            reasoning_field: the field of a delta that holds reasoning, such as
                `"reasoning_content"`.
            model: the model's name in responses.
            **changes: other fields of the wire.
        """
        sent = dict(usage) if usage is not None else _CHAT_USAGE
        if usage is None:
            tokens = tokens or (30, 20, 10)

        def event(delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            return sse({**head("chat.completion.chunk"), "choices": [choice], **more})

        def head(kind: str) -> dict[str, Any]:
            return {"id": "r-1", "object": kind, "created": 1_700_000_000, "model": model}

        def piece(index: int, name: str | None, arguments: str) -> dict[str, Any]:
            function: dict[str, Any] = {"arguments": arguments}
            start = {"id": f"call_{index}", "type": "function"} if name else {}
            if name:
                function["name"] = name
            return {"index": index, **start, "function": function}

        done = b"data: [DONE]\n\n"
        thoughts = ("Let me ", "think.") if reasoning_field else ()
        texts = [event({reasoning_field or "": part}) for part in thoughts]
        texts += [event({"content": "Hello"})]
        texts += [event({"content": ", world"}), event({}, "stop")]
        message = {"role": "assistant", "content": "Hello, world"}
        if reasoning_field:
            message[reasoning_field] = "Let me think."
        calls = [
            {
                "id": f"call_{index}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for index, (name, arguments) in enumerate(_CALLS)
        ]
        counted = sse({**head("chat.completion.chunk"), "choices": [], "usage": sent})

        def completion(message: Mapping[str, Any], finish: str) -> bytes:
            choice = {"index": 0, "message": message, "finish_reason": finish}
            whole = {**head("chat.completion"), "choices": [choice], "usage": sent}
            return json.dumps(whole).encode()

        made = cls(
            text=(event({"role": "assistant", "content": ""}), *texts, counted, done),
            end=len(texts),
            thinking="Let me think." if reasoning_field else "",
            usage=tokens,
            tools=(
                event({"role": "assistant", "content": None}),
                event({"tool_calls": [piece(0, "get_weather", "")]}),
                event({"tool_calls": [piece(1, "get_time", '{"zone": ')]}),
                event({"tool_calls": [piece(0, None, '{"city": "Oslo"}')]}),
                event({"tool_calls": [piece(1, None, '"Europe/Oslo"}')]}),
                event({"tool_calls": [piece(2, "ping", "")]}),
                event({}, "tool_calls"),
                counted,
                done,
            ),
            error=sse({"error": {"message": "overloaded, %KEY%", "type": "server_error"}}),
            malformed=b'data: {"choices": [\n\n',
            unknown=sse({"object": "chat.completion.novelty", "novelty": {"x": 1}}),
            keep_alive=b": keep-alive\n\n",
            no_usage=(event({"role": "assistant", "content": ""}), *texts, done),
            whole=completion(message, "stop"),
            whole_tools=completion(
                {"role": "assistant", "content": None, "tool_calls": calls}, "tool_calls"
            ),
            sentinel=done,
            sentinel_ends=True,
            finish_words={word: word for word in ("length", "tool_calls", "content_filter")},
        )
        return replace(made, **changes)

    @classmethod
    def cassettes(cls, directory: str | os.PathLike[str], **fields: Any) -> Self:
        """Return the wire that recordings hold.

        The directory has `text.jsonl`, and `tools.jsonl`, `error.jsonl` and `whole.json` where
        there are such answers: recordings (`record=`) or bare bodies.

        Args:
            directory: where they are.
            **fields: what no recording tells: `content`, `usage`, `calls`, `end`, …
        """
        place = Path(directory)
        found: dict[str, Any] = {}
        for name in ("text", "tools", "error"):
            path = place / f"{name}.jsonl"
            if path.exists():
                found[name] = split_events(Recording.read(path).body)
        if "error" in found:
            found["error"] = b"".join(found["error"])
        if (path := place / "whole.json").exists():
            found["whole"] = path.read_bytes()
        return cls(**{**found, **fields})


_CHAT_USAGE: Final[dict[str, Any]] = {
    "prompt_tokens": 30,
    "completion_tokens": 20,
    "total_tokens": 50,
    "prompt_tokens_details": {"cached_tokens": 10},
}


def split_events(body: bytes) -> tuple[bytes, ...]:
    """Cut a body into its events: server-sent events at blank lines, anything else into lines."""
    blank = b"\r\n\r\n" if b"\r\n\r\n" in body else b"\n\n"
    separator = blank if blank in body else b"\n"
    parts: Sequence[bytes] = body.split(separator)
    return tuple(part + separator for part in parts if part.strip())
