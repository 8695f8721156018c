"""Tools made of functions: their schema comes from the signature and the docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, create_model
from typing_extensions import override

from .._errors import UsageError
from .._types import JSONObject
from ._base_tool import BaseTool, ToolCall, ToolLike, object_schema


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
        return object_schema(cls._arguments_model)

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
        raise UsageError(f"{tool.__name__!r} is not a tool: derive it from BaseTool")
    if not callable(tool):
        raise UsageError(f"{tool!r} is not a tool: give a function or a subclass of BaseTool")
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


def _parse_docstring(text: str) -> tuple[str, dict[str, str]]:
    # Here, because most programs that import this package have no tools.
    from docstring_parser import parse

    parsed = parse(text)
    parts = (parsed.short_description, parsed.long_description)
    parameters = {p.arg_name: p.description for p in parsed.params if p.description}
    return "\n\n".join(part for part in parts if part), parameters
