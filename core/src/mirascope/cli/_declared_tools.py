"""Tools that are only declared: their names and schemas, from a JSON file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from pydantic import PrivateAttr
from typing_extensions import override

from mirascope.core import BaseTool, ToolCall, UsageError

from ._json import parse_json


class DeclaredTool(BaseTool):
    """A tool that takes whatever arguments it is called with; each one is a subclass."""

    _definition: ClassVar[Mapping[str, Any]]
    _arguments: dict[str, Any] = PrivateAttr(default_factory=dict[str, Any])

    @property
    @override
    def args(self) -> dict[str, Any]:
        return dict(self._arguments)

    @classmethod
    @override
    def tool_name(cls) -> str:
        return str(cls._definition["name"])

    @classmethod
    @override
    def tool_description(cls) -> str:
        return str(cls._definition.get("description") or "")

    @classmethod
    @override
    def tool_parameters(cls) -> dict[str, Any]:
        return dict(cls._definition.get("parameters") or {"type": "object", "properties": {}})

    @classmethod
    @override
    def from_tool_call(cls, tool_call: ToolCall, arguments: Mapping[str, Any]) -> Self:
        tool = cls()
        tool._tool_call = tool_call
        tool._arguments = dict(arguments)
        return tool


def read_declared_tools(path: str) -> list[type[BaseTool]]:
    """Read a JSON array of tools.

    A tool is `{"name", "description", "parameters"}`, or the form of chat completions, which has
    the same object under `"function"`.

    Raises:
        UsageError: the file is something else.
        OSError: it can't be read.
    """
    try:
        definitions = parse_json(Path(path).read_bytes())
    except ValueError as error:
        raise UsageError(f"{path!r} is not valid JSON: {error}") from None
    if not isinstance(definitions, list):
        raise UsageError(f"{path!r} must be a JSON array of tools")
    tools: dict[str, type[BaseTool]] = {}
    for number, item in enumerate(cast("Sequence[Any]", definitions), 1):
        definition = _definition(item)
        if definition is None:
            raise UsageError(
                f"{path!r}: tool {number} has no name; a tool is "
                '{"name": …, "description": …, "parameters": …}, or that under "function"'
            )
        name = definition["name"]
        if name in tools:
            raise UsageError(f"{path!r}: two tools are named {name!r}")
        tools[name] = type("DeclaredTool", (DeclaredTool,), {"_definition": definition})
    return list(tools.values())


def _definition(item: Any) -> Mapping[str, Any] | None:
    if not isinstance(item, dict):
        return None
    tool = cast("dict[str, Any]", item)
    inner = tool.get("function")
    definition = cast("dict[str, Any]", inner) if isinstance(inner, dict) else tool
    name = definition.get("name")
    return definition if isinstance(name, str) and name else None
