"""Answers in the wire protocols that most servers speak, chosen by the path of a request.

These are bodies as servers send them, for tests: nothing of the library reads them but through a
provider's own decoder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .._recording._format import Recording
from ..json import as_object
from ._records import ReceivedRequest
from ._replies import sse

if TYPE_CHECKING:
    from .conformance import Wire

ToolCalls: TypeAlias = Sequence[tuple[str, str, str]]
"""The ids, names and arguments (as JSON text) of calls."""

_SSE: Final = "text/event-stream"
_INPUT: Final = 12
_OUTPUT: Final = 34
"""The tokens that every answer counts."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A good answer, and the words in which its server says that something is wrong.

    Attributes:
        events: the streamed answer, event by event, framing included.
        whole: the same answer without streaming; empty where there is none.
        text: the event of one more piece of text.
        error: the event of a failure with this message.
        malformed: an event that is not JSON.
        ping: what keeps a connection open and says nothing.
        content_type: of the streamed answer.
        streams: whether it is streamed.
    """

    events: tuple[bytes, ...]
    whole: bytes = b""
    text: Callable[[str], bytes] = field(default=lambda text: sse({"text": text}))
    error: Callable[[str], bytes] = field(default=lambda message: sse(_failure(message)))
    malformed: bytes = b'data: {"cut": [\n\n'
    ping: bytes = b": ping\n\n"
    content_type: str = _SSE
    streams: bool = True

    @property
    def parts(self) -> tuple[bytes, ...]:
        """What is sent, in the pieces at which a fault may come: a whole answer is one event."""
        return self.events if self.streams else (self.whole,)


def answer_to(
    request: ReceivedRequest,
    said: str | Sequence[str] | Recording | Wire,
    calls: ToolCalls = (),
) -> Answer:
    """Return the answer to a request.

    Args:
        request: its path says which protocol it is of, and its body whether to stream.
        said: the text, whole or in pieces; or a recording, or a wire, which is of one protocol.
        calls: the tools that the model calls besides.

    Raises:
        ValueError: a text is asked for in a protocol that is not known.
    """
    body = _body(request)
    streams = bool(body.get("stream")) or ":stream" in request.path
    if isinstance(said, Recording):
        return _recorded(said, streams=streams)
    if not isinstance(said, (str, Sequence)):
        return _of_wire(said, streams=streams)
    pieces = re.findall(r"\s*\S+\s?|\s+", said) if isinstance(said, str) else said
    model = body.get("model") or re.findall(r"models/([^:/]+)", request.path)
    for part, spoken in _PROTOCOLS.items():
        if part in request.path:
            name = model if isinstance(model, str) else (model or ["model"])[0]
            return spoken(name, pieces, calls, streams)
    known = ", ".join(_PROTOCOLS)
    raise ValueError(
        f"no protocol is known for {request.path!r} (known are {known}): give a Wire or a Recording"
    )


def _body(request: ReceivedRequest) -> dict[str, Any]:
    try:
        return as_object(request.json)
    except ValueError:
        return {}


def _recorded(recording: Recording, *, streams: bool) -> Answer:
    body = recording.body
    blank = b"\r\n\r\n" if b"\r\n\r\n" in body else b"\n\n"
    separator, kind = (blank, _SSE) if blank in body else (b"\n", "application/x-ndjson")
    events = tuple(part + separator for part in body.split(separator) if part.strip())
    return Answer(events=events, whole=body, content_type=kind, streams=streams)


def _of_wire(wire: Wire, *, streams: bool) -> Answer:
    return Answer(
        events=wire.text,
        whole=wire.whole,
        text=lambda text: wire.text[0],
        error=lambda message: wire.keyed(wire.error, message),
        malformed=wire.malformed,
        ping=wire.keep_alive,
        content_type=wire.content_type,
        streams=streams or not wire.whole,
    )


def _failure(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "server_error", "code": "overloaded"}}


# Chat completions


def _chat(model: str, pieces: Sequence[str], calls: ToolCalls, streams: bool) -> Answer:
    def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return sse({**head("chat.completion.chunk"), "choices": [choice]})

    def head(kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 1_700_000_000, "model": model}

    called = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in calls
    ]
    usage = {
        "prompt_tokens": _INPUT,
        "completion_tokens": _OUTPUT,
        "total_tokens": _INPUT + _OUTPUT,
    }
    finish = "tool_calls" if calls else "stop"
    message: dict[str, Any] = {"role": "assistant", "content": "".join(pieces) or None}
    message |= {"tool_calls": called} if calls else {}
    choice = {"index": 0, "message": {**message, "refusal": None}, "finish_reason": finish}
    return Answer(
        events=(
            event({"role": "assistant", "content": ""}),
            *(event({"content": piece}) for piece in pieces),
            *(event({"tool_calls": [{"index": i, **call}]}) for i, call in enumerate(called)),
            event({}, finish),
            sse({**head("chat.completion.chunk"), "choices": [], "usage": usage}),
            b"data: [DONE]\n\n",
        ),
        whole=_json({**head("chat.completion"), "choices": [choice], "usage": usage}),
        text=lambda text: event({"content": text}),
        malformed=b'data: {"choices": [\n\n',
        streams=streams,
    )


# The Responses API


def _responses(model: str, pieces: Sequence[str], calls: ToolCalls, streams: bool) -> Answer:
    counter = iter(range(1_000_000_000))

    def event(kind: str, **fields: Any) -> bytes:
        name = f"response.{kind}" if kind != "error" else kind
        return sse({"type": name, "sequence_number": next(counter), **fields}, name)

    def delta(text: str) -> bytes:
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        return event("output_text.delta", **place, delta=text, logprobs=[])

    part: dict[str, Any] = {"type": "output_text", "text": "".join(pieces), "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    items: list[dict[str, Any]] = [{**message, "content": [part]}] if pieces else []
    items += (
        {
            "type": "function_call",
            "id": f"fc_{call_id}",
            "call_id": call_id,
            "name": name,
            "arguments": arguments,
            "status": "completed",
        }
        for call_id, name, arguments in calls
    )
    response: dict[str, Any] = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "model": model,
        "status": "in_progress",
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": [],
    }
    usage = {
        "input_tokens": _INPUT,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": _OUTPUT,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": _INPUT + _OUTPUT,
    }
    completed = {**response, "status": "completed", "output": items, "usage": usage}
    return Answer(
        events=(
            event("created", response=response),
            *map(delta, pieces),
            *(
                event("output_item.done", output_index=index, item=item)
                for index, item in enumerate(items)
            ),
            event("completed", response=completed),
        ),
        whole=_json(completed),
        text=delta,
        error=lambda text: event("error", code="server_error", message=text, param=None),
        malformed=b'data: {"type": "response.\n\n',
        streams=streams,
    )


# Messages


def _messages(model: str, pieces: Sequence[str], calls: ToolCalls, streams: bool) -> Answer:
    def event(kind: str, **fields: Any) -> bytes:
        return sse({"type": kind, **fields}, kind)

    def delta(index: int, kind: str, **fields: Any) -> bytes:
        return event("content_block_delta", index=index, delta={"type": kind, **fields})

    def text(piece: str) -> bytes:
        return delta(0, "text_delta", text=piece)

    events: list[bytes] = []
    blocks: list[dict[str, Any]] = []
    if pieces:
        blocks.append({"type": "text", "text": "".join(pieces)})
        empty = {"type": "text", "text": ""}
        events += [event("content_block_start", index=0, content_block=empty), *map(text, pieces)]
        events.append(event("content_block_stop", index=0))
    for index, (call_id, name, arguments) in enumerate(calls, len(blocks)):
        block: dict[str, Any] = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        blocks.append({**block, "input": json.loads(arguments)})
        events += [
            event("content_block_start", index=index, content_block=block),
            delta(index, "input_json_delta", partial_json=arguments),
            event("content_block_stop", index=index),
        ]
    stop = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
    usage = {"input_tokens": _INPUT, "output_tokens": _OUTPUT}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model}
    begun: dict[str, Any] = {
        **message,
        "content": [],
        "stop_reason": None,
        "usage": {**usage, "output_tokens": 1},
    }
    failure = {"type": "overloaded_error"}
    return Answer(
        events=(
            event("message_start", message=begun),
            *events,
            event("message_delta", delta=stop, usage={"output_tokens": _OUTPUT}),
            event("message_stop"),
        ),
        whole=_json({**message, "content": blocks, **stop, "usage": usage}),
        text=text,
        error=lambda text: event("error", error={**failure, "message": text}),
        malformed=b'event: content_block_delta\ndata: {"type": \n\n',
        ping=event("ping"),
        streams=streams,
    )


# Gemini's protocol


def _generate(model: str, pieces: Sequence[str], calls: ToolCalls, streams: bool) -> Answer:
    def response(parts: Sequence[dict[str, Any]], **candidate: Any) -> dict[str, Any]:
        content = {"role": "model", "parts": list(parts)}
        candidates = [{"content": content, "index": 0, **candidate}]
        return {"candidates": candidates, "modelVersion": model, "responseId": "r-1"}

    def text(piece: str) -> bytes:
        return sse(response([{"text": piece}]))

    called: list[dict[str, Any]] = [
        {"functionCall": {"id": call_id, "name": name, "args": json.loads(arguments)}}
        for call_id, name, arguments in calls
    ]
    usage = {
        "promptTokenCount": _INPUT,
        "candidatesTokenCount": _OUTPUT,
        "totalTokenCount": _INPUT + _OUTPUT,
    }
    said: list[dict[str, Any]] = [{"text": "".join(pieces)}] if pieces else []
    last = {**response(called or [{"text": ""}], finishReason="STOP"), "usageMetadata": usage}
    return Answer(
        events=(*map(text, pieces), sse(last)),
        whole=_json(
            {**response(said + called, finishReason="STOP"), "usageMetadata": usage},
        ),
        text=text,
        error=lambda message: sse(
            {"error": {"code": 503, "message": message, "status": "UNAVAILABLE"}}
        ),
        malformed=b'data: {"candidates": [\n\n',
        streams=streams,
    )


def _json(data: dict[str, Any]) -> bytes:
    return json.dumps(data).encode()


_PROTOCOLS: Final[dict[str, Callable[[str, Sequence[str], ToolCalls, bool], Answer]]] = {
    "/chat/completions": _chat,
    "/responses": _responses,
    "/messages": _messages,
    "enerateContent": _generate,
}
"""The protocols, by a part of the paths of their requests."""
