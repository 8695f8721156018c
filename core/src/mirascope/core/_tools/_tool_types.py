"""What `tools=` takes becomes a tool class."""

from __future__ import annotations

from typing import Annotated

from .._errors import UsageError
from ._base_tool import BaseTool, ToolLike
from ._function_tool import FunctionTool
from ._schemas import refuse_types
from ._toolkit import BaseToolKit, toolkit_tool_type


def to_tool_type(tool: ToolLike) -> type[BaseTool]:
    """Return the tool class for a function, anything else that can be called, or a tool class.

    Parameters, annotations and defaults give the schema; the docstring (Google, NumPy, reST or
    Epydoc style) gives the descriptions. A method of a toolkit is the tool that its
    `create_tools()` makes of it.

    Raises:
        UsageError: `tool` is neither, or has parameters that a model can't fill in by name, or
            whose types have no JSON schema.
    """
    if isinstance(tool, type):
        if not issubclass(tool, BaseTool):
            raise UsageError(f"{tool.__name__!r} is not a tool: derive it from BaseTool")
        try:
            tool.tool_parameters()
        except Exception as error:
            fields = tool.model_fields.items()
            types = {name: Annotated[(f.annotation, f)] for name, f in fields}
            raise refuse_types(tool.__name__, types, error) from error
        return tool
    if isinstance(tool, BaseToolKit):
        raise UsageError(f"{type(tool).__name__!r} is a toolkit: give *toolkit.create_tools()")
    if not callable(tool):
        raise UsageError(f"{tool!r} is not a tool: give a function or a subclass of BaseTool")
    return toolkit_tool_type(tool) or FunctionTool.of(tool)
