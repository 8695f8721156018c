"""Tools while their arguments arrive: what the model has written of a call, as far as it has come.

The arguments are read by the one reader of `_structured`, each character once. A partial is a
snapshot that nothing changes later; the whole tool, which is the one that can be run, comes last.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Final, NoReturn

from pydantic import BaseModel, ConfigDict

from .._errors import ToolError
from .._provider._accumulate import Accumulator
from .._provider._block import Block
from .._provider._deltas import Delta, ToolCallDelta
from .._structured._annotations import shape_of
from .._structured._json_reader import JSONReader
from .._structured._partial_class import partial_class
from .._structured._shapes import MISSING, FieldMembers, Shape
from .._tools._base_tool import BaseTool, ToolCall
from .._tools._toolset import Toolset

_set: Final = object.__setattr__
_OF_THE_TOOL: Final = ("tool_name", "_name", "tool_description", "tool_parameters")
_PROGRESS: Final = "_mirascope_progress"


class PartialTools:
    """The tools of one response that are still arriving.

    Args:
        toolset: the tools that the model may call.
        answer: what has arrived of the response.
    """

    __slots__ = ("_answer", "_open", "_types")

    def __init__(self, toolset: Toolset, answer: Accumulator) -> None:
        self._types = {tool.tool_name(): tool for tool in toolset.types}
        self._answer = answer
        self._open: dict[Hashable, _OpenCall] = {}

    def of(self, deltas: Iterable[Delta], calls: Iterable[ToolCall]) -> Iterator[BaseTool]:
        """Yield what an event shows that is new.

        Args:
            deltas: the event's, which the answer has taken.
            calls: the calls that they completed.
        """
        for delta in deltas:
            if isinstance(delta, ToolCallDelta) and (tool := self._take(delta)) is not None:
                yield tool
        for call in calls:
            if (tool := self._rest(call)) is not None:
                yield tool

    def _take(self, delta: ToolCallDelta) -> BaseTool | None:
        """Return the partial tool after a delta that the answer has taken, if it shows more."""
        block = self._answer.open_call(delta.key)
        if block is None or block.free:
            return None
        tool_type = self._types.get(block.name or "")
        if tool_type is None:
            return None
        known = self._open.get(delta.key)
        text = delta.arguments
        if known is None or known.block is not block or known.tool_type is not tool_type:
            # A name may grow, and arguments may have come before it.
            known = self._open[delta.key] = _OpenCall(tool_type, block)
            text = block.text
        return known.partial() if known.feed(text) else None

    def _rest(self, call: ToolCall) -> BaseTool | None:
        """Return what a call that is complete has not shown yet of its last state, if anything."""
        for key, known in self._open.items():
            if known.block.call is call:
                del self._open[key]
                return known.partial() if known.close() else None
        return None


class _OpenCall:
    """One call whose arguments are arriving."""

    __slots__ = ("_length", "_news", "_reader", "block", "tool_type")

    def __init__(self, tool_type: type[BaseTool], block: Block) -> None:
        self.tool_type = tool_type
        self.block = block
        self._reader = JSONReader(_shape(tool_type), search=False)
        self._news: list[str] = []
        self._length = 0

    def feed(self, text: str) -> bool:
        """Take more of the arguments; return whether it is time for a partial."""
        self._news.append(text)
        self._length += len(text)
        return self._reader.feed(text)

    def close(self) -> bool:
        """Return whether the arguments, which are whole, have not been shown to their end."""
        return self._reader.close()

    def partial(self) -> BaseTool | None:
        found = self._reader.partial()
        if found is MISSING:
            return None
        delta = "".join(self._news)
        self._news.clear()
        found.__pydantic_private__[_PROGRESS] = (self.block, self._length, delta)
        partial: BaseTool = found
        return partial


class _PartialTool:
    """What a tool is while its arguments arrive: it has them so far, and can't be run.

    It stands before the tool's own class, whose hooks for subclasses are not run for it.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None: ...

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None: ...

    @property
    def _mirascope_progress(self) -> tuple[Block, int, str]:
        private: Any = getattr(self, "__pydantic_private__")  # noqa: B009 - mangled otherwise
        progress: tuple[Block, int, str] = private[_PROGRESS]
        return progress

    @property
    def is_partial(self) -> bool:
        return True

    @property
    def delta(self) -> str:
        return self._mirascope_progress[2]

    @property
    def args(self) -> dict[str, Any]:
        tool: Any = self
        names = tool.argument_names()
        return {name: getattr(tool, field) for field, name in names.items() if _has(tool, field)}

    @property
    def tool_call(self) -> ToolCall:
        block, length, _ = self._mirascope_progress
        return ToolCall(block.id or "", block.name or "", block.text[:length])

    @property
    def error(self) -> None:
        return None

    def call(self) -> NoReturn:
        name = self._mirascope_progress[0].name
        raise ToolError(
            f"the arguments for {name!r} are still arriving: call the tool that is not is_partial"
        )


def _has(tool: Any, field: str) -> bool:
    return field in tool.model_fields_set


@functools.lru_cache(maxsize=512)
def _shape(tool_type: type[BaseTool]) -> Shape:
    """Return the shape of a tool's arguments, whose partials are tools that can't be run."""
    shape = shape_of(tool_type)
    assert isinstance(shape, FieldMembers)  # noqa: S101 - a tool is a model
    make = shape.make
    assert make is not None  # noqa: S101 - as that of every model
    cls = _partial_tool_class(tool_type)

    def make_tool(members: dict[str, Any], arrived: set[str]) -> Any:
        tool = make(members, arrived)
        _set(tool, "__class__", cls)
        return tool

    shape.make = make_tool
    return shape


def _partial_tool_class(tool_type: type[BaseTool]) -> type[BaseTool]:
    base = partial_class(tool_type)
    namespace: dict[str, Any] = {
        "__module__": tool_type.__module__,
        "__qualname__": base.__qualname__,
        "__doc__": base.__doc__,
        "model_config": ConfigDict(defer_build=True),
    }
    metaclass: Any = type(BaseModel)
    made: type[BaseTool] = metaclass.__new__(
        type(tool_type), base.__name__, (_PartialTool, base), namespace
    )
    for name in _OF_THE_TOOL:
        # The model knows it by one name, while it arrives and afterwards.
        type.__setattr__(made, name, getattr(tool_type, name))
    return made
