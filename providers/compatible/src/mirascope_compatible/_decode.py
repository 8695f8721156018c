"""Chat completions: events to deltas.

The reference is OpenAI's API (https://platform.openai.com/docs/api-reference/chat-streaming), the
rest is what servers that speak the protocol really send: usage in any chunk, several names for
reasoning, tool calls in every shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Final, cast

from mirascope.core import (
    BlockDelta,
    ChoiceDelta,
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
    UsageDelta,
    failure_in,
    is_keep_alive,
)
from mirascope.core.json import as_object, as_objects, as_text
from typing_extensions import override

from ._extra import (
    REASONING_FIELD,
    call_fields,
    choice_fields,
    logprobs,
    message_fields,
    response_fields,
)
from ._tool_calls import ToolCalls, whole_number

THINKING_FIELDS: Final = ("reasoning_content", "reasoning", "reasoning_text")
"""Names for reasoning text, in the order in which one of them counts where a delta has several."""

_BROKEN: Final = frozenset(
    {"error", "server_error", "network_error", "insufficient_system_resource"}
)
"""Finish reasons of a generation that broke off: of OpenRouter, Mistral, Z.ai and DeepSeek.

https://openrouter.ai/docs/api-reference/overview#finish-reason, https://docs.mistral.ai/api,
https://docs.z.ai/api-reference/llm/chat-completion, https://api-docs.deepseek.com
"""

_CUT: Final = ("length", "max_tokens", "model_length", "content_filter")
"""Finish reasons of an answer that did not come to its own end."""

_NO_DELTAS: Final[tuple[Delta, ...]] = ()


class ChatDecoder(Decoder):
    """Decodes one chat completion, streamed or whole."""

    done_sentinel: ClassVar[bytes | None] = b"[DONE]"
    finish_reason_ends: ClassVar[bool] = True
    text_fields: ClassVar[tuple[str, ...]] = ("content", *THINKING_FIELDS, "arguments")
    ignored_fields: ClassVar[tuple[str, ...]] = ("obfuscation", "p")

    def __init__(self) -> None:
        self._id: str | None = None
        self._model: str | None = None
        self._service_tier: str | None = None
        self._choices: dict[int, ToolCalls] = {}
        self._encrypted = 0
        self._parts = 0
        # The choices that have named the field of their reasoning.
        self._reasoned: set[int] = set()

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
        usage: object = data.get("usage")
        failure: ErrorDelta | None = None
        for choice in choices:
            # Perplexity sends the whole message besides the delta, Writer only a message.
            delta: JSONObject | None = choice.get("delta")
            if delta is None:
                delta = choice.get("message")
            index: int = choice.get("index") or 0
            if type(index) is not int:
                index = _choice_index(index)
            said = deltas if index == 0 else []
            if delta:
                self._message(delta, index, said)
            if choice.get("logprobs"):
                said += logprobs(choice)
            reason = choice.get("finish_reason")
            if reason:
                # Moonshot sends usage here: https://platform.moonshot.ai/docs/api/chat
                usage = usage or choice.get("usage")
                if _broke_off(reason):
                    failure = _failure(data, choice, reason)
                else:
                    self._calls(index).end(said)
                said.append(FinishDelta(str(reason), cut=reason in _CUT))
                said += choice_fields(choice)
                deltas += response_fields(data)
            elif choice.get("error"):
                failure = _failure(data, choice, None)
            if said is not deltas:
                deltas += [ChoiceDelta(index, delta) for delta in said]
        if usage is None and "x_groq" in data:
            usage = as_object(data["x_groq"]).get("usage")
        if usage and isinstance(usage, dict):
            deltas.append(UsageDelta(cast("JSONObject", usage)))
            if not choices:
                deltas += response_fields(data)
        if failure is None and (not choices or "error" in data or event == "error"):
            failure = failure_in(data)
            if failure is None and event == "error":
                failure = ErrorDelta.from_object(data)
        if failure is not None:
            deltas.append(failure)
        elif not deltas and not choices and _is_keep_alive(data, event):
            return None
        return deltas

    @override
    def on_repeat(self, delta: Delta) -> Callable[[str], object] | None:
        return self._calls(0).last_takes if isinstance(delta, ToolCallDelta) else None

    @override
    def decode_stray(self, data: JSONObject) -> Sequence[Delta] | None:
        if isinstance(data.get("choices"), list) and not data.get("error"):
            # The server ignored `stream` and sent the whole completion, which needs no reason to
            # have ended; an event that lost its framing has deltas.
            choices = as_objects(data["choices"])
            whole = choices and all("delta" not in choice for choice in choices)
            return [*self.decode_response(data), *([EndDelta()] if whole else ())]
        failure = failure_in(data)
        return None if failure is None else [failure]

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
            facts = {
                name: str(value)
                for name, kind in (("created", int), ("system_fingerprint", str))
                if (value := data.get(name)) and type(value) is kind
            }
            deltas.append(MetaDelta(id=new_id, model=new_model, facts=facts))

    def _calls(self, choice: int) -> ToolCalls:
        calls = self._choices.get(choice)
        if calls is None:
            calls = self._choices[choice] = ToolCalls()
        return calls

    def _message(self, delta: JSONObject, choice: int, deltas: list[Delta]) -> None:
        content = delta.get("content")
        size = len(delta)
        if (size == 1 or (size == 2 and "role" in delta)) and type(content) is str and content:
            deltas.append(TextDelta(content))
            return
        if size == 1 and choice in self._reasoned:
            # Reasoning that goes on: a word of it is as frequent as one of the answer.
            [(name, text)] = delta.items()
            if name in THINKING_FIELDS and type(text) is str and text:
                deltas.append(ThinkingDelta(text))
                return
        called = delta.get("tool_calls") if size == 1 else None
        if called and self._calls(choice).goes_on(called, deltas):
            return
        self._thinking(delta, choice, deltas)
        if content:
            deltas += self._content(content)
        if refusal := delta.get("refusal"):
            deltas.append(RefusalDelta(refusal))
        if tool_calls := delta.get("tool_calls"):
            calls = self._calls(choice)
            if not calls.goes_on(tool_calls, deltas):
                begin = len(deltas)
                calls.take(tool_calls, deltas)
                deltas += call_fields(tool_calls, deltas[begin:])
        if call := delta.get("function_call"):
            # The form that `tool_calls` replaced; some servers still stream it.
            self._calls(choice).take([{"index": 0, "function": call}], deltas)
        deltas += message_fields(delta)

    def _thinking(self, delta: JSONObject, choice: int, deltas: list[Delta]) -> None:
        name = next((name for name in THINKING_FIELDS if delta.get(name)), None)
        text: object = None if name is None else delta[name]
        if name is not None and choice not in self._reasoned:
            self._reasoned.add(choice)
            deltas.append(ExtraDelta({"name": name}, REASONING_FIELD))
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

    def _content(self, content: object) -> Iterator[Delta]:
        """Read content that is a string or a list of typed parts (Mistral's thinking)."""
        if isinstance(content, str):
            yield TextDelta(content)
            return
        parts = as_objects([content] if as_object(content) else content)
        if not parts and not isinstance(content, list):
            raise TypeError(f"content is of the type {content.__class__.__name__!r}")
        for part in parts:
            if part.get("type") == "thinking":
                if text := _thought(part.get("thinking")):
                    yield from (
                        ThinkingDelta(text),
                        ExtraDelta({"name": "content"}, REASONING_FIELD),
                    )
            elif said := as_text(part.get("text")):
                yield TextDelta(said)
            elif part.get("type") != "text":
                # References, images and what is yet to come: it goes back where it stood.
                self._parts += 1
                yield BlockDelta(part, ("part", self._parts))


def _thought(thinking: object) -> str:
    return as_text(thinking) or "".join(
        as_text(item.get("text")) or "" for item in as_objects(thinking)
    )


def _choice_index(value: object) -> int:
    index = whole_number(value)
    if index is None:
        raise TypeError(f"the index of a choice is {value!r}")
    return index


def _broke_off(reason: object) -> bool:
    return str(reason).lower() in _BROKEN


def _failure(data: JSONObject, choice: JSONObject, reason: object) -> ErrorDelta:
    """Return what an event tells of a generation that broke off."""
    told = failure_in({"error": choice.get("error")}) or failure_in({"error": data.get("error")})
    return told or ErrorDelta(f"the server broke off, with the finish reason {str(reason)!r}")


def _is_keep_alive(data: JSONObject, event: str | None) -> bool:
    return any(map(is_keep_alive, (event, data.get("type"), data.get("object"))))
