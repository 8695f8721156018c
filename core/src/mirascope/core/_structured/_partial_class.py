"""The instances that partials are: of the user's own classes, without their validation."""

from __future__ import annotations

import copy
import functools
import inspect
from typing import Any, Final, Union

from pydantic import BaseModel, ConfigDict, computed_field
from pydantic_core import PydanticUndefined

from ._shapes import Make, is_hashable

_new: Final[Any] = object.__new__
_set: Final = object.__setattr__


class _WithoutHooks:
    """Keeps what a model does when it is subclassed from being done for its partial."""

    def __init_subclass__(cls, **kwargs: Any) -> None: ...

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None: ...


@functools.lru_cache(maxsize=512)
def partial_class(model: type[BaseModel]) -> type[BaseModel]:
    """Return the class of a model's partials: a subclass whose instances nothing has validated."""
    namespace: dict[str, Any] = {
        "__module__": model.__module__,
        "__qualname__": f"Partial{model.__qualname__}",
        "__doc__": f"As much of a {model.__name__} as has arrived.",
        # Nothing is validated or dumped by most of these classes; who does builds what it takes.
        "model_config": ConfigDict(defer_build=True),
    }
    for name, field in model.model_computed_fields.items():
        namespace[name] = _computed(model, name, field.return_type)
    # pydantic's own metaclass alone: one of the user's may keep a register of its classes.
    metaclass: Any = type(BaseModel)
    made: type[BaseModel] = metaclass.__new__(
        type(model), f"Partial{model.__name__}", (_WithoutHooks, model), namespace
    )
    return made


def model_maker(model: type[BaseModel]) -> Make:
    """Return what makes the partials of a model out of its members."""
    cls = partial_class(model)
    fields = frozenset(model.model_fields)
    takes_extra = model.model_config.get("extra") == "allow"
    attributes = cls.__private_attributes__
    # Factories are the user's code, and do not run.
    plain = {
        name: attribute.default
        for name, attribute in attributes.items()
        if attribute.default is not PydanticUndefined
    }
    shared = {name: value for name, value in plain.items() if is_hashable(value)}
    own = {name: value for name, value in plain.items() if name not in shared}

    def make(members: dict[str, Any], arrived: set[str]) -> Any:
        extra: dict[str, Any] | None = None
        if takes_extra:
            extra = {name: value for name, value in members.items() if name not in fields}
            members = {name: value for name, value in members.items() if name in fields}
        partial = _new(cls)
        _set(partial, "__dict__", members)
        _set(partial, "__pydantic_fields_set__", arrived)
        _set(partial, "__pydantic_extra__", extra)
        private = {**shared, **copy.deepcopy(own)} if attributes else None
        _set(partial, "__pydantic_private__", private)
        return partial

    return make


def dataclass_maker(cls: type) -> Make:
    """Return what makes the partials of a dataclass out of its members."""

    def make(members: dict[str, Any], arrived: set[str]) -> Any:
        partial: Any = _new(cls)
        for name, value in members.items():
            _set(partial, name, value)
        return partial

    return make


def _computed(model: type[BaseModel], name: str, return_type: Any) -> Any:
    """Return a computed field that is None where the user's own fails for what has not come."""

    def compute(self: Any) -> Any:
        field: Any = inspect.getattr_static(model, name)
        field = getattr(field, "wrapped", field)
        function = getattr(field, "fget", None) or field.func
        try:
            return function(self)
        except Exception:
            return None

    compute.__name__ = name
    return computed_field(return_type=Union[return_type, None])(property(compute))  # noqa: UP007 - of any type
