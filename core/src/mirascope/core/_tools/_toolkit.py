"""Toolkits: objects whose methods are tools that know what the object knows."""

from __future__ import annotations

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
        if tools := [self._tool(method) for method in methods]:
            return tools
        raise UsageError(
            f"the toolkit {type(self).__name__!r} has no tools: mark its methods with @toolkit_tool"
        )

    def _is_tool(self, name: str) -> bool:
        # Static, for a property of the user's may do anything.
        found: Any = inspect.getattr_static(self, name, None)
        return hasattr(getattr(found, "__func__", found), _MARK)

    def _tool(self, method: Callable[..., Any]) -> type[BaseTool]:
        prefix = f"{self.__namespace__}_" if self.__namespace__ else ""
        return FunctionTool.of(method, prefix=prefix, fill=self._filled)

    def _filled(self, text: str) -> str:
        """Return a description with the values of this toolkit in it."""
        owner = f"the toolkit {type(self).__name__!r}"
        try:
            pieces = list(string.Formatter().parse(text)) if "{self" in text else None
        except ValueError as error:
            raise UsageError(
                f"{owner}: {error} in {text!r}: write '{{{{' and '}}}}' for braces"
            ) from None
        return text if pieces is None else "".join(self._piece(owner, *p) for p in pieces)

    def _piece(
        self,
        owner: str,
        literal: str,
        field: str | None,
        spec: str | None,
        conversion: str | None,
    ) -> str:
        if field is None:
            return literal
        formatter = string.Formatter()
        try:
            value, _ = formatter.get_field(field, (), {"self": self})
            if conversion:
                value = formatter.convert_field(value, conversion)
            return literal + written(value, spec or "")
        except (KeyError, IndexError, AttributeError, TypeError, ValueError) as error:
            raise UsageError(
                f"{owner}: a docstring has {{{field}}}, which is not filled in ({error}): name a "
                "field as in {self.name}, and write '{{' and '}}' for braces"
            ) from error


def toolkit_tool_type(method: Callable[..., Any]) -> type[BaseTool] | None:
    """Return the tool for a marked method of a toolkit; None for anything else."""
    owner: object = getattr(method, "__self__", None)
    if isinstance(owner, BaseToolKit) and hasattr(method, _MARK):
        return owner._tool(method)
    return None
