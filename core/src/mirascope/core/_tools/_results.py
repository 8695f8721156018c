"""What tools returned, before it becomes messages."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, cast

from .._errors import UsageError
from ._base_tool import BaseTool, ErrorText


def check_results(results: Sequence[tuple[BaseTool, Any]]) -> list[tuple[BaseTool, Any]]:
    """Return the pairs of a tool and its output as providers take them.

    The output of a call that could not be run is None: each provider has its own way to give the
    tool's error back.

    Raises:
        UsageError: something is not such a pair, or an output was not awaited.
    """
    checked: list[tuple[BaseTool, Any]] = []
    for pair in cast("Sequence[Any]", results):
        if not (isinstance(pair, tuple) and len(pair := cast("tuple[Any, ...]", pair)) == 2):
            raise UsageError(f"a result is a pair (tool, output), not {pair!r}")
        tool, output = pair
        if not isinstance(tool, BaseTool):
            raise UsageError(f"a result is a pair (tool, output), and {tool!r} is not a tool")
        if tool.is_partial:
            raise UsageError(
                f"the arguments for {tool.tool_call.name!r} are still arriving: give the result of "
                "the tool that is not is_partial"
            )
        if isinstance(output, ErrorText):
            output = None
        elif unfinished := _unfinished(output):
            name = tool.tool_call.name or tool.tool_name()
            raise UsageError(f"the output of {name!r} is {unfinished}")
        checked.append((tool, output))
    return checked


def _unfinished(output: object) -> str | None:
    """Return what to do about an output that an asynchronous tool has yet to make."""
    if isinstance(output, (str, bytes, int, float, type(None))):
        return None
    if inspect.isawaitable(output):
        return "not there yet: write 'await tool.call()' (or asyncio.run() outside of a coroutine)"
    if hasattr(output, "__aiter__"):
        return "an asynchronous iterator: gather what it yields with 'async for'"
    inner: Sequence[object] = ()
    if isinstance(output, Mapping):
        inner = [*cast("Mapping[Any, object]", output).values()]
    elif isinstance(output, (list, tuple)):
        inner = cast("Sequence[object]", output)
    return next(filter(None, map(_unfinished, inner)), None)
