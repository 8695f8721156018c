"""Tools made of functions: their schema comes from the signature and the docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Self, get_args, get_origin

from pydantic import ConfigDict, Field, WrapSerializer, create_model
from pydantic.fields import FieldInfo
from typing_extensions import override

from .._types import JSONObject
from ._base_tool import BaseTool
from ._docstrings import parse_docstring
from ._schemas import describe_property, object_schema, refuse_types
from ._signatures import read_signature
from ._unpacked import LEFT_OUT

_AS_NONE: Final = WrapSerializer(
    lambda value, serialize: None if value is LEFT_OUT else serialize(value)
)


@dataclass(frozen=True, slots=True)
class _Function:
    """What a tool calls and how.

    Attributes:
        name: the name that the model calls.
        call: what is called.
        description: what the model reads.
        schema: the JSON schema of the arguments.
        fields: the field of the tool that has each parameter's value, and the parameter.
    """

    name: str
    call: Callable[..., Any]
    description: str
    schema: JSONObject
    fields: Mapping[str, inspect.Parameter]


class FunctionTool(BaseTool):
    """A tool made of a function: a subclass of this class whose fields are the parameters."""

    model_config = ConfigDict(serialize_by_alias=True)

    _function: ClassVar[_Function]

    @override
    def call(self) -> Any:
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for field, parameter in self._function.fields.items():
            value = getattr(self, field)
            # What the model left out is the function's own default, and not pydantic's copy of it.
            if field not in self.model_fields_set and _is_plain(parameter):
                value = parameter.default
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            elif value is not LEFT_OUT:
                named[parameter.name] = value
        return self._function.call(*positional, **named)

    @property
    @override
    def args(self) -> dict[str, Any]:
        values = {name: getattr(self, field) for field, name in self.argument_names().items()}
        return {name: value for name, value in values.items() if value is not LEFT_OUT}

    @classmethod
    @override
    def argument_names(cls) -> Mapping[str, str]:
        return {field: parameter.name for field, parameter in cls._function.fields.items()}

    @classmethod
    @override
    def tool_name(cls) -> str:
        return cls._function.name

    @classmethod
    @override
    def tool_description(cls) -> str:
        return cls._function.description

    @classmethod
    @override
    def tool_parameters(cls) -> JSONObject:
        return deepcopy(cls._function.schema)

    @classmethod
    def of(
        cls, tool: Callable[..., Any], *, prefix: str = "", fill: Callable[[str], str] = str
    ) -> type[Self]:
        """Return the tool that calls something.

        Args:
            tool: a function, or anything else that can be called.
            prefix: what stands before its name.
            fill: fills in each description, after the docstring has been taken apart.

        Raises:
            UsageError: a model can't call it, or a parameter's type has no JSON schema.
        """
        signature = read_signature(tool)
        name = prefix + signature.name
        description, described = parse_docstring(
            signature.doc, signature.parameters.keys(), signature.bound
        )
        description = fill(description)
        parameters = {
            _field_name(p.name, i): p for i, p in enumerate(signature.parameters.values())
        }
        fields: dict[str, Any] = {
            field: _field(field, parameter, signature.annotations[parameter.name])
            for field, parameter in parameters.items()
        }
        try:
            tool_type = create_model(
                name,
                __base__=cls,
                __module__=getattr(tool, "__module__", None) or __name__,
                __doc__=description,
                **fields,
            )
            schema = object_schema(tool_type)
        except Exception as error:
            raise refuse_types(name, signature.annotations, error) from error
        for field, parameter in parameters.items():
            # What a `Field` tells is meant for the model; a docstring is for everybody.
            if text := described.get(parameter.name):
                describe_property(
                    schema, _property(field, tool_type.model_fields[field]), fill(text)
                )
        tool_type._function = _Function(name, tool, description, schema, parameters)
        return tool_type


def _field_name(parameter: str, index: int) -> str:
    """Return a parameter's field: its name, unless that means something to tools or pydantic."""
    taken = parameter.startswith("_") or hasattr(FunctionTool, parameter)
    return f"argument_{index}_" if taken else parameter


def _field(field: str, parameter: inspect.Parameter, annotation: Any) -> Any:
    if field != parameter.name:
        # First, so that an alias of the user's counts.
        kind, *metadata = (
            get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
        )
        annotation = Annotated[(kind, Field(alias=parameter.name), *metadata)]
    if parameter.default is parameter.empty:
        # Without an ellipsis, which would cover a default in `Annotated[…, Field(5)]`.
        return annotation
    if parameter.default is LEFT_OUT:
        return Annotated[(annotation, _AS_NONE)], Field(default_factory=lambda: LEFT_OUT)
    if parameter.default is ...:
        # For pydantic an ellipsis is a field without a default.
        return annotation, Field(default_factory=lambda: ...)
    return annotation, parameter.default


def _is_plain(parameter: inspect.Parameter) -> bool:
    """Whether a parameter has a default that the function itself takes."""
    default = parameter.default
    return default is not parameter.empty and not isinstance(default, FieldInfo)


def _property(field: str, info: FieldInfo) -> str:
    alias = info.validation_alias
    return alias if isinstance(alias, str) else info.alias or field
