"""A list whose items are wanted one by one, each once it is whole."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, TypeAdapter
from typing_extensions import is_typeddict

from .._errors import UsageError
from ._response_model import VALUE, ResponseModel, shown_type

_LISTS: Final = (list, set, frozenset, tuple)


class ItemList:
    """A list in a response model.

    Attributes:
        places: where its JSON may stand; see `JSONReader`.

    Args:
        model: the response model.
        of: which of its lists: a function that takes it from a value (`lambda r: r.sections`), or
            its name, dotted where it stands deeper; None where the response model is the list.

    Raises:
        UsageError: there is no such list.
    """

    def __init__(
        self, model: ResponseModel[Any], of: str | Callable[[Any], Any] | None = None
    ) -> None:
        path = _path(of)
        self.places: tuple[tuple[str, ...], ...]
        self.places = (path,) if path else ((VALUE,), ()) if model.is_wrapped else ()
        annotation = model.annotation
        for name in path:
            annotation = _member(annotation, name, model)
        annotation = _bare(annotation)
        if isinstance(annotation, type) and issubclass(annotation, RootModel) and not path:
            annotation = _bare(annotation.model_fields["root"].annotation)
        args = get_args(annotation)
        is_list = get_origin(annotation) in _LISTS and (len(args) == 1 or args[1:] == (Ellipsis,))
        if not is_list:
            what = f"{'.'.join(path)!r} of {model.shown}" if path else model.shown
            raise UsageError(
                f"items() needs a list, which {what} is not: name a list of the response model, "
                "as in items(lambda report: report.sections)"
            )
        self.validate: Callable[[str], Any] = TypeAdapter[Any](args[0]).validate_json


class _Path:
    """Stands for a value, to learn which member of it is asked for."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self._names = names

    def __getattr__(self, name: str) -> _Path:
        return _Path((*self._names, name))

    def __getitem__(self, name: str) -> _Path:
        return _Path((*self._names, name))


def _path(of: str | Callable[[Any], Any] | None) -> tuple[str, ...]:
    if of is None:
        return ()
    if isinstance(of, str):
        return tuple(of.split("."))
    found = of(_Path())
    if not isinstance(found, _Path):
        raise UsageError("items() takes a function that returns a list, as in lambda r: r.sections")
    return found._names  # pyright: ignore[reportPrivateUsage]


def _member(annotation: Any, name: str, model: ResponseModel[Any]) -> Any:
    """Return the type of a member."""
    owner: Any = _bare(annotation)
    found: Any = None
    if _is_model(owner):
        field = owner.model_fields.get(name)
        found = None if field is None else field.annotation
    elif dataclasses.is_dataclass(owner) or is_typeddict(owner):
        found = typing.get_type_hints(owner).get(name)
    if found is None:
        raise UsageError(f"items(): {shown_type(owner)} has no {name!r} ({model.shown})")
    return found


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _bare(annotation: Any) -> Any:
    """Return a type without what is declared about it, and without None."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif get_origin(annotation) in (Union, types.UnionType):
            real = [arg for arg in get_args(annotation) if arg is not types.NoneType]
            if len(real) != 1:
                return annotation
            annotation = real[0]
        else:
            return annotation
