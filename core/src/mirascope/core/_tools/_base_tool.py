"""Tools: functions and classes that a model may call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, PrivateAttr
from pydantic_core import to_json
from typing_extensions import override

from .._errors import ToolError
from .._types import JSONObject


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as the model made it.

    Attributes:
        id: the provider's id, or one that was made up where the provider sent none; the result of
            the call goes back under it.
        name: the tool's name as the model wrote it.
        arguments: the arguments as JSON text, exactly as they arrived.
    """

    id: str
    name: str
    arguments: str


class BaseTool(BaseModel):
    """A tool whose arguments are the fields of the class and whose action is `call`.

    The class's docstring is the description that the model reads, `Field(description=…)` those of
    the arguments.

    Example:
        ```python
        class FormatBook(BaseTool):
            \"\"\"Return a book's title and author on one line.\"\"\"

            title: str
            author: str

            def call(self) -> str:
                return f"{self.title} by {self.author}"
        ```
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, protected_namespaces=())

    _tool_call: ToolCall = PrivateAttr(default=ToolCall("", "", "{}"))

    def call(self) -> Any:
        """Run the tool and return its result (an awaitable for an asynchronous function).

        Raises:
            ToolError: the model's call can't be run: see `error`.
        """
        raise ToolError(f"{type(self).__name__} does not define call()")

    @property
    def args(self) -> dict[str, Any]:
        """The validated arguments by name."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    @property
    def tool_call(self) -> ToolCall:
        """The model's call: its id, name and arguments as they arrived."""
        return self._tool_call

    @property
    def error(self) -> ToolError | None:
        """Why this call can't be run, or None for a good one."""
        return None

    def result_text(self, output: Any) -> str:
        """Return the result of this call as the text that goes back to the model.

        Args:
            output: what `call` returned: a string is the text, anything else becomes JSON, with
                `str()` for what JSON can't express. None for a call that can't be run is its error.
        """
        if output is None and self.error is not None:
            output = str(self.error)
        return output if isinstance(output, str) else to_json(output, fallback=str).decode()

    @classmethod
    def tool_name(cls) -> str:
        """The name that the model calls."""
        return cls.__name__

    @classmethod
    def tool_description(cls) -> str:
        """The description that the model reads."""
        own = cls.__doc__ if cls.__doc__ != BaseTool.__doc__ else None
        return inspect.cleandoc(own or "")

    @classmethod
    def tool_parameters(cls) -> JSONObject:
        """The JSON schema of the arguments."""
        return object_schema(cls)

    @classmethod
    def from_tool_call(cls, tool_call: ToolCall, arguments: Mapping[str, Any]) -> Self:
        """Return the tool for a call.

        Raises:
            pydantic.ValidationError: the arguments don't fit.
        """
        tool = cls.model_validate(arguments)
        tool._tool_call = tool_call
        return tool


class InvalidTool(BaseTool):
    """A call that can't be run: an unknown name, invalid JSON, arguments that don't fit."""

    _error: ToolError = PrivateAttr()
    _arguments: dict[str, Any] = PrivateAttr(default_factory=dict[str, Any])

    @override
    def call(self) -> Any:
        raise self._error

    @property
    @override
    def args(self) -> dict[str, Any]:
        """The arguments as they parsed, not validated; empty if they are not a JSON object."""
        return dict(self._arguments)

    @property
    @override
    def error(self) -> ToolError:
        return self._error

    @classmethod
    def of(cls, tool_call: ToolCall, arguments: Mapping[str, Any], error: ToolError) -> Self:
        """Return the tool that carries `error`."""
        tool = cls()
        tool._tool_call = tool_call
        tool._arguments = dict(arguments)
        tool._error = error
        return tool


ToolLike: TypeAlias = type[BaseTool] | Callable[..., Any]
"""What `tools=` takes: functions and subclasses of `BaseTool`."""


def object_schema(model: type[BaseModel]) -> JSONObject:
    """Return the JSON schema of a model's fields, without what only repeats their names."""
    schema = model.model_json_schema()
    _drop_titles(schema)
    schema.pop("description", None)
    schema.setdefault("properties", {})
    return schema


def _drop_titles(schema: Any) -> None:
    """Remove the titles that pydantic derives from names: tokens without information."""
    if isinstance(schema, dict):
        node = cast("dict[str, Any]", schema)
        if isinstance(node.get("title"), str):
            del node["title"]
        for key, value in node.items():
            if key in ("properties", "$defs"):
                for child in cast("dict[str, Any]", value).values():
                    _drop_titles(child)
            elif key not in ("default", "examples", "const", "enum"):
                _drop_titles(value)
    elif isinstance(schema, list):
        for child in cast("list[Any]", schema):
            _drop_titles(child)
