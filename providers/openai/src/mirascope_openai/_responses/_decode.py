"""The Responses API: events to deltas.

The reference is https://platform.openai.com/docs/api-reference/responses-streaming, the rest is
what servers that speak the protocol really send: ids that change with every event (Copilot), no
indexes (llama.cpp), a last event without the items (ChatGPT), or items in the last event only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from mirascope.core import (
    BlockDelta,
    Decoder,
    Delta,
    EndDelta,
    ErrorDelta,
    FinishDelta,
    JSONObject,
    MetaDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallEnd,
    UsageDelta,
)
from mirascope.core.json import as_json_text, as_object, as_objects, as_text
from mirascope_compatible import ChatDecoder
from typing_extensions import override

from .._usage import tool_facts

ITEM: Final = "item"
"""The field of a block that holds its output item, once the item is complete."""
BEGUN: Final = "begun"
"""The field of a block that holds its output item as it was announced."""
RESPONSE: Final = "response"
"""The key of the block, and its field, that hold the last response object."""

ARGUMENTS: Final[Mapping[str, str]] = {"function_call": "arguments", "custom_tool_call": "input"}
"""The items that are calls of the caller's tools, and where their arguments are."""

_KEEP_ALIVES: Final = frozenset({"keepalive", "ping"})
_ENDINGS: Final = frozenset({"completed", "incomplete", "failed", "cancelled"})
_NO_DELTAS: Final[tuple[Delta, ...]] = ()


