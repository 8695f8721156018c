"""Tools: functions and classes that a model may call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeAlias, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, create_model
from pydantic_core import from_json
from typing_extensions import override

from ._deltas import JSONObject
from ._errors import ToolError, UsageError, describe


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
        return _object_schema(cls)

    @classmethod
    def from_tool_call(cls, tool_call: ToolCall, arguments: Mapping[str, Any]) -> Self:
        """Return the tool for a call.

        Raises:
            pydantic.ValidationError: the arguments don't fit.
        """
        tool = cls.model_validate(arguments)
        tool._tool_call = tool_call
        return tool


class FunctionTool(BaseTool):
    """A tool made of a function; each one is a subclass of this class with its own `fn`."""

    fn: ClassVar[Callable[..., Any]]
    _name: ClassVar[str]
    _description: ClassVar[str]
    _arguments_model: ClassVar[type[BaseModel]]
    _arguments: dict[str, Any] = PrivateAttr(default_factory=dict[str, Any])

    @override
    def call(self) -> Any:
        return type(self).fn(**self._arguments)

    @property
    @override
    def args(self) -> dict[str, Any]:
        return dict(self._arguments)

    @classmethod
    @override
    def tool_name(cls) -> str:
        return cls._name

    @classmethod
    @override
    def tool_description(cls) -> str:
        return cls._description

    @classmethod
    @override
    def tool_parameters(cls) -> JSONObject:
        return _object_schema(cls._arguments_model)

    @classmethod
    @override
    def from_tool_call(cls, tool_call: ToolCall, arguments: Mapping[str, Any]) -> Self:
        validated = cls._arguments_model.model_validate(arguments)
        tool = cls()
        tool._tool_call = tool_call
        tool._arguments = {
            field.alias or name: getattr(validated, name)
            for name, field in type(validated).model_fields.items()
        }
        return tool


class InvalidTool(BaseTool):
    """A call that can't be run: an unknown name, text that is no JSON, arguments that don't fit."""

    _error: ToolError = PrivateAttr()
    _arguments: dict[str, Any] = PrivateAttr(default_factory=dict[str, Any])

    @override
    def call(self) -> Any:
        raise self._error

    @property
    @override
    def args(self) -> dict[str, Any]:
        """The arguments as they parsed, not validated; empty if they are no JSON object."""
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


class Toolset:
    """The tools of one call, by name.

    Args:
        tools: functions, bound methods, and subclasses of `BaseTool`.

    Raises:
        UsageError: something is no tool, or two tools have one name.
    """

    __slots__ = ("_by_name",)

    def __init__(self, tools: Sequence[ToolLike] = ()) -> None:
        self._by_name: dict[str, type[BaseTool]] = {}
        for tool in tools:
            tool_type = to_tool_type(tool)
            name = tool_type.tool_name()
            if name in self._by_name:
                raise UsageError(f"two tools are named {name!r}: rename one")
            self._by_name[name] = tool_type

    @property
    def types(self) -> tuple[type[BaseTool], ...]:
        """The tool classes in the order given."""
        return tuple(self._by_name.values())

    def resolve(self, tool_call: ToolCall) -> BaseTool:
        """Return the tool for a call; whatever is wrong with the call is in the tool's `error`."""
        arguments: object = {}
        if text := tool_call.arguments.strip():
            try:
                arguments = from_json(text)
            except ValueError as error:
                return InvalidTool.of(
                    tool_call,
                    {},
                    ToolError(f"the arguments for {tool_call.name!r} are not JSON: {error}"),
                )
        # A function without parameters is called with `null` by some models.
        arguments = {} if arguments is None else arguments
        if not isinstance(arguments, dict):
            message = f"the arguments for {tool_call.name!r} are no JSON object: {text}"
            return InvalidTool.of(tool_call, {}, ToolError(message))
        arguments = cast("dict[str, Any]", arguments)
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


def to_tool_type(tool: ToolLike) -> type[BaseTool]:
    """Return the tool class for a function or a tool class.

    A function's parameters, annotations and defaults give the schema; its docstring (Google,
    NumPy, reST or Epydoc style) gives the descriptions.

    Raises:
        UsageError: `tool` is neither, or has parameters that a model can't fill in by name.
    """
    if isinstance(tool, type):
        if issubclass(tool, BaseTool):
            return tool
        raise UsageError(f"{tool.__name__!r} is no tool: derive it from BaseTool")
    if not callable(tool):
        raise UsageError(f"{tool!r} is no tool: give a function or a subclass of BaseTool")
    name = getattr(tool, "__name__", type(tool).__name__)
    description, parameter_docs = _parse_docstring(inspect.getdoc(tool) or "")
    return type(
        name,
        (FunctionTool,),
        {
            "__doc__": description,
            "__module__": getattr(tool, "__module__", __name__),
            "fn": staticmethod(tool),
            "_name": name,
            "_description": description,
            "_arguments_model": _arguments_model(tool, name, parameter_docs),
            "__annotations__": {
                "fn": ClassVar[Callable[..., Any]],
                "_name": ClassVar[str],
                "_description": ClassVar[str],
                "_arguments_model": ClassVar[type[BaseModel]],
            },
        },
    )


def _arguments_model(
    fn: Callable[..., Any], name: str, parameter_docs: Mapping[str, str]
) -> type[BaseModel]:
    try:
        hints = get_type_hints(fn, include_extras=True)
    except (NameError, TypeError):
        # Names under TYPE_CHECKING can't be resolved at run time: the arguments are then not typed.
        hints = {}
    fields: dict[str, Any] = {}
    for index, parameter in enumerate(inspect.signature(fn).parameters.values()):
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise UsageError(
                f"tool {name!r}: a model gives arguments by name, which {parameter} does not take"
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        # A description in the annotation (`Annotated[…, Field(description=…)]`) is not to be
        # covered by the lack of one in the docstring.
        text = parameter_docs.get(parameter.name)
        described: dict[str, Any] = {"description": text} if text else {}
        # The field's own name is hidden behind the alias, so that no parameter can clash with
        # an attribute of pydantic's models or begin with an underscore.
        fields[f"argument_{index}"] = (
            hints.get(parameter.name, Any),
            Field(default, alias=parameter.name, **described),
        )
    return create_model(name, __config__=ConfigDict(arbitrary_types_allowed=True), **fields)


def _object_schema(model: type[BaseModel]) -> JSONObject:
    schema = model.model_json_schema()
    _drop_titles(schema)
    schema.pop("description", None)
    schema.setdefault("properties", {})
    return schema


def _drop_titles(schema: Any) -> None:
    """Remove the titles that pydantic derives from names: tokens that say nothing new."""
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


def _parse_docstring(text: str) -> tuple[str, dict[str, str]]:
    from docstring_parser import parse

    parsed = parse(text)
    parts = (parsed.short_description, parsed.long_description)
    parameters = {p.arg_name: p.description for p in parsed.params if p.description}
    return "\n\n".join(part for part in parts if part), parameters
