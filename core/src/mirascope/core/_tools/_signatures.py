"""What a callable takes: its parameters, with annotations that are resolved."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, Optional, get_args, get_origin, get_type_hints

from .._errors import UsageError, describe
from ._unpacked import unpacked

_FORMAT: Final[Mapping[str, Any]] = {}
if sys.version_info >= (3, 14):
    from annotationlib import Format

    # Names that can't be resolved are told of parameter by parameter.
    _FORMAT = {"annotation_format": Format.FORWARDREF}


@dataclass(frozen=True, slots=True)
class Signature:
    """A callable as a model sees it.

    Attributes:
        name: the callable's name.
        doc: its docstring without indentation, `""` where there is none.
        parameters: what can be given, by name; what a `functools.partial` binds is left out.
        annotations: the types of the parameters; `Any` where there is none.
        bound: the names of what is bound.
    """

    name: str
    doc: str
    parameters: Mapping[str, inspect.Parameter]
    annotations: Mapping[str, Any]
    bound: frozenset[str]


def read_signature(tool: Callable[..., Any]) -> Signature:
    """Read a function, a method, a `functools.partial` or an object that can be called.

    Raises:
        UsageError: a parameter can't be given by name, or its type can't be resolved.
    """
    inner, given, name, doc = tool, frozenset[str](), _own(tool, "__name__"), None
    while isinstance(inner, partial):
        given |= inner.keywords.keys()
        doc = doc or vars(inner).get("__doc__")
        inner = inner.func
        name = name or _own(inner, "__name__")
    name = name or type(inner).__name__
    if name == "<lambda>":
        raise UsageError("a lambda has no name that a model could call: write a function with def")
    function = _function(inner)
    namespace = _namespace(inner, function)
    taken = unpacked(_parameters(tool, name), lambda p: _resolved(name, p, function, namespace))
    parameters = {p.name: p for p in taken if p.name not in given}
    _refuse_parameters(name, function, parameters)
    annotations = {p.name: _resolved(name, p, function, namespace) for p in parameters.values()}
    doc = _doc(inner) if doc is None else inspect.cleandoc(doc)
    bound = {p.name for p in _parameters(inner, name)} - parameters.keys()
    return Signature(name, doc, parameters, annotations, frozenset(bound))


def _own(tool: Callable[..., Any], name: str) -> str | None:
    """Return an attribute that is a text; a `functools.partial` has it only where it was set."""
    value = getattr(tool, name, None)
    return value if isinstance(value, str) and value else None


def _function(tool: Callable[..., Any]) -> Any:
    """Return the function whose body runs, beneath methods, decorators and `__call__`."""
    found: Any = inspect.unwrap(tool)
    if isinstance(found, types.MethodType):
        return inspect.unwrap(found.__func__)
    return found if hasattr(found, "__globals__") else inspect.unwrap(type(found).__call__)


def _doc(tool: Callable[..., Any]) -> str:
    if inspect.isroutine(tool) or hasattr(tool, "__wrapped__"):
        return inspect.getdoc(tool) or ""
    # Of an object, the docstring of what is called counts. Dataclasses make theirs of the
    # signature, with the defaults, which may be nothing for the model to read.
    kind = type(tool)
    made_up = (kind.__doc__ or "").startswith(f"{kind.__name__}(")
    return inspect.cleandoc(kind.__call__.__doc__ or ("" if made_up else kind.__doc__) or "")


def _without_names(tool: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `functools.partial` without what `update_wrapper` does to it.

    `inspect` would follow it to the function inside, and show what is bound.
    """
    if isinstance(tool, partial):
        return partial(_without_names(tool.func), *tool.args, **tool.keywords)
    return tool


def _parameters(tool: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(_without_names(tool), **_FORMAT)
    except (TypeError, ValueError):
        raise UsageError(
            f"tool {name!r} has no signature to make a schema of: wrap it in a function"
        ) from None
    return list(signature.parameters.values())


def _refuse_parameters(
    name: str, function: Any, parameters: Mapping[str, inspect.Parameter]
) -> None:
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise UsageError(
                f"tool {name!r}: a model gives arguments by name, which {str(parameter)!r} has "
                "not; name the parameters, or bind them with functools.partial"
            )
    first = next(iter(parameters.values()), None)
    owner = getattr(function, "__qualname__", "").rpartition(".")[0]
    is_method = bool(owner) and not owner.endswith("<locals>")
    if is_method and first is not None and first.name == "self" and first.annotation is first.empty:
        raise UsageError(f"tool {name!r} is a method without its object: give it as object.{name}")


def _namespace(tool: Callable[..., Any], function: Any) -> dict[str, Any]:
    """Return the names besides the module's that the annotations of a function may use."""
    names: dict[str, Any] = {}
    for frame in _enclosing(function):
        names |= frame.f_locals
    names |= _closure(function)
    owner: object = getattr(tool, "__self__", None if inspect.isroutine(tool) else tool)
    kind: type = owner if isinstance(owner, type) else type(owner)
    for base in reversed(kind.__mro__[:-1]):
        # A method that is named like a type, such as `list`, is not one.
        names |= {k: v for k, v in vars(base).items() if not callable(v) or isinstance(v, type)}
    return names | {kind.__name__: kind for kind in getattr(function, "__type_params__", ())}


def _closure(function: Any) -> dict[str, Any]:
    names = function.__code__.co_freevars if hasattr(function, "__code__") else ()
    cells = zip(names, getattr(function, "__closure__", None) or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells if cell != types.CellType()}


def _enclosing(function: Any) -> Iterator[types.FrameType]:
    """Yield the calls, outermost first, of the functions in which this one was defined.

    A class that is local to a function is in no namespace that its methods or neighbours have, as
    long as annotations are text (`from __future__ import annotations`).
    """
    path = getattr(function, "__qualname__", "").split(".<locals>.")[:-1]
    scopes = {".<locals>.".join(path[: depth + 1]) for depth in range(len(path))}
    found: dict[str, types.FrameType] = {}
    frame = inspect.currentframe() if scopes else None
    while frame is not None:
        scope = frame.f_code.co_qualname
        if scope in scopes and frame.f_globals is function.__globals__:
            found.setdefault(scope, frame)
        frame = frame.f_back
    yield from (found[scope] for scope in sorted(found, key=len))


def _resolved(tool: str, parameter: inspect.Parameter, function: Any, names: dict[str, Any]) -> Any:
    if parameter.annotation is parameter.empty:
        return Any
    holder = types.SimpleNamespace(__annotations__={"type": parameter.annotation})
    module = getattr(function, "__globals__", {})
    try:
        found = get_type_hints(holder, module, names, include_extras=True)["type"]
    except Exception as error:
        raise UsageError(
            f"tool {tool!r}: the type of {parameter.name!r}, {_written(parameter.annotation)}, "
            f"can't be resolved ({describe(error)}): define or import it where the function's "
            "module finds it at run time"
        ) from error
    # `days: int = None` is how many write an optional parameter.
    return _or_none(found) if parameter.default is None else found


def _or_none(annotation: Any) -> Any:
    if annotation in (Any, object):
        return annotation
    if get_origin(annotation) is not Annotated:
        return Optional[annotation]  # noqa: UP045 - the annotation may be no class
    kind, *metadata = get_args(annotation)
    return Annotated[(Optional[kind], *metadata)]  # noqa: UP045


def _written(annotation: Any) -> str:
    text = getattr(annotation, "__forward_arg__", annotation)
    return repr(text if isinstance(text, str) else inspect.formatannotation(text))
