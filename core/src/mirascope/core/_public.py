"""The public names of a package say where they are public, not in which file they stand."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import get_annotations
from types import FunctionType
from typing import Any, get_type_hints


def publish(namespace: Mapping[str, Any]) -> None:
    """Let the public classes and functions of a package name it as their module.

    A traceback then shows `mirascope.core.StreamTruncatedError`, a pickle holds that path, and both
    outlive a move of the file. The last line of a package's `__init__.py` is `publish(globals())`.

    Args:
        namespace: the package's globals. Of the names in `__all__` those are changed that come from
            a private module of the same distribution; names that are loaded later are passed over.
    """
    package: str = namespace["__name__"]
    own = package.partition(".")[0] + "."
    for name in namespace["__all__"]:
        value = namespace.get(name)
        if isinstance(value, type | FunctionType):
            module = value.__module__
            if module.startswith(own) and "._" in module:
                if isinstance(value, type):
                    _resolve_annotations(value)
                value.__module__ = package
                if value.__qualname__ not in namespace["__all__"]:  # exported under another name
                    value.__name__ = value.__qualname__ = name


def _resolve_annotations(cls: type) -> None:
    """Replace a class's annotations by what they mean, while its own module can still tell.

    `typing.get_type_hints`, and pydantic for a field of this class, look their text up in the
    module that a class names. What only type checkers import can't be resolved, before or after.
    """
    annotations = get_annotations(cls)
    # A TypedDict's are references that know their module.
    texts = {name: hint for name, hint in annotations.items() if isinstance(hint, str)}
    if not texts:
        return
    resolved = _resolved(texts, cls.__module__)
    cls.__annotations__ = annotations | resolved
    for name, field in getattr(cls, "__dataclass_fields__", {}).items():
        if name in resolved:
            field.type = resolved[name]  # the one that pydantic reads


def _resolved(texts: Mapping[str, str], module: str) -> dict[str, Any]:
    holder = type("_", (), {"__annotations__": dict(texts), "__module__": module})
    try:
        return get_type_hints(holder, include_extras=True)
    except NameError:
        if len(texts) == 1:
            return {}
    return {
        name: hint
        for name, text in texts.items()
        for hint in _resolved({name: text}, module).values()
    }
