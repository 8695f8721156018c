"""Deltas to ordered content blocks, tool calls, usage and finish reasons."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar, Literal, TypeAlias

from .._tools._base_tool import ToolCall
from .._types import JSONObject
from ._deltas import (
    BlockDelta,
    ChoiceDelta,
    Delta,
    EndDelta,
    ErrorDelta,
    FinishDelta,
    MetaDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallEnd,
    UsageDelta,
)

BlockKind: TypeAlias = Literal["text", "thinking", "refusal", "tool_call", "other"]


class Block:
    """One content block of the answer, as far as it has arrived.

    Attributes:
        kind: what the block's text is; `"other"` for blocks that only the provider understands.
        key: the provider's number of the block, or None.
        fields: what the provider wants back verbatim (`BlockDelta`).
        id: the id of a tool call as the provider sent it, or None.
        name: the name of a tool call.
        call: the complete tool call, once it is complete.
    """

    __slots__ = ("_parts", "call", "fields", "id", "key", "kind", "name")

    def __init__(self, kind: BlockKind, key: Hashable = None) -> None:
        self.kind: BlockKind = kind
        self.key = key
        self.fields: JSONObject = {}
        self.id: str | None = None
        self.name: str | None = None
        self.call: ToolCall | None = None
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        """The block's text: for a tool call, its arguments as JSON text."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    def append(self, text: str) -> None:
        """Add to the block's text."""
        self._parts.append(text)


