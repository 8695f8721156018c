"""The Responses API: events to deltas.

The reference is https://platform.openai.com/docs/api-reference/responses-streaming, the rest is
what servers that speak the protocol really send: ids that change with every event (Copilot), no
indexes (llama.cpp), a last event without the items (ChatGPT), or items in the last event only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, cast

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
    WholeTextDelta,
    failure_in,
    is_keep_alive,
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

_ENDINGS: Final = frozenset({"completed", "incomplete", "failed", "cancelled"})
_NO_DELTAS: Final[tuple[Delta, ...]] = ()


class ResponsesDecoder(Decoder):
    """Decodes one response, streamed or whole.

    Every output item becomes one content block, which keeps the item as it was sent.
    """

    done_sentinel: ClassVar[bytes | None] = b"[DONE]"
    done_sentinel_ends: ClassVar[bool] = False
    text_fields: ClassVar[tuple[str, ...]] = ("delta",)
    ignored_fields: ClassVar[tuple[str, ...]] = ("sequence_number", "obfuscation")

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
            item.said.append(text)
            return [TextDelta(text, item.key)]
        handle = self._HANDLERS.get(kind)
        if handle is not None:
            return handle(self, data)
        # llama.cpp sends a bare error object; every SDK takes one in any event for a failure.
        if data.get("error"):
            return _error(data)
        if str(kind).startswith("response."):
            return _NO_DELTAS
        failure = failure_in(data)
        if failure is None:
            return None if is_keep_alive(kind) or is_keep_alive(event) else _NO_DELTAS
        return [failure]

    @override
    def on_repeat(self, delta: Delta) -> Callable[[str], object] | None:
        if isinstance(delta, ToolCallDelta):
            return self._items[cast("int", delta.key)].said.append
        if isinstance(delta, (TextDelta, ThinkingDelta)):
            return self._items[cast("int", delta.block)].said.append
        return None

    @override
    def decode_stray(self, data: JSONObject) -> Sequence[Delta] | None:
        if data.get("object") == "response":
            # The server ignored `stream` and sent the whole response.
            return self.decode_response(data)
        return ChatDecoder().decode_stray(data)

    @override
    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        status = data.get("status")
        if isinstance(data.get("output"), list) or data.get("error") or status:
            return self._ending(data, "")
        # An object that has none of them is not an answer, whatever else it says.
        failure = failure_in(data)
        return _NO_DELTAS if failure is None else (failure,)

    def _find(self, data: JSONObject, kind: str) -> _Item:
        """Return the item that an event continues; one that nothing announced begins here."""
        item_id, index = data.get("item_id"), data.get("output_index")
        item = self._by_id.get(item_id)
        if item is None or item.kind != kind:
            item = self._by_index.get(index)
        if item is not None and item.kind == kind and kind in ARGUMENTS:
            # A late piece of a call that is over belongs to it, or it would be another call.
            return item
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
        self._find(data, "message").refused.append(text)
        return [RefusalDelta(text)]

    def _thinking(self, data: JSONObject) -> Sequence[Delta]:
        text = as_text(data.get("delta"))
        if text is None:
            return _NO_DELTAS
        item = self._find(data, "reasoning")
        item.said.append(text)
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
        item.said.append(text)
        return [ToolCallDelta(item.key, arguments=text, free=item.is_free)]

    def _text_done(self, data: JSONObject) -> Sequence[Delta]:
        return self._stated(data, "message", "text")

    def _thinking_done(self, data: JSONObject) -> Sequence[Delta]:
        return self._stated(data, "reasoning", "text")

    def _arguments_done(self, data: JSONObject) -> Sequence[Delta]:
        return self._stated(data, "function_call", "arguments")

    def _input_done(self, data: JSONObject) -> Sequence[Delta]:
        return self._stated(data, "custom_tool_call", "input")

    def _stated(self, data: JSONObject, kind: str, field: str) -> Sequence[Delta]:
        """Take what an event states as the whole of a text that came in deltas.

        Of a text with several parts only the first one: it alone is all that was said so far.
        """
        text = as_json_text(data.get(field))
        part = data.get("content_index") or data.get("summary_index")
        if not text or part:
            return _NO_DELTAS
        return self._find(data, kind).state(text)

    def _added(self, data: JSONObject) -> Sequence[Delta]:
        sent, index = as_object(data.get("item")), data.get("output_index")
        if "type" not in sent:
            return _NO_DELTAS
        kind, item_id = str(sent["type"]), sent.get("id")
        known = self._by_id.get(item_id) if item_id else self._by_index.get(index)
        is_here = index is None or self._by_index.get(index) is known
        if known is not None and is_here and known.is_begun_by(sent):
            # The same event once more.
            return _NO_DELTAS
        item = self._begin(kind, item_id, index)
        item.begun = sent
        deltas: list[Delta] = [BlockDelta({BEGUN: sent}, item.block)]
        if item.kind in ARGUMENTS:
            deltas.append(item.call(sent))
        return deltas

    def _done(self, data: JSONObject) -> Sequence[Delta]:
        sent = as_object(data.get("item"))
        if "type" not in sent:
            return _NO_DELTAS
        kind, item_id, index = str(sent["type"]), sent.get("id"), data.get("output_index")
        item = self._by_id.get(item_id)
        at_index = self._by_index.get(index)
        if item is None and at_index is not None and at_index.is_ended_by(sent):
            return _NO_DELTAS
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
        item.done = sent
        deltas.append(BlockDelta({ITEM: sent}, item.block))
        if item.kind == "message":
            deltas += item.state(_joined(sent, "content", "text"))
            refused, refusal = "".join(item.refused), _joined(sent, "content", "refusal")
            if refusal.startswith(refused) and refusal != refused:
                deltas.append(RefusalDelta(refusal[len(refused) :]))
        elif item.kind == "reasoning":
            text = _joined(sent, "summary", "text") or _joined(sent, "content", "text")
            deltas += item.state(text)
        elif field := ARGUMENTS.get(item.kind):
            deltas.append(item.call(sent))
            arguments = as_json_text(sent.get(field))
            deltas += item.state(arguments)
            whole = sent.get("status") == "completed" and bool(arguments.strip())
            deltas.append(ToolCallEnd(item.key, whole))

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
        if (status not in _ENDINGS and status != "error") or name == "failed":
            status = name
        error = response.get("error")
        if error or status in ("failed", "error"):
            error = error or "the response failed, and no reason was given"
            return [*deltas, FinishDelta("failed"), ErrorDelta.from_object(error)]
        for item, sent in self._match(as_objects(response.get("output"))):
            self._complete(item, sent, deltas)
        if facts := tool_facts(response):
            deltas.append(MetaDelta(facts=facts))
        if status in _ENDINGS:
            reason = as_text(as_object(response.get("incomplete_details")).get("reason"))
            deltas += [
                ToolCallEnd(),
                FinishDelta(f"{status}:{reason}" if reason else status, cut=status != "completed"),
                EndDelta(),
            ]
        return deltas

    def _match(self, output: Sequence[JSONObject]) -> Iterator[tuple[_Item, JSONObject]]:
        """Pair the items of the last event with those that were streamed."""
        unmatched = dict.fromkeys(self._items)
        # By kind in the order of appearance, where ids don't tell: one pass for each kind.
        of_kind: dict[str, deque[_Item]] = {}
        for item in self._items:
            of_kind.setdefault(item.kind, deque()).append(item)
        for sent in output:
            if "type" not in sent:
                continue
            kind = str(sent["type"])
            same = self._by_id.get(sent.get("id"))
            if same not in unmatched:
                candidates = of_kind.get(kind, deque())
                while candidates and candidates[0] not in unmatched:
                    candidates.popleft()
                same = candidates[0] if candidates else None
            if same is not None:
                del unmatched[same]
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
        "response.output_text.done": _text_done,
        "response.reasoning_summary_text.done": _thinking_done,
        "response.reasoning_text.done": _thinking_done,
        "response.function_call_arguments.done": _arguments_done,
        "response.custom_tool_call_input.done": _input_done,
        "response.output_item.added": _added,
        "response.output_item.done": _done,
        "response.created": _lifecycle,
        "response.queued": _lifecycle,
        "response.in_progress": _lifecycle,
        "response.completed": _completed,
        "response.incomplete": _incomplete,
        "response.failed": _failed,
        "error": _failure,
        "response.error": _failure,
    }


class _Item:
    """What is known of one output item.

    Attributes:
        key: its number in the order of appearance.
        kind: its `type`.
        said: the text or the arguments that deltas brought.
        refused: the refusal that deltas brought.
        begun: the item as it was announced, or None.
        done: the whole item, once it was seen.
    """

    __slots__ = ("begun", "done", "key", "kind", "refused", "said")

    def __init__(self, key: int, kind: str) -> None:
        self.key = key
        self.kind = kind
        self.said: list[str] = []
        self.refused: list[str] = []
        self.begun: JSONObject | None = None
        self.done: JSONObject | None = None

    @property
    def block(self) -> Hashable:
        return ("call", self.key) if self.kind in ARGUMENTS else self.key

    @property
    def is_free(self) -> bool:
        """Whether the arguments are free text."""
        return self.kind == "custom_tool_call"

    def is_begun_by(self, sent: JSONObject) -> bool:
        """Whether this is the item's announcement once more; some servers give all items one id."""
        if self.begun is None or self.kind != sent["type"]:
            return False
        known, again = self.begun.get("call_id"), sent.get("call_id")
        return self.begun == sent or (known == again if self.kind in ARGUMENTS else not self.done)

    def is_ended_by(self, sent: JSONObject) -> bool:
        """Whether this is the item's end once more; some servers give each event another id."""
        return self.done is not None and {**self.done, "id": None} == {**sent, "id": None}

    def call(self, sent: JSONObject) -> ToolCallDelta:
        """Return what an item has of a call, but for its arguments."""
        call_id, name = as_text(sent.get("call_id")), as_text(sent.get("name"))
        return ToolCallDelta(self.key, call_id, name, free=self.is_free)

    def state(self, text: str) -> Sequence[Delta]:
        """Take the text that the server states as the whole of this item.

        It is final by the API's reference: proxies lose deltas, and it has what they brought.
        """
        said = "".join(self.said)
        if not text or text == said:
            return _NO_DELTAS
        rest = text[len(said) :] if text.startswith(said) else None
        if rest is None and self.kind == "reasoning" and not _is_part(said, text):
            # Deltas brought the summary and the reasoning itself; an item has both apart.
            return _NO_DELTAS
        self.said = [text]
        if rest is None:
            return [WholeTextDelta(text, self.block)]
        if self.kind in ARGUMENTS:
            return [ToolCallDelta(self.key, arguments=rest, free=self.is_free)]
        return [(ThinkingDelta if self.kind == "reasoning" else TextDelta)(rest, self.key)]


def _error(data: JSONObject) -> Sequence[Delta]:
    """Read an error event: OpenAI's documented form is flat, the one it often sends is nested."""
    error: object = data.get("error")
    if not error and as_text(data.get("message")):
        error = {name: data.get(name) for name in ("message", "code", "param")}
    told = None if error else failure_in(data)
    return [told or ErrorDelta.from_object(error or data)]


def _is_part(said: str, text: str) -> bool:
    """Whether text is what was said and what was lost in between."""
    rest = iter(text)
    return all(character in rest for character in said)


def _joined(item: JSONObject, parts: str, key: str) -> str:
    return "".join(as_text(part.get(key)) or "" for part in as_objects(item.get(parts)))
