"""Chat completions: events to deltas.

The reference is OpenAI's API (https://platform.openai.com/docs/api-reference/chat-streaming), the
rest is what servers that speak the protocol really send: usage in any chunk, several names for
reasoning, tool calls in every shape.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final

from mirascope.core import (
    BlockDelta,
    ChoiceDelta,
    Decoder,
    Delta,
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
from mirascope.core.json import as_json_text, as_objects, as_text
from typing_extensions import override

THINKING_FIELDS: Final = ("reasoning_content", "reasoning", "reasoning_text")
"""Names for reasoning text, in the order in which one of them counts where a delta has several."""

_NO_DELTAS: Final[tuple[Delta, ...]] = ()


class ChatDecoder(Decoder):
    """Decodes one chat completion, streamed or whole."""

    done_sentinel: ClassVar[bytes | None] = b"[DONE]"
    finish_reason_ends: ClassVar[bool] = True

    def __init__(self) -> None:
        self._id: str | None = None
        self._model: str | None = None
        self._service_tier: str | None = None
        self._choices: dict[int, _ToolCalls] = {}
        self._encrypted = 0

    @override
    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
        deltas: list[Delta] = []
        if data.get("id") != self._id or data.get("model") != self._model:
            self._meta(data, deltas)
        tier = data.get("service_tier")
        if tier is not None and tier != self._service_tier:
            self._service_tier = tier
            deltas.append(MetaDelta(facts={"service_tier": str(tier)}))
        choices: list[JSONObject] = data.get("choices") or []
        for choice in choices:
            # Perplexity sends the whole message beside the delta, Writer only a message.
            delta: JSONObject | None = choice.get("delta")
            if delta is None:
                delta = choice.get("message")
            index: int = choice.get("index") or 0
            said = deltas if index == 0 else []
            if delta:
                self._message(delta, index, said)
            reason = choice.get("finish_reason")
            if reason:
                self._calls(index).end(said)
                said.append(FinishDelta(str(reason)))
            if said is not deltas:
                deltas += [ChoiceDelta(index, delta) for delta in said]
        usage: JSONObject | None = data.get("usage")
        if usage is None and "x_groq" in data:
            groq: JSONObject = data["x_groq"] or {}
            usage = groq.get("usage")
        if usage:
            deltas.append(UsageDelta(usage))
        if "error" in data or event == "error":
            deltas += _error(data)
        return deltas

    @override
    def decode_stray(self, data: JSONObject) -> Sequence[Delta] | None:
        if error := _error(data):
            return error
        if isinstance(data.get("choices"), list):
            # The server ignored `stream` and sent the whole completion.
            return self.decode_response(data)
        return None

    @override
    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        return self.decode(data) or _NO_DELTAS

    def _meta(self, data: JSONObject, deltas: list[Delta]) -> None:
        """Take the first id and model: Azure and Copilot begin with empty ones, others change."""
        id_, model = data.get("id"), data.get("model")
        new_id = id_ if self._id is None and id_ and isinstance(id_, str) else None
        new_model = model if self._model is None and model and isinstance(model, str) else None
        if new_id or new_model:
            self._id = self._id or new_id
            self._model = self._model or new_model
            names = ("created", "system_fingerprint")
            facts = {name: str(data[name]) for name in names if data.get(name)}
            deltas.append(MetaDelta(id=new_id, model=new_model, facts=facts))

    def _calls(self, choice: int) -> _ToolCalls:
        calls = self._choices.get(choice)
        if calls is None:
            calls = self._choices[choice] = _ToolCalls()
        return calls

    def _message(self, delta: JSONObject, choice: int, deltas: list[Delta]) -> None:
        content = delta.get("content")
        if content and isinstance(content, str) and len(delta) == 1:
            deltas.append(TextDelta(content))
            return
        self._thinking(delta, deltas)
        if content:
            deltas += _content(content)
        if refusal := delta.get("refusal"):
            deltas.append(RefusalDelta(str(refusal)))
        if tool_calls := delta.get("tool_calls"):
            self._calls(choice).take(tool_calls, deltas)
        if call := delta.get("function_call"):
            # The form that `tool_calls` replaced; some servers still stream it.
            self._calls(choice).take([{"index": 0, "function": call}], deltas)

    def _thinking(self, delta: JSONObject, deltas: list[Delta]) -> None:
        text = next((delta[name] for name in THINKING_FIELDS if delta.get(name)), None)
        details: object = delta.get("reasoning_details")
        items = as_objects(details)
        if text is None:
            texts = (item.get("text") or item.get("summary") for item in items)
            text = "".join(as_text(part) or "" for part in texts)
        if text and isinstance(text, str):
            deltas.append(ThinkingDelta(text))
        deltas += map(self._reasoning_detail, items)

    def _reasoning_detail(self, item: JSONObject) -> Delta:
        """Keep OpenRouter's structured reasoning, which goes back with tool results.

        https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks
        """
        kind = str(item.get("type"))
        if kind == "reasoning.encrypted":
            self._encrypted += 1
            return BlockDelta(item, ("reasoning", kind, self._encrypted))
        key = ("reasoning", kind, item.get("index") or 0)
        return BlockDelta(item, key, frozenset({"text", "summary"}))


class _ToolCalls:
    """Finds out which logical call each fragment belongs to, for one choice.

    Servers interleave calls by index, send every call under index 0 or under none, repeat ids and
    names in continuations, or leave them out.
    """

    __slots__ = ("_by_id", "_by_index", "_count", "_last")

    def __init__(self) -> None:
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._last: _Call | None = None
        self._count = 0

    def take(self, fragments: Any, deltas: list[Delta]) -> None:
        for fragment in as_objects(fragments):
            function: JSONObject = fragment.get("function") or fragment.get("custom") or {}
            call_id = fragment.get("id") or None
            name = function.get("name") or None
            # Ollama and others send the arguments as an object, not as JSON text.
            arguments = as_json_text(function.get("arguments", function.get("input")))
            index = fragment.get("index")
            index = index if isinstance(index, int) else None
            call = self._find(index, call_id, name)
            if call is None:
                call = self._begin(index, call_id, name, deltas)
            call.id = call.id or call_id
            if call_id:
                self._by_id[call_id] = call
            call.name = call.name or name
            call.arguments.append(arguments)
            self._last = call
            deltas.append(ToolCallDelta(call.key, call_id, name, arguments))

    def end(self, deltas: list[Delta]) -> None:
        """The choice has finished: whatever is open is complete."""
        if self._count:
            deltas.append(ToolCallEnd())

    def _find(self, index: int | None, call_id: str | None, name: str | None) -> _Call | None:
        """Return the call that a fragment continues, or None if it begins one."""
        if index is None:
            if call_id:
                return self._by_id.get(call_id)
            call = self._last
        else:
            call = self._by_index.get(index)
            if call is None or (call_id and call.id and call_id != call.id):
                return None
            if call_id and call_id == call.id:
                return call
        if call is None or not name or call.name is None:
            return call
        # A name again, and no id: the same call goes on unless its arguments are already whole.
        return None if call_id is None and (name != call.name or call.is_whole()) else call

    def _begin(
        self, index: int | None, call_id: str | None, name: str | None, deltas: list[Delta]
    ) -> _Call:
        # Once another call begins, calls whose arguments are whole JSON can't grow any more.
        for open_call in {id(c): c for c in (*self._by_index.values(), self._last) if c}.values():
            if not open_call.ended and open_call.is_whole():
                open_call.ended = True
                deltas.append(ToolCallEnd(open_call.key))
        call = _Call(self._count, call_id, name)
        self._count += 1
        if index is not None:
            self._by_index[index] = call
        return call


class _Call:
    __slots__ = ("arguments", "ended", "id", "key", "name")

    def __init__(self, key: int, call_id: str | None, name: str | None) -> None:
        self.key = key
        self.id = call_id
        self.name = name
        self.arguments: list[str] = []
        self.ended = False

    def is_whole(self) -> bool:
        text = "".join(self.arguments)
        self.arguments = [text]
        if not text.rstrip().endswith("}"):
            return False
        try:
            json.loads(text)
        except ValueError:
            return False
        return True


def _content(content: object) -> Iterator[Delta]:
    """Read content that is a string or a list of typed parts (Mistral's thinking)."""
    if isinstance(content, str):
        yield TextDelta(content)
        return
    for part in as_objects(content):
        if part.get("type") == "thinking":
            thinking = part.get("thinking")
            text = as_text(thinking) or "".join(
                as_text(item.get("text")) or "" for item in as_objects(thinking)
            )
            if text:
                yield ThinkingDelta(text)
        elif said := as_text(part.get("text")):
            yield TextDelta(said)


def _error(data: JSONObject) -> list[Delta]:
    """Read an error object in any of the shapes that servers use; empty if there is none."""
    error: Any = data.get("error")
    if not error:
        detail = data.get("detail") or data.get("message")
        if not detail or "choices" in data:
            return []
        error = {"message": detail, "type": data.get("type"), "code": data.get("code")}
    return [ErrorDelta.from_object(error)]