class Accumulator:
    """Everything that has arrived of a response.

    Attributes:
        blocks: the content blocks in the order in which they began.
        usage: the provider's usage object, each field the last that was sent; None without one.
        id: the response's id.
        model: the model as the provider reports it.
        facts: how the request was served (`service_tier` and the like).
        finish_reason: the last finish reason, in the provider's word.
        ended: whether the protocol's own end marker was seen.
        error: the provider's own error, if it sent one.
        choices: the other choices, by index, where several were asked for.
    """

    __slots__ = (
        "_by_key",
        "_calls",
        "_ids",
        "_open",
        "blocks",
        "choices",
        "ended",
        "error",
        "facts",
        "finish_reason",
        "id",
        "model",
        "usage",
    )

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.usage: JSONObject | None = None
        self.id: str | None = None
        self.model: str | None = None
        self.facts: dict[str, str] = {}
        self.finish_reason: str | None = None
        self.ended = False
        self.error: ErrorDelta | None = None
        self.choices: dict[int, Accumulator] = {}
        self._open: Block | None = None
        self._by_key: dict[Hashable, Block] = {}
        self._calls: dict[Hashable, Block] = {}
        self._ids: set[str] = set()

    def add(self, deltas: Iterable[Delta]) -> list[ToolCall] | None:
        """Take in deltas; return the tool calls that they complete, or None."""
        completed: list[ToolCall] | None = None
        for delta in deltas:
            if type(delta) is TextDelta:
                block = self._open
                if block is None or block.kind != "text" or block.key != delta.block:
                    block = self._block("text", delta.block)
                block.append(delta.text)
            elif calls := self._APPLY[type(delta)](self, delta):
                completed = [*completed, *calls] if completed else calls
        return completed

    def end_calls(self) -> list[ToolCall]:
        """Complete every tool call that is open."""
        return [self._complete(key) for key in list(self._calls)]

    @property
    def text(self) -> str:
        """The answer's text."""
        return self._joined("text")

    @property
    def thinking(self) -> str:
        """The reasoning's text."""
        return self._joined("thinking")

    @property
    def refusal(self) -> str | None:
        """The text in which the model declined, or None."""
        return self._joined("refusal") or None

    @property
    def tool_calls(self) -> list[Block]:
        """The blocks of tool calls, complete or not."""
        return [block for block in self.blocks if block.kind == "tool_call"]

    @property
    def finish_reasons(self) -> list[str | None]:
        """The last finish reason of each choice, in the order of the choices."""
        others = (self.choices[index].finish_reason for index in sorted(self.choices))
        return [self.finish_reason, *others]

    @property
    def finished(self) -> bool:
        """Whether every choice has a finish reason."""
        return all(reason is not None for reason in self.finish_reasons)

    def _joined(self, kind: BlockKind) -> str:
        found = [block.text for block in self.blocks if block.kind == kind]
        return found[0] if len(found) == 1 else "".join(found)

    def _block(self, kind: BlockKind, key: Hashable) -> Block:
        block = self._open
        # Anthropic and the Responses API number their blocks and may interleave them; where nothing
        # is numbered, a delta continues the open block, but never one that has a number.
        if key is not None:
            block = self._by_key.get(key)
        elif block is not None and block.key is not None:
            block = None
        if block is not None and key is not None and block.kind == "other":
            # A block that its fields opened learns from the first text what it is.
            block.kind = kind
        if block is None or block.kind != kind:
            block = Block(kind, key)
            self.blocks.append(block)
            if key is not None:
                self._by_key[key] = block
        self._open = block
        return block

    def _thinking(self, delta: ThinkingDelta) -> None:
        self._block("thinking", delta.block).append(delta.text)

    def _refusal(self, delta: RefusalDelta) -> None:
        self._block("refusal", None).append(delta.text)

    def _tool_call(self, delta: ToolCallDelta) -> None:
        block = self._calls.get(delta.key)
        if block is None:
            block = self._calls[delta.key] = self._block("tool_call", ("call", delta.key))
        # The first of each counts: Mistral repeats them in continuations, Alibaba empties the id.
        block.id = block.id or delta.id
        block.name = block.name or delta.name
        if delta.arguments:
            block.append(delta.arguments)

    def _tool_call_end(self, delta: ToolCallEnd) -> list[ToolCall]:
        if delta.key is None:
            return self.end_calls()
        return [self._complete(delta.key)] if delta.key in self._calls else []

    def _complete(self, key: Hashable) -> ToolCall:
        block = self._calls.pop(key)
        # Gemini's chat endpoint sends calls without an id, and under a repeated id two calls would
        # share their results: each call gets an id of its own, which its result goes back under.
        ordinal = len(self._ids)
        call_id = block.id or f"call_{self.id or 'response'}_{ordinal}"
        if call_id in self._ids:
            call_id = f"{call_id}_{ordinal}"
        self._ids.add(call_id)
        block.call = ToolCall(call_id, block.name or "", block.text)
        return block.call

    def _fields(self, delta: BlockDelta) -> None:
        block = self._by_key.get(delta.block)
        if block is None:
            block = self._by_key[delta.block] = Block("other", delta.block)
            self.blocks.append(block)
        self._open = block
        for name, value in delta.fields.items():
            known: Any = block.fields.get(name)
            if name in delta.join and _joinable(known, value):
                block.fields[name] = known + value
            elif value is not None or name not in block.fields:
                block.fields[name] = value

    def _usage(self, delta: UsageDelta) -> None:
        # Never a sum: Gemini's counts grow from chunk to chunk, and Groq repeats the same ones. A
        # null takes nothing back: most servers send `usage: null` until the last chunk.
        usage = self.usage = {} if self.usage is None or delta.whole else self.usage
        for name, value in delta.usage.items():
            if value is not None or name not in usage:
                usage[name] = value

    def _meta(self, delta: MetaDelta) -> None:
        self.id = delta.id or self.id
        self.model = delta.model or self.model
        if delta.facts:
            self.facts.update(delta.facts)

    def _finish(self, delta: FinishDelta) -> None:
        self.finish_reason = delta.reason

    def _end(self, _delta: EndDelta) -> None:
        self.ended = True

    def _error(self, delta: ErrorDelta) -> None:
        self.error = delta

    def _choice(self, delta: ChoiceDelta) -> None:
        if delta.index not in self.choices:
            self.choices[delta.index] = Accumulator()
        self.choices[delta.index].add([delta.delta])

    _APPLY: ClassVar[dict[type, Callable[[Accumulator, Any], list[ToolCall] | None]]] = {
        ThinkingDelta: _thinking,
        RefusalDelta: _refusal,
        ToolCallDelta: _tool_call,
        ToolCallEnd: _tool_call_end,
        BlockDelta: _fields,
        UsageDelta: _usage,
        MetaDelta: _meta,
        FinishDelta: _finish,
        EndDelta: _end,
        ErrorDelta: _error,
        ChoiceDelta: _choice,
    }


def _joinable(known: object, value: object) -> bool:
    return any(isinstance(known, kind) and isinstance(value, kind) for kind in (str, list))
