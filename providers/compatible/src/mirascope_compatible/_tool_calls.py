"""Tool calls of chat completions: which call a fragment belongs to.

Servers interleave calls by index, send every call under index 0 or under none, repeat ids, names
and whole arguments in continuations, split names, or leave any of them out.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from mirascope.core import (
    Delta,
    JSONObject,
    JSONProgress,
    ToolCallDelta,
    ToolCallEnd,
    same_arguments,
)
from mirascope.core.json import as_json_text, as_object, as_objects, as_text

_GOING_ON: Final = frozenset({"index", "id", "type", "function"})
_ARGUMENTS: Final = frozenset({"arguments"})


class ToolCalls:
    """Finds out which logical call each fragment belongs to, for one choice.

    Whether a call is complete twice is not its business: fragments of a call that is over go under
    that call's key, where the accumulator passes them over.
    """

    __slots__ = ("_by_id", "_by_index", "_count", "_last", "_whole")

    def __init__(self) -> None:
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._last: _Call | None = None
        self._count = 0
        # Calls whose arguments are whole and that have not been ended.
        self._whole: deque[_Call] = deque()

    def take(self, fragments: Any, deltas: list[Delta]) -> None:
        """Read the `tool_calls` of a delta."""
        for fragment in as_objects(fragments):
            free = "custom" in fragment
            function: JSONObject = as_object(fragment.get("custom" if free else "function"))
            call_id, name = _text(fragment.get("id")), _text(function.get("name"))
            # Ollama and others send the arguments as an object, not as JSON text.
            arguments = as_json_text(function.get("arguments", function.get("input")))
            index = whole_number(fragment.get("index"))
            call = self._find(index, call_id, name, arguments)
            if call is None:
                call = self._begin(index, call_id, deltas)
            call.id = call.id or call_id
            if call_id:
                self._by_id[call_id] = call
            if name:
                call.take_name(name)
            if not free and call.take_arguments(arguments):
                self._whole.append(call)
            self._last = call
            deltas.append(ToolCallDelta(call.key, call_id, name and call.name, arguments, free))

    def goes_on(self, fragments: Any, deltas: list[Delta]) -> bool:
        """Take a fragment that only adds arguments to the call of its index, as nearly all do.

        Returns:
            Whether it was one: it does what `take` does, without the questions that an id, a name
            or a field of its own would raise (1.5 µs).
        """
        if fragments.__class__ is not list or len(fragments) != 1:
            return False
        fragment: Any = fragments[0]
        if fragment.__class__ is not dict or not fragment.keys() <= _GOING_ON or fragment.get("id"):
            return False
        function: Any = fragment.get("function")
        index: Any = fragment.get("index")
        if (
            type(index) is not int
            or function.__class__ is not dict
            or function.keys() != _ARGUMENTS
        ):
            return False
        call = self._by_index.get(index)
        arguments: Any = function["arguments"]
        if call is None or type(arguments) is not str:
            return False
        self._last = call
        self.last_takes(arguments)
        deltas.append(ToolCallDelta(call.key, None, None, arguments))
        return True

    def last_takes(self, arguments: str) -> None:
        """Take more arguments of the call that the last fragment was of."""
        if self._last is not None and self._last.take_arguments(arguments):
            self._whole.append(self._last)

    def end(self, deltas: list[Delta]) -> None:
        """The choice has finished: whatever is open is complete."""
        if self._count:
            deltas.append(ToolCallEnd())

    def _find(
        self, index: int | None, call_id: str | None, name: str | None, arguments: str
    ) -> _Call | None:
        """Return the call that a fragment continues, or None if it begins one."""
        if index is None:
            call = self._by_id.get(call_id) if call_id else self._last
        else:
            call = self._by_index.get(index)
            if call is not None and call_id and call.id and call_id != call.id:
                # Another call under this index, or a late fragment of one that was under it.
                known = self._by_id.get(call_id)
                return known if known is not None and known.index == index else None
        if call is None or not name or call.name is None:
            return call
        if not call.progress.is_whole:
            if name == call.name:
                return call
            # Another name: the rest of a split one, unless nothing else shows that this is the call
            # that has begun.
            return call if call_id or call.id or call.progress.begun else None
        if name != call.name:
            return None
        if not arguments.strip() or call.says(arguments):
            return call
        if call_id or call.id:
            # A server that gives ids begins a call with one. `{}` holds the place of what follows.
            is_another = call_id is not None and _is_whole(arguments) and not call.is_empty
            return None if is_another else call
        return None

    def _begin(self, index: int | None, call_id: str | None, deltas: list[Delta]) -> _Call:
        # Once another call begins, calls whose arguments are whole JSON can't grow any more. Only
        # `{}` may hold the place of what is to come: such a call ends when the choice does, and
        # those behind it with it, so that calls come in their order.
        while self._whole and (self._whole[0].index is None or not self._whole[0].is_empty):
            deltas.append(ToolCallEnd(self._whole.popleft().key))
        call = _Call(self._count, index, call_id)
        self._count += 1
        if index is not None:
            self._by_index[index] = call
        return call


class _Call:
    """A call that has begun, as far as its fragments must be told from others'."""

    __slots__ = ("_pieces", "id", "index", "key", "name", "progress")

    def __init__(self, key: int, index: int | None, call_id: str | None) -> None:
        self.key = key
        self.index = index
        self.id = call_id
        self.name: str | None = None
        self.progress = JSONProgress()
        self._pieces: list[str] = []

    def take_name(self, name: str) -> None:
        """Take a name: the first, the same again, or the next part of a split one."""
        known = self.name or ""
        if name != known:
            self.name = name if name.startswith(known) else known + name

    def take_arguments(self, text: str) -> bool:
        """Take more of the arguments; return whether they are whole by it."""
        if self.progress.is_whole:
            return False
        self._pieces.append(text)
        self.progress.feed(text)
        return self.progress.is_whole

    @property
    def is_empty(self) -> bool:
        """Whether the arguments are whole and empty."""
        return len(self._pieces) < 4 and "".join(self._pieces).split() in (["{}"], ["{", "}"])

    def says(self, arguments: str) -> bool:
        """Whether these are the call's own arguments once more."""
        text = "".join(self._pieces)
        self._pieces = [text]
        return same_arguments(text, arguments)


def whole_number(value: object) -> int | None:
    """Return a number that counts something, which some servers send as text, or None."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value) if len(value) < 10 else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    """Return an id or a name, which a server may send as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else as_text(value)


def _is_whole(text: str) -> bool:
    progress = JSONProgress()
    return progress.feed(text) == len(text.rstrip())
