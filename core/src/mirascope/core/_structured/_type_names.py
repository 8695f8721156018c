"""What stands for a type: variables, names in quotes, aliases."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Union, get_args, get_origin

import typing_extensions
from typing_extensions import TypeAliasType

ALIASES: Final = tuple({TypeAliasType, getattr(typing, "TypeAliasType", TypeAliasType)})
"""The classes of types that have a name (`type Pair = …`)."""


def default(variable: Any) -> Any:
    """Return what a type variable that nothing was given for stands for, as pydantic reads it."""
    default = getattr(variable, "__default__", None)
    if default not in (None, getattr(typing, "NoDefault", None), typing_extensions.NoDefault):
        return default
    if variable.__constraints__:
        return Union[variable.__constraints__]  # noqa: UP007 - of any types
    return variable.__bound__ or Any


def evaluated(annotation: str | typing.ForwardRef, module: str) -> Any:
    if isinstance(annotation, str):
        annotation = typing.ForwardRef(annotation)
    try:
        return typing_extensions.evaluate_forward_ref(annotation, globals=vars(sys.modules[module]))
    except Exception:
        # Only pydantic, which was told of more names, knows what it is: it stays hidden.
        return Ellipsis


def arguments(parameters: Iterable[Any], args: Iterable[Any]) -> dict[Any, Any]:
    return dict(zip(parameters, args, strict=False))


def literals(args: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for arg in args:
        value = arg
        if isinstance(value, ALIASES):
            found += literals(get_args(value.__value__))
        else:
            found.append(value)
    return found


def bare(annotation: Any, variables: Mapping[Any, Any]) -> Any:
    """Return a type without constraints and validators of its own."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, typing.TypeVar):
        return variables.get(annotation, default(annotation))
    return annotation
