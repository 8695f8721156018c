"""Deltas to ordered content blocks, tool calls, usage and finish reasons."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, ClassVar

from .._tools._base_tool import ToolCall
from .._types import JSONObject
from ._arguments import one_value, same_arguments
from ._block import Block, BlockKind
from ._deltas import (
    BlockDelta,
    ChoiceDelta,
    Delta,
    EndDelta,
    ErrorDelta,
    ExtraDelta,
    FinishDelta,
    MetaDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallEnd,
    UsageDelta,
    WholeTextDelta,
)
from ._extra import join_fields
from ._halves import whole_value


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
        "_by_id",
        "_by_key",
        "_calls",
        "_cut",
        "_ended",
        "_extra",
        "_last_call",
        "_open",
        "_waiting",
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
        self._ended: set[Hashable] = set()
        # The complete calls by the ids that they go back under.
        self._by_id: dict[str, Block] = {}
        self._extra: dict[str, list[Mapping[str, Any]]] = {}
        self._last_call: Block | None = None
        # The key of a call without arguments that has ended, until the finish reason tells whether
        # it is whole: the limit may have cut it before its first argument, and run with its
        # defaults it would do what the model never said.
        self._waiting: Hashable = None
        self._cut: bool | None = None

    def add(self, deltas: Iterable[Delta]) -> list[ToolCall] | None:
        """Take in deltas; return the tool calls that they complete, or None."""
        completed: list[ToolCall] | None = None
        for delta in deltas:
            if type(delta) is TextDelta:
                text = delta.text
                # Here and not in the delta, which would cost a call for every word of an answer.
                if type(text) is not str:
                    raise TypeError(f"text is of the type {text.__class__.__name__!r}, not 'str'")
                block = self._open
                if block is None or block.kind != "text" or block.key != delta.block:
                    block = self._block("text", delta.block)
                block.append(text)
            elif calls := self._APPLY[type(delta)](self, delta):
                if completed is None:
                    completed = calls
                else:
                    completed += calls
        return completed

    def open_call(self, key: Hashable) -> Block | None:
        """Return the block of the call of a `ToolCallDelta`, as long as it is not complete."""
        return self._calls.get(key)

    def block_of(self, delta: Delta) -> Block | None:
        """Return what the text of a delta went to that was taken in just now, if anything."""
        return self.open_call(delta.key) if isinstance(delta, ToolCallDelta) else self._open

    def end_calls(self) -> list[ToolCall]:
        """Complete every tool call that is open: nothing more will come."""
        self._waiting = None
        return self._complete_all(list(self._calls))

    def extra_fields(self, of: str = "message", *, join: bool = True) -> JSONObject:
        """Return the fields that the decoder does not know (`ExtraDelta`).

        Args:
            of: what they are fields of.
            join: whether they go on from event to event; else the last value of each counts.
        """
        pieces = self._extra.get(of, [])
        if not pieces:
            return {}
        last = {k: v for piece in pieces for k, v in piece.items() if v is not None}
        fields: JSONObject = whole_value(join_fields(pieces) if join else last)
        return fields

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
        if self._waiting is not None and key is not None and kind != "tool_call":
            # The next block has begun: the call before it is whole.
            self._last_call = None
        self._open = block
        return block

    def _thinking(self, delta: ThinkingDelta) -> None:
        self._block("thinking", delta.block).append(delta.text)

    def _refusal(self, delta: RefusalDelta) -> None:
        self._block("refusal", None).append(delta.text)

    def _whole_text(self, delta: WholeTextDelta) -> None:
        block = self._by_key.get(delta.block)
        if block is not None and block.call is None:
            block.replace(delta.text)

    def _tool_call(self, delta: ToolCallDelta) -> list[ToolCall] | None:
        before: list[ToolCall] | None = None
        block = self._calls.get(delta.key)
        if block is None:
            key = ("call", delta.key)
            if key in self._ended:
                # Servers repeat a piece of a call that is over, behind the finish reason as a rule:
                # a call that was yielded must never be yielded again, or its tool runs twice.
                return None
            block = self._calls[delta.key] = self._last_call = self._block("tool_call", key)
            # Whatever begins behind it, the call before this one was not cut.
            before = self._waited()
        # The first of each counts: Mistral repeats them in continuations, Alibaba empties the id. A
        # name may grow, where a server splits it like the arguments.
        block.id = block.id or delta.id
        if delta.name and delta.name.startswith(block.name or ""):
            block.name = delta.name
        if delta.free:
            block.free = True
        if delta.arguments:
            block.append(delta.arguments)
        return before

    def _tool_call_end(self, delta: ToolCallEnd) -> list[ToolCall]:
        keys = list(self._calls) if delta.key is None else [delta.key]
        if self._cut is None and self._last_call is not None and not delta.whole:
            last = next((k for k in keys if self._calls.get(k) is self._last_call), None)
            if last is not None and self._last_call.has_no_arguments:
                self._waiting = last
                keys.remove(last)
        return self._complete_all(keys, whole=delta.whole)

    def _waited(self) -> list[ToolCall]:
        """Complete the call that waited to be known as whole or cut."""
        key, self._waiting = self._waiting, None
        return [] if key is None else self._complete_all([key])

    def _complete_all(self, keys: list[Hashable], *, whole: bool = False) -> list[ToolCall]:
        completed: list[ToolCall] = []
        for key in keys:
            block = self._calls.pop(key, None)
            if block is None:
                continue
            self._ended.add(("call", key))
            call = self._complete(block, whole=whole)
            if call is None:
                self._remove(block)
            else:
                completed.append(call)
        return completed

    def _complete(self, block: Block, *, whole: bool) -> ToolCall | None:
        """Return the call that is complete; None where it is one that was complete before."""
        name = block.name or ""
        arguments = block.text if block.free else one_value(block.text)
        same = self._by_id.get(block.id or "")
        if same is not None and _is_again(same, block.name, arguments):
            # Servers send one call under two indexes, or once more in the next event.
            for field, value in block.fields.items():
                if field not in same.fields:
                    same.set_field(field, value)
            return None
        if arguments is not block.text:
            block.replace(arguments)
        # Gemini's chat endpoint sends calls without an id, and under a repeated id two calls would
        # share their results: each call gets an id of its own, which its result goes back under.
        ordinal = len(self._by_id)
        call_id = block.id or f"call_{self.id or 'response'}_{ordinal}"
        while call_id in self._by_id:
            call_id = f"{call_id}_{ordinal}"
        self._by_id[call_id] = block
        cut = self._cut is True and not whole and block is self._last_call
        block.call = ToolCall(call_id, name, arguments, cut and block.has_no_arguments)
        return block.call

    def _remove(self, block: Block) -> None:
        # From the end, where what has just ended is.
        for at in range(len(self.blocks) - 1, -1, -1):
            if self.blocks[at] is block:
                del self.blocks[at]
                return

    def _fields(self, delta: BlockDelta) -> None:
        block = self._by_key.get(delta.block)
        if block is None:
            block = self._by_key[delta.block] = Block("other", delta.block)
            self.blocks.append(block)
        self._open = block
        for name, value in delta.fields.items():
            if name in delta.join:
                block.join_field(name, value)
            else:
                block.set_field(name, value)

    def _usage(self, delta: UsageDelta) -> None:
        # Never a sum: Gemini's counts grow from chunk to chunk, and Groq repeats the same ones. A
        # null takes nothing back: most servers send `usage: null` until the last chunk.
        if self.usage is None or delta.whole:
            self.usage = dict(delta.usage)
            return
        usage = self.usage
        for name, value in delta.usage.items():
            if value is not None or name not in usage:
                usage[name] = value

    def _meta(self, delta: MetaDelta) -> None:
        self.id = delta.id or self.id
        self.model = delta.model or self.model
        if delta.facts:
            self.facts.update(delta.facts)

    def _take_extra(self, delta: ExtraDelta) -> None:
        self._extra.setdefault(delta.of, []).append(delta.fields)

    def _finish(self, delta: FinishDelta) -> list[ToolCall]:
        self.finish_reason = delta.reason
        self._cut = delta.cut
        return self._waited()

    def _end(self, _delta: EndDelta) -> list[ToolCall]:
        self.ended = True
        # A call that no event closed is whole in an answer that is, unless the limit cut it.
        return self._waited() if self._cut else self.end_calls()

    def _error(self, delta: ErrorDelta) -> None:
        self.error = delta

    def _choice(self, delta: ChoiceDelta) -> None:
        if delta.index not in self.choices:
            self.choices[delta.index] = Accumulator()
        self.choices[delta.index].add([delta.delta])

    _APPLY: ClassVar[dict[type, Callable[[Accumulator, Any], list[ToolCall] | None]]] = {
        ThinkingDelta: _thinking,
        RefusalDelta: _refusal,
        WholeTextDelta: _whole_text,
        ToolCallDelta: _tool_call,
        ToolCallEnd: _tool_call_end,
        BlockDelta: _fields,
        ExtraDelta: _take_extra,
        UsageDelta: _usage,
        MetaDelta: _meta,
        FinishDelta: _finish,
        EndDelta: _end,
        ErrorDelta: _error,
        ChoiceDelta: _choice,
    }


def _is_again(block: Block, name: str | None, arguments: str) -> bool:
    call = block.call
    return call is not None and block.name == name and same_arguments(call.arguments, arguments)
