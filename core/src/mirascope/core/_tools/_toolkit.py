"""Toolkits: objects whose methods are tools that know what the object knows."""

from __future__ import annotations

import functools
import inspect
import string
from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeVar

from pydantic import BaseModel, ConfigDict

from .._errors import UsageError
from ._base_tool import BaseTool
from ._function_tool import FunctionTool
from ._texts import written

_MARK: Final = "__mirascope_toolkit_tool__"

MethodT = TypeVar("MethodT")


def toolkit_tool(method: MethodT) -> MethodT:
    """Mark a method of a `BaseToolKit` as a tool, and return it as it is.

    A method that overrides one is a tool if it is marked itself.

    Raises:
        UsageError: it is not a method.
    """
    function: Any = getattr(method, "__func__", method)
    if not inspect.isroutine(function):
        raise UsageError(f"toolkit_tool marks a method of a toolkit, not {method!r}")
    setattr(function, _MARK, True)
    return method


class BaseToolKit(BaseModel):
    """Tools that share what they need to know: each method with `@toolkit_tool` is one.

    Where a docstring has `{self.name}` in it, it is a template as a prompt is: the values are
    filled in when the tools are made, and `{{` and `}}` are braces. Any other docstring stands as
    it is. A `__namespace__` goes before the tools' names, with an underscore between.

    Example:
        ```python
        class BookTools(BaseToolKit):
            __namespace__ = "books"

            level: str

            @toolkit_tool
            def recommend(self, title: str) -> str:
                \"\"\"Recommend a book to a reader at the level {self.level}.\"\"\"
                return f"{title} for {self.level} readers"

        tools = BookTools(level="advanced").create_tools()
        ```
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    __namespace__: ClassVar[str | None] = None

    def create_tools(self) -> list[type[BaseTool]]:
        """Return the tools, in the order in which they are defined.

        Raises:
            UsageError: no method is marked, or one of them can't be a tool.
        """
        names = dict.fromkeys(n for c in reversed(type(self).__mro__) for n in vars(c))
        methods = (getattr(self, name) for name in names if self._is_tool(name))
        if tools := [_tool_of(self, method) for method in methods]:
            return tools
        raise UsageError(
            f"the toolkit {type(self).__name__!r} has no tools: mark its methods with @toolkit_tool"
        )

    def _is_tool(self, name: str) -> bool:
        # Static, for a property of the user's may do anything.
        found: Any = inspect.getattr_static(self, name, None)
        return hasattr(getattr(found, "__func__", found), _MARK)


def toolkit_tool_type(method: Callable[..., Any]) -> type[BaseTool] | None:
    """Return the tool for a marked method of a toolkit; None for anything else."""
    owner: object = getattr(method, "__self__", None)
    if isinstance(owner, BaseToolKit) and hasattr(method, _MARK):
        return _tool_of(owner, method)
    return None


def _tool_of(toolkit: BaseToolKit, method: Callable[..., Any]) -> type[BaseTool]:
    namespace = toolkit.__namespace__
    return FunctionTool.of(
        method,
        prefix=f"{namespace}_" if namespace else "",
        fill=functools.partial(_filled, toolkit),
    )


def _filled(toolkit: BaseToolKit, text: str) -> str:
    """Return a description with the values of a toolkit in it."""
    if "{self" not in text:
        return text
    owner = f"the toolkit {type(toolkit).__name__!r}"
    formatter = string.Formatter()
    parts: list[str] = []
    field: str | None = None
    try:
        for literal, field, spec, conversion in formatter.parse(text):
            parts.append(literal)
            if field is not None:
                value, _ = formatter.get_field(field, (), {"self": toolkit})
                value = formatter.convert_field(value, conversion) if conversion else value
                parts.append(written(value, spec or ""))
    except (KeyError, IndexError, AttributeError, TypeError, ValueError) as error:
        raise UsageError(
            f"{owner}: a docstring has {{{field or ''}}}, which is not filled in ({error}): name a "
            "field as in {self.name}, and write '{{' and '}}' for braces"
        ) from error
    return "".join(parts)
