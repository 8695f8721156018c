"""Function calls whose arguments are streamed piece by piece.

Vertex AI sends them so where `stream_function_call_arguments` is set:
https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from itertools import pairwise
from typing import Any, Final, cast

from mirascope.core import BlockDelta, Delta, JSONObject, ToolCallDelta, ToolCallEnd
from mirascope.core.json import as_json_text, as_object, as_objects

_STEP: Final = re.compile(
    r"""\.(?P<name>[^.\[]+) | \[(?P<index>\d+)\] | \[(?P<quote>['"])(?P<text>.*?)(?P=quote)\]""",
    re.VERBOSE,
)
_VALUES: Final = ("stringValue", "numberValue", "boolValue")


class PartialCall:
    """A function call that has begun, and what its arguments are so far.

    Args:
        key: what the accumulator calls it.
        part: the part that began it.
    """

    __slots__ = ("_args", "_growing", "_grown", "_part", "key")

    def __init__(self, key: Hashable, part: JSONObject) -> None:
        self.key = key
        self._part = part
        self._args: JSONObject = {}
        self._growing: str | None = None
        self._grown = False

    @property
    def id(self) -> str | None:
        """The id that the provider gave the call, or None."""
        sent = as_object(self._part["functionCall"]).get("id")
        return None if sent is None else str(sent)

    def add(self, call: JSONObject) -> None:
        """Take in the next piece of the call."""
        self._grown = True
        self._args.update(as_object(call.get("args")))
        for piece in as_objects(call.get("partialArgs")):
            self._set(piece)

    def end(self) -> list[Delta]:
        """Return what the whole call is."""
        if not self._grown:
            arguments = as_json_text(self._part["functionCall"].get("args"))
            return [
                ToolCallDelta(self.key, arguments=arguments),
                BlockDelta(self._part, ("call", self.key)),
                ToolCallEnd(self.key),
            ]
        return [
            ToolCallDelta(self.key, arguments=as_json_text(self._args)),
            self._whole_part(),
            ToolCallEnd(self.key),
        ]

    def cut(self) -> list[Delta]:
        """Return what is there of a call that the model did not finish.

        It stays JSON that does not end, so that nobody takes it for the call that was meant.
        """
        return [
            ToolCallDelta(self.key, arguments=as_json_text(self._args)[:-1]),
            self._whole_part(),
        ]

    def _whole_part(self) -> BlockDelta:
        call: JSONObject = self._part["functionCall"]
        whole: JSONObject = {n: call[n] for n in ("id", "name") if n in call}
        whole["args"] = self._args
        return BlockDelta({**self._part, "functionCall": whole}, ("call", self.key))

    def _set(self, piece: JSONObject) -> None:
        path = str(piece.get("jsonPath") or "")
        holder: Any = self._args
        steps = list(_steps(path))
        for step, following in pairwise(steps):
            holder = _child(holder, step, [] if isinstance(following, int) else {})
        value = next((piece[name] for name in _VALUES if name in piece), None)
        if not steps or (value is None and "nullValue" not in piece):
            return
        if path == self._growing and isinstance(value, str):
            value = f"{_child(holder, steps[-1], '')}{value}"
        _put(holder, steps[-1], value)
        self._growing = path if piece.get("willContinue") else None


def _steps(path: str) -> Iterator[str | int]:
    """Return the steps of a JSON path (RFC 9535) that names one value: `$.a.b[0]['c']`."""
    for found in _STEP.finditer(path):
        if found["index"] is not None:
            yield int(found["index"])
        else:
            yield found["name"] or found["text"] or ""


def _child(holder: Any, step: str | int, new: Any) -> Any:
    """Return what is at a step; put `new` there if nothing is."""
    if isinstance(holder, list):
        items = cast("list[Any]", holder)
        if isinstance(step, int) and step < len(items):
            return items[step]
    elif step in holder:
        return holder[step]
    _put(holder, step, new)
    return new


def _put(holder: Any, step: str | int, value: Any) -> None:
    if not isinstance(holder, list):
        holder[step] = value
        return
    items = cast("list[Any]", holder)
    if isinstance(step, int) and step < len(items):
        items[step] = value
    else:
        # Items come in their order; an index far ahead must not become a list of that length.
        items.append(value)
