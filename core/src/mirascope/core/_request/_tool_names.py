"""The tools of a call, under names that its API takes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .._errors import UsageError
from .._provider._provider import Provider
from .._tools._base_tool import ToolLike
from .._tools._toolset import Toolset


def toolset_for(provider: Provider, tools: Sequence[ToolLike]) -> Toolset:
    """Return the tools of a call.

    Args:
        provider: whose API the tools are for.
        tools: what the user gave: functions and subclasses of `BaseTool`.

    Raises:
        UsageError: it is not a list of tools, two have one name, or the API refuses a name.
    """
    toolset = Toolset(tools)
    for tool in toolset.types:
        name = tool.tool_name()
        if name == "<lambda>":
            raise UsageError(
                "a lambda has no name that a model can call: write a function with def as the tool"
            )
        if re.fullmatch(provider.tool_name_pattern, name) is None:
            raise UsageError(
                f"the tool name {name!r} is refused by {provider.name!r}, whose names match "
                f"{provider.tool_name_pattern}: rename the function or class, or set the "
                "function's __name__"
            )
        for argument in tool.tool_parameters().get("properties", ()):
            if re.fullmatch(provider.tool_argument_pattern, argument) is None:
                raise UsageError(
                    f"the argument {argument!r} of the tool {name!r} is refused by "
                    f"{provider.name!r}, whose names match {provider.tool_argument_pattern}: "
                    "rename it, or give it an alias with Field(alias=…)"
                )
    return toolset
