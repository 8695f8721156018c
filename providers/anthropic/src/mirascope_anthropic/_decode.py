"""Messages: events to deltas.

The reference is Anthropic's API (https://docs.anthropic.com/en/api/messages-streaming); the rest is
what proxies and other servers of the protocol really send: events without names, a second
`message_start`, blocks that overlap or are never stopped, errors without their envelope.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from mirascope.core import (
    BlockDelta,
    Decoder,
    Delta,
    EndDelta,
    ErrorDelta,
    ExtraDelta,
    FinishDelta,
    JSONObject,
    MetaDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallEnd,
    UsageDelta,
    failure_in,
    is_keep_alive,
)
from mirascope.core.json import as_arguments, as_object, as_text, as_whole_text
from typing_extensions import override

from ._error_body import error_delta, is_error

FACTS: Final[tuple[str, ...]] = ("container", "stop_details", "stop_sequence")
"""Fields besides the stop reason; `Accumulator.facts` keeps each that was sent, as JSON text."""

_STREAMED: Final = {"text": ("text",), "thinking": ("thinking", "signature")}
"""What follows a block's start in deltas, by the block's type."""
_WITHOUT_TEXT: Final = (
    "thinking",
    "redacted_thinking",
    "tool_use",
    "server_tool_use",
    "mcp_tool_use",
)
_FITS: Final[Mapping[Any, str]] = {
    "thinking_delta": "thinking",
    "signature_delta": "thinking",
    "citations_delta": "text",
    "compaction_delta": "compaction",
}
"""The one type of block that a delta goes with."""
_UNANNOUNCED: Final = {"text_delta": "text", "thinking_delta": "thinking"}
"""The block that a delta begins by itself where no `content_block_start` came."""
_KINDS: Final = frozenset(
    {
        *("content_block_start", "content_block_stop"),
        *("message_start", "message_delta", "message_stop"),
    }
)
_CUT: Final = ("max_tokens", "model_context_window_exceeded", "refusal")
"""Stop reasons of an answer that did not come to its own end."""
_KNOWN: Final = frozenset(
    {"id", "type", "role", "model", "content", "usage", "stop_reason", *FACTS}
)
"""The fields of a message that are read; any other is kept as it came."""
_NO_DELTAS: Final[tuple[Delta, ...]] = ()


class AnthropicDecoder(Decoder):
    """Decodes one message, streamed or whole."""

    finish_reason_ends: ClassVar[bool] = False
    text_fields: ClassVar[tuple[str, ...]] = ("text", "thinking", "partial_json")

    def __init__(self) -> None:
        self._begun = False
        self._count = 0
        self._open: dict[Any, _Block] = {}
        # How each call and each result began, by type and id.
        self._begun_with: dict[Any, JSONObject] = {}

    @override
    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
        kind = data.get("type") or event
        if kind == "content_block_delta":
            return self._block_delta(data.get("index"), data["delta"])
        if event == "error" or is_error(data):
            return (error_delta(data),)
        deltas: list[Delta] = []
        if kind not in _KINDS:
            if failure := failure_in(data):
                return (failure,)
            return None if is_keep_alive(kind) or is_keep_alive(event) else deltas
        if kind == "content_block_start":
            self._start(data.get("index"), data["content_block"], deltas)
        elif kind == "content_block_stop":
            self._stop(data.get("index"), deltas)
        elif kind == "message_delta":
            # `context_management` stands beside the delta, and in a whole message among its fields.
            beside = _without(data, "type", "delta", "usage")
            self._finish({**beside, **as_object(data.get("delta"))}, data.get("usage"), deltas)
        elif kind == "message_start":
            self._begin(data.get("message") or {}, deltas)
        elif kind == "message_stop":
            self._stop_all(deltas)
            deltas.append(EndDelta())
        return deltas

    @override
    def on_repeat(self, delta: Delta) -> Callable[[str], object] | None:
        if not isinstance(delta, ToolCallDelta):
            return None
        return next(b.take_input for b in self._open.values() if b.key == delta.key)

    @override
    def decode_stray(self, data: JSONObject) -> Sequence[Delta] | None:
        if is_error(data):
            return (error_delta(data),)
        if data.get("type") == "message":
            # The server ignored `stream` and sent the whole message.
            return self.decode_response(data)
        failure = failure_in(data)
        return None if failure is None else (failure,)

    @override
    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        if is_error(data):
            return (error_delta(data),)
        if data.get("type") != "message" and (failure := failure_in(data)):
            return (failure,)
        deltas: list[Delta] = []
        self._begin(data, deltas)
        self._finish(data, None, deltas)
        # An object that has neither is not an answer, whatever else it says.
        if isinstance(data.get("content"), list) or data.get("stop_reason"):
            deltas.append(EndDelta())
        return deltas

    def _begin(self, message: JSONObject, deltas: list[Delta]) -> None:
        """Take the first `message_start`; proxies repeat it, or splice in another one's."""
        if self._begun:
            return
        self._begun = True
        deltas.append(MetaDelta(id=message.get("id"), model=message.get("model")))
        if usage := as_object(message.get("usage")):
            deltas.append(UsageDelta(usage))
        if not message.keys() <= _KNOWN:
            deltas.append(ExtraDelta(_without(message, *_KNOWN)))
        for index, block in enumerate(message.get("content") or ()):
            self._start(index, block, deltas)
            self._stop(index, deltas)

    def _finish(self, delta: JSONObject, usage: object, deltas: list[Delta]) -> None:
        facts = {name: _compact(delta[name]) for name in FACTS if delta.get(name)}
        if not delta.keys() <= _KNOWN:
            deltas.append(ExtraDelta(_without(delta, *_KNOWN)))
        if facts:
            deltas.append(MetaDelta(facts=facts))
        if explanation := as_text(as_object(delta.get("stop_details")).get("explanation")):
            deltas.append(RefusalDelta(explanation))
        if usage := as_object(usage):
            deltas.append(UsageDelta(usage))
        if reason := delta.get("stop_reason"):
            deltas.append(FinishDelta(str(reason), cut=reason in _CUT))
            if str(reason).lower() == "error":
                # A gateway's word for an answer that broke off; the API has an event for that.
                told = failure_in({"error": delta.get("error")})
                deltas.append(told or ErrorDelta("the server broke off: stop reason 'error'"))

    def _start(self, index: Any, content: JSONObject, deltas: list[Delta]) -> None:
        kind, block_id = content.get("type"), content.get("id") or content.get("tool_use_id")
        is_again = bool(block_id) and self._begun_with.get((kind, block_id)) == content
        known = self._open.get(index)
        if is_again and (kind != "tool_use" or (known is not None and known.begins_with(content))):
            # The same event once more: neither a call nor a result may begin twice.
            return
        # A block that was never stopped is over once another has its number.
        self._stop(index, deltas)
        # Numbered here, not by the wire: two messages in one stream both have a block 0.
        block = self._open[index] = _Block(self._count, content)
        self._count += 1
        if is_again:
            # Of a call that is over, or of one with other arguments: its first piece will tell.
            block.is_started = False
            return
        if block_id:
            self._begun_with[kind, block_id] = content
        block.start(deltas)

    def _stop(self, index: Any, deltas: list[Delta]) -> None:
        block = self._open.pop(index, None)
        if block is not None:
            block.stop(deltas)

    def _stop_all(self, deltas: list[Delta]) -> None:
        """The message is whole, and so is every block: `max_tokens` leaves the last one open."""
        for index in list(self._open):
            self._stop(index, deltas)

    def _block_delta(self, index: Any, delta: JSONObject) -> Sequence[Delta]:
        kind = delta.get("type")
        block = self._open.get(index)
        if block is not None:
            if kind == "text_delta" and block.takes_text:
                text = delta.get("text")
                return (TextDelta(text, block.key),) if text else _NO_DELTAS
            return block.delta(kind, delta)
        deltas: list[Delta] = []
        if name := _UNANNOUNCED.get(str(kind)):
            self._start(index, {"type": name, name: delta.get(name)}, deltas)
        return deltas


