"""The tools of one call, and the model's calls of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import from_json

from .._errors import ToolError, UsageError, describe
from ._base_tool import BaseTool, InvalidTool, ToolCall, ToolLike
from ._tool_types import to_tool_type


def _check_list(tools: object) -> None:
    if not isinstance(tools, (str, bytes, Mapping)) and isinstance(tools, Iterable):
        return
    given = cast("Any", tools)
    kind, name = type(given).__name__, getattr(given, "__name__", "get_weather")
    raise UsageError(f"tools must be a list of functions, not a {kind}: write tools=[{name}]")


class Toolset:
    """The tools of one call, by name.

    Args:
        tools: functions, bound methods, and subclasses of `BaseTool`.

    Raises:
        UsageError: something is not a tool, or two tools have one name.
    """

    __slots__ = ("_by_name",)

    def __init__(self, tools: Sequence[ToolLike] = ()) -> None:
        self._by_name: dict[str, type[BaseTool]] = {}
        _check_list(tools)
        for tool in tools:
            tool_type = to_tool_type(tool)
            name = tool_type.tool_name()
            if name in self._by_name:
                raise UsageError(f"two tools are named {name!r}: rename one of them")
            self._by_name[name] = tool_type

    @property
    def types(self) -> tuple[type[BaseTool], ...]:
        """The tool classes in the order given."""
        return tuple(self._by_name.values())

    def plus(self, tool: type[BaseTool]) -> Toolset:
        """Return these tools and one more, which comes last.

        Raises:
            UsageError: one of the tools has its name.
        """
        return Toolset([*self.types, tool])

    def resolve(self, tool_call: ToolCall) -> BaseTool:
        """Return the tool for a call; whatever is wrong with the call is in the tool's `error`."""
        arguments: object = {}
        if tool_call.is_cut:
            # With its defaults it would do what the model never said.
            message = f"the answer was cut before the arguments for {tool_call.name!r} came"
            return InvalidTool.of(tool_call, {}, ToolError(message))
        if text := tool_call.arguments.strip():
            try:
                arguments = from_json(text)
            except ValueError as error:
                return InvalidTool.of(
                    tool_call,
                    {},
                    ToolError(f"the arguments for {tool_call.name!r} are not valid JSON: {error}"),
                )
        # A function without parameters is called with `null` by some models.
        arguments = {} if arguments is None else arguments
        if not isinstance(arguments, dict):
            message = f"the arguments for {tool_call.name!r} are not a JSON object: {text}"
            return InvalidTool.of(tool_call, {}, ToolError(message))
        arguments = cast("dict[str, Any]", arguments)
        # Whatever a model wrote is data and not an exception: its stream goes on, and the model can
        # be told what was wrong.
        tool_type = self._by_name.get(tool_call.name)
        if tool_type is None:
            known = ", ".join(self._by_name) or "none"
            message = f"the model called {tool_call.name!r}, but the tools are: {known}"
            return InvalidTool.of(tool_call, arguments, ToolError(message))
        cause: Exception
        try:
            return tool_type.from_tool_call(tool_call, arguments)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, problem['loc'])) or 'arguments'}: {problem['msg']}"
                for problem in error.errors(include_url=False, include_input=False)
            )
            cause = error
        except Exception as error:
            # A validator of the user's that breaks over what a model wrote.
            problems, cause = describe(error), error
        failure = ToolError(f"the arguments for {tool_call.name!r} don't fit: {problems}")
        failure.__cause__ = cause
        return InvalidTool.of(tool_call, arguments, failure)