class ResponsesDecoder(Decoder):
    """Decodes one response, streamed or whole.

    Every output item becomes one content block, which keeps the item as it was sent.
    """

    done_sentinel: ClassVar[bytes | None] = b"[DONE]"
    done_sentinel_ends: ClassVar[bool] = False

    def __init__(self) -> None:
        self._items: list[_Item] = []
        self._by_id: dict[object, _Item] = {}
        self._by_index: dict[object, _Item] = {}
        self._id: str | None = None
        self._model: str | None = None

    @override
    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
        kind = data.get("type") or event
        if kind == "response.output_text.delta":
            text = data.get("delta")
            if type(text) is not str or not text:
                return _NO_DELTAS
            item = self._find(data, "message")
            item.said = True
            return [TextDelta(text, item.key)]
        handle = self._HANDLERS.get(kind)
        if handle is not None:
            return handle(self, data)
        if kind in _KEEP_ALIVES:
            return None
        # llama.cpp sends a bare error object; every SDK takes one in any event for a failure.
        return _error(data) if data.get("error") else _NO_DELTAS

    @override
    def decode_stray(self, data: JSONObject) -> Sequence[Delta] | None:
        if data.get("object") == "response":
            # The server ignored `stream` and sent the whole response.
            return self.decode_response(data)
        return ChatDecoder().decode_stray(data)

    @override
    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        return self._ending(data, "")

    def _find(self, data: JSONObject, kind: str) -> _Item:
        """Return the item that an event continues; one that nothing announced begins here."""
        item_id, index = data.get("item_id"), data.get("output_index")
        item = self._by_id.get(item_id)
        if item is None or item.kind != kind:
            item = self._by_index.get(index)
        if item is None or item.kind != kind or item.done:
            item = self._items[-1] if self._items else None
        if item is None or item.kind != kind or item.done:
            item = self._begin(kind, item_id, index)
        return item

    def _begin(self, kind: str, item_id: object, index: object) -> _Item:
        item = _Item(len(self._items), kind)
        self._items.append(item)
        if item_id:
            self._by_id[item_id] = item
        if index is not None:
            self._by_index[index] = item
        return item

    def _refusal(self, data: JSONObject) -> Sequence[Delta]:
        text = as_text(data.get("delta"))
        if text is None:
            return _NO_DELTAS
        self._find(data, "message").refused = True
        return [RefusalDelta(text)]

    def _thinking(self, data: JSONObject) -> Sequence[Delta]:
        text = as_text(data.get("delta"))
        if text is None:
            return _NO_DELTAS
        item = self._find(data, "reasoning")
        item.said = True
        return [ThinkingDelta(text, item.key)]

    def _arguments(self, data: JSONObject) -> Sequence[Delta]:
        return self._called(data, "function_call")

    def _input(self, data: JSONObject) -> Sequence[Delta]:
        return self._called(data, "custom_tool_call")

    def _called(self, data: JSONObject, kind: str) -> Sequence[Delta]:
        text = as_text(data.get("delta"))
        if text is None:
            return _NO_DELTAS
        item = self._find(data, kind)
        item.said = True
        return [ToolCallDelta(item.key, arguments=text)]

    def _added(self, data: JSONObject) -> Sequence[Delta]:
        sent = as_object(data.get("item"))
        item = self._begin(str(sent.get("type")), sent.get("id"), data.get("output_index"))
        deltas: list[Delta] = [BlockDelta({BEGUN: sent}, item.block)]
        if item.kind in ARGUMENTS:
            deltas.append(
                ToolCallDelta(item.key, as_text(sent.get("call_id")), as_text(sent.get("name")))
            )
        return deltas

    def _done(self, data: JSONObject) -> Sequence[Delta]:
        sent = as_object(data.get("item"))
        kind, item_id, index = str(sent.get("type")), sent.get("id"), data.get("output_index")
        item = self._by_id.get(item_id)
        if item is None or item.kind != kind:
            open_items = [self._by_index.get(index), *self._items]
            item = next((i for i in open_items if i and i.kind == kind and not i.done), None)
        if item is None:
            item = self._begin(kind, item_id, index)
        elif item_id:
            self._by_id[item_id] = item
        deltas: list[Delta] = []
        self._complete(item, sent, deltas)
        return deltas

    def _complete(self, item: _Item, sent: JSONObject, deltas: list[Delta]) -> None:
        """Take the whole item, and of its text what no delta had brought."""
        if item.done:
            return
        item.done = True
        deltas.append(BlockDelta({ITEM: sent}, item.block))
        if item.kind == "message":
            if not item.said and (text := _joined(sent, "content", "text")):
                deltas.append(TextDelta(text, item.key))
            if not item.refused and (refusal := _joined(sent, "content", "refusal")):
                deltas.append(RefusalDelta(refusal))
        elif item.kind == "reasoning":
            text = _joined(sent, "summary", "text") or _joined(sent, "content", "text")
            if text and not item.said:
                deltas.append(ThinkingDelta(text, item.key))
        elif field := ARGUMENTS.get(item.kind):
            arguments = "" if item.said else as_json_text(sent.get(field))
            call_id, name = as_text(sent.get("call_id")), as_text(sent.get("name"))
            deltas += [ToolCallDelta(item.key, call_id, name, arguments), ToolCallEnd(item.key)]

    def _lifecycle(self, data: JSONObject) -> Sequence[Delta]:
        return self._facts(as_object(data.get("response")))

    def _facts(self, response: JSONObject) -> list[Delta]:
        # Copilot gives the response another id in every event: the first one counts.
        new_id = as_text(response.get("id")) if self._id is None else None
        new_model = as_text(response.get("model")) if self._model is None else None
        self._id, self._model = self._id or new_id, self._model or new_model
        # The tier that was asked for stands in the first events, the one that served in the last.
        tier = as_text(response.get("service_tier"))
        deltas: list[Delta] = [
            MetaDelta(new_id, new_model, {"service_tier": tier} if tier else None),
            BlockDelta({RESPONSE: response}, RESPONSE),
        ]
        if usage := as_object(response.get("usage")):
            deltas.append(UsageDelta(usage))
        return deltas

    def _completed(self, data: JSONObject) -> Sequence[Delta]:
        return self._ending(as_object(data.get("response")), "completed")

    def _incomplete(self, data: JSONObject) -> Sequence[Delta]:
        return self._ending(as_object(data.get("response")), "incomplete")

    def _failed(self, data: JSONObject) -> Sequence[Delta]:
        return self._ending(as_object(data.get("response")), "failed")

    def _ending(self, response: JSONObject, name: str) -> Sequence[Delta]:
        """Read a response that has ended: by its `status`, else by the `name` of the event."""
        deltas = self._facts(response)
        status = as_text(response.get("status"))
        if status not in _ENDINGS or name == "failed":
            status = name
        if status == "failed":
            error = response.get("error") or "the response failed, and no reason was given"
            return [*deltas, FinishDelta("failed"), ErrorDelta.from_object(error)]
        for item, sent in self._match(as_objects(response.get("output"))):
            self._complete(item, sent, deltas)
        if facts := tool_facts(response):
            deltas.append(MetaDelta(facts=facts))
        if status in _ENDINGS:
            reason = as_text(as_object(response.get("incomplete_details")).get("reason"))
            deltas += [
                ToolCallEnd(),
                FinishDelta(f"{status}:{reason}" if reason else status),
                EndDelta(),
            ]
        return deltas

    def _match(self, output: Sequence[JSONObject]) -> Iterator[tuple[_Item, JSONObject]]:
        """Pair the items of the last event with those that were streamed."""
        unmatched = list(self._items)
        for sent in output:
            kind = str(sent.get("type"))
            same = self._by_id.get(sent.get("id"))
            if same not in unmatched:
                same = next((item for item in unmatched if item.kind == kind), None)
            if same is not None:
                unmatched.remove(same)
            yield same or self._begin(kind, sent.get("id"), None), sent

    def _failure(self, data: JSONObject) -> Sequence[Delta]:
        # `response.failed` follows with the same error, if anything does.
        return [FinishDelta("failed"), *_error(data)]

    _HANDLERS: ClassVar[Mapping[Any, Callable[[Any, JSONObject], Sequence[Delta]]]] = {
        "response.refusal.delta": _refusal,
        "response.reasoning_summary_text.delta": _thinking,
        "response.reasoning_text.delta": _thinking,
        "response.function_call_arguments.delta": _arguments,
        "response.custom_tool_call_input.delta": _input,
        "response.output_item.added": _added,
        "response.output_item.done": _done,
        "response.created": _lifecycle,
        "response.queued": _lifecycle,
        "response.in_progress": _lifecycle,
        "response.completed": _completed,
        "response.incomplete": _incomplete,
        "response.failed": _failed,
        "error": _failure,
    }


class _Item:
    """What is known of one output item.

    Attributes:
        key: its number in the order of appearance.
        kind: its `type`.
        said: whether a delta brought text or arguments.
        refused: whether a delta brought a refusal.
        done: whether the whole item was seen.
    """

    __slots__ = ("done", "key", "kind", "refused", "said")

    def __init__(self, key: int, kind: str) -> None:
        self.key = key
        self.kind = kind
        self.said = False
        self.refused = False
        self.done = False

    @property
    def block(self) -> object:
        return ("call", self.key) if self.kind in ARGUMENTS else self.key


def _error(data: JSONObject) -> Sequence[Delta]:
    """Read an error event: OpenAI's documented form is flat, the one it often sends is nested."""
    error: Any = data.get("error")
    if not error:
        error = {name: data.get(name) for name in ("message", "code", "param")}
    return [ErrorDelta.from_object(error)]


def _joined(item: JSONObject, parts: str, key: str) -> str:
    return "".join(as_text(part.get(key)) or "" for part in as_objects(item.get(parts)))
