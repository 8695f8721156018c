"""Tools: functions and classes that a model may call."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, PrivateAttr
from pydantic_core import to_json
from typing_extensions import override

from .._errors import ToolError, UsageError
from .._types import JSONObject
from ._schemas import object_schema


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as the model made it.

    Attributes:
        id: the provider's id, or one that was made up where the provider sent none; the result of
            the call goes back under it.
        name: the tool's name as the model wrote it.
        arguments: the arguments as JSON text, exactly as they arrived.
        is_cut: whether the answer was cut, by a limit as a rule, before any argument came.
    """

    id: str
    name: str
    arguments: str
    is_cut: bool = False


class ErrorText(str):
    """What the model is told of a call that can't be run.

    It can be awaited, so that a loop over asynchronous tools needs no other path for such a call.
    """

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, str]:
        yield from ()
        return self


class BaseTool(BaseModel):
    """A tool whose arguments are the fields of the class and whose action is `call`.

    The class's docstring is the description that the model reads, `Field(description=…)` those of
    the arguments. A field can't have the name of a member of this class, such as `args` or `error`;
    `error_: str = Field(alias="error")` is one that the model knows by such a name.

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

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse fields that would hide what a tool or a model is.

        Raises:
            UsageError: there is such a field.
        """
        super().__init_subclass__(**kwargs)
        own = [base for base in cls.__mro__ if base not in BaseTool.__mro__]
        for name, annotation in ((n, a) for base in own for n, a in _annotations(base).items()):
            hides = name in _MEMBERS or (name.startswith("model_") and hasattr(BaseModel, name))
            if hides and "ClassVar" not in str(annotation):
                raise UsageError(
                    f"the tool {cls.__name__!r} can't have a field {name!r}, which is a member of "
                    f"every tool: write {name + '_'!r} with Field(alias={name!r})"
                )

    def call(self) -> Any:
        """Run the tool and return its result, which an asynchronous tool's caller has to await.

        Of a call that can't be run, the text of its `error` is the result, awaited or not: it is
        what the model is told.

        Raises:
            ToolError: the class does not say what its tools do.
        """
        raise ToolError(f"{type(self).__name__} does not define call()")

    @property
    def args(self) -> dict[str, Any]:
        """The validated arguments by name."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    @property
    def is_partial(self) -> bool:
        """Whether the arguments are still arriving (`stream={"partial_tools": True}`).

        Such a tool has those that have come, and None for the others. It is not validated and can't
        be run.
        """
        return False

    @property
    def delta(self) -> str | None:
        """What has arrived since the partial tool before it, as JSON text; None for a whole one."""
        return None

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
        return cls._name() if cls._overrides("_name") else cls.__name__

    @classmethod
    def _name(cls) -> str:
        """The name, as Mirascope v1 spelt it; a class that overrides this renames its tool."""
        return cls.tool_name() if cls._overrides("tool_name") else cls.__name__

    @classmethod
    def _overrides(cls, name: str) -> bool:
        return any(name in vars(c) for c in cls.__mro__[: cls.__mro__.index(BaseTool)])

    @classmethod
    def argument_names(cls) -> Mapping[str, str]:
        """The names of the arguments in `args`, by the field that has the value."""
        return {name: name for name in cls.model_fields}

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


_MEMBERS: Final = frozenset(name for name in vars(BaseTool) if not name.startswith("__"))


def _annotations(kind: type) -> Mapping[str, Any]:
    """Return the annotations of a class itself, unresolved names left as they are."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        return get_annotations(kind, format=Format.FORWARDREF)
    return inspect.get_annotations(kind)


class InvalidTool(BaseTool):
    """A call that can't be run: an unknown name, invalid JSON, arguments that don't fit."""

    _error: ToolError = PrivateAttr()
    _arguments: dict[str, Any] = PrivateAttr(default_factory=dict[str, Any])

    @override
    def call(self) -> ErrorText:
        return ErrorText(self._error)

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