class _Block:
    """A content block that has begun and not stopped.

    Fields without which a block can't be sent back (a signature, the input of a server tool) are
    given when the block stops, so that a block that was cut lacks them. A delta that does not fit
    the block's type says nothing, as for the SDK: reasoning must not get into the text.

    Attributes:
        key: the block's number in the stream.
        takes_text: whether text deltas are text of the answer.
        is_started: whether it was announced.
    """

    __slots__ = (
        "_content",
        "_is_call",
        "_parts",
        "_signed",
        "_takes_input",
        "_type",
        "is_started",
        "key",
        "takes_text",
    )

    def __init__(self, key: int, content: JSONObject) -> None:
        self.key = key
        self._content = content
        self._type = content.get("type")
        self._is_call = self._type == "tool_use"
        self._takes_input = "input" in content or str(self._type).endswith("tool_use")
        self.takes_text = self._type not in _WITHOUT_TEXT
        self.is_started = True
        self._parts: list[str] = []
        self._signed = False

    def begins_with(self, content: JSONObject) -> bool:
        """Whether this is the start of the same block once more."""
        return content == self._content

    def start(self, deltas: list[Delta]) -> None:
        content = self._content
        if self._is_call:
            fields = _without(content, "id", "name", "input")
            deltas.append(BlockDelta(fields, ("call", self.key)))
            deltas.append(ToolCallDelta(self.key, content.get("id"), content.get("name")))
            return
        fields = _without(content, *_STREAMED.get(str(self._type), ("input",)))
        deltas.append(BlockDelta(fields, self.key))
        if self._type == "text" and (text := content.get("text")):
            deltas.append(TextDelta(text, self.key))
        elif self._type == "thinking" and (thinking := content.get("thinking")):
            deltas.append(ThinkingDelta(thinking, self.key))

    def delta(self, kind: Any, delta: JSONObject) -> Sequence[Delta]:
        if kind == "input_json_delta":
            part = delta.get("partial_json")
            if not part or not self._takes_input:
                return _NO_DELTAS
            arguments = ToolCallDelta(self.key, arguments=part)
            self.take_input(part)
            if self.is_started:
                return (arguments,) if self._is_call else _NO_DELTAS
            self.is_started = True
            deltas: list[Delta] = []
            self.start(deltas)
            return (*deltas, arguments)
        if _FITS.get(kind) != self._type:
            return _NO_DELTAS
        if kind == "thinking_delta":
            thinking = delta.get("thinking")
            return (ThinkingDelta(thinking, self.key),) if thinking else _NO_DELTAS
        if kind == "signature_delta":
            self._signed = True
            return (BlockDelta({"signature": delta.get("signature")}, self.key),)
        if kind == "citations_delta":
            citations = {"citations": [delta.get("citation")]}
            return (BlockDelta(citations, self.key, frozenset(citations)),)
        return (BlockDelta(_without(delta, "type"), self.key),)

    def take_input(self, part: str) -> None:
        """Take more of a call's input."""
        self._parts.append(part)

    def stop(self, deltas: list[Delta]) -> None:
        given: object = self._content.get("input")
        if not self.is_started:
            return
        if self._is_call:
            if not self._parts and given is not None:
                deltas.append(ToolCallDelta(self.key, arguments=_compact(given)))
            deltas.append(ToolCallEnd(self.key, whole=bool("".join(self._parts).strip())))
        elif self._type == "thinking":
            if not self._signed:
                signature = self._content.get("signature") or ""
                deltas.append(BlockDelta({"signature": signature}, self.key))
        elif self._parts:
            deltas.append(
                BlockDelta({"input": as_arguments(as_whole_text("".join(self._parts)))}, self.key)
            )
        elif "input" in self._content:
            deltas.append(BlockDelta({"input": given}, self.key))


def _compact(value: object) -> str:
    return as_whole_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _without(content: Mapping[str, Any], *names: str) -> JSONObject:
    return {name: value for name, value in content.items() if name not in names}
