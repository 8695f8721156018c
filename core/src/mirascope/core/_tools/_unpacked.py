"""Keyword arguments that a typed dict describes: `**options: Unpack[Options]`."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, get_args, get_origin, get_type_hints

import typing_extensions

_UNPACK: Final = (typing.Unpack, typing_extensions.Unpack)
_QUALIFIERS: Final = (
    *(typing.Required, typing.NotRequired),
    *(typing_extensions.Required, typing_extensions.NotRequired, typing_extensions.ReadOnly),
)


class _LeftOut:
    """What stands for an argument that may be missing, and is."""

    def __repr__(self) -> str:
        return "<left out>"


LEFT_OUT: Final = _LeftOut()


def unpacked(
    parameters: Iterable[inspect.Parameter], resolve: Callable[[inspect.Parameter], Any]
) -> Iterator[inspect.Parameter]:
    """Yield parameters, each key of a typed dict as one of its own.

    Args:
        parameters: the parameters of a function.
        resolve: gives the type of a parameter.
    """
    for parameter in parameters:
        fields = None
        if (
            parameter.kind is parameter.VAR_KEYWORD
            and parameter.annotation is not parameter.empty
            and get_origin(annotation := resolve(parameter)) in _UNPACK
        ):
            (fields,) = get_args(annotation)
        if fields is None:
            yield parameter
        else:
            yield from _keys(fields)


def _keys(fields: Any) -> Iterator[inspect.Parameter]:
    kind = get_origin(fields) or fields
    for name, annotation in get_type_hints(kind, include_extras=True).items():
        # The class itself does not know it of annotations that were text when it was made.
        needed = name in kind.__required_keys__
        while (qualifier := get_origin(annotation)) in _QUALIFIERS:
            if qualifier is not typing_extensions.ReadOnly:
                needed = qualifier in (typing.Required, typing_extensions.Required)
            (annotation,) = get_args(annotation)
        default = inspect.Parameter.empty if needed else LEFT_OUT
        yield inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )
