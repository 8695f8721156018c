"""A plugin's own mistakes, told from what a server or the network does.

A network error may pass, and is worth another try; a `NameError` in a plugin is there the next time
too. So what a plugin raises or returns is looked at where core calls it, and named as the plugin's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from traceback import walk_tb
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from .. import _observers
from .._errors import MirascopeError, PluginError, describe
from .._interruptions import interruption
from ..wire import Event, Framer
from ._decoder import Decoder
from ._deltas import Delta

if TYPE_CHECKING:
    from ._provider import Provider

T = TypeVar("T")

_MISTAKES: Final = (
    NameError,
    AttributeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    ImportError,
    NotImplementedError,
    RecursionError,
)
"""Exceptions that no network raises, wherever they come from."""
_USERS: Final = ("unexpected keyword", "required", "serializable", "expected string or bytes")
"""What Python and JSON say of arguments that were passed on as the user gave them."""


def is_mistake(error: BaseException, provider: Provider) -> bool:
    """Whether an exception is a mistake in a plugin's code, and not a failure of what it calls."""
    if isinstance(error, UnicodeError):
        return False
    if isinstance(error, _MISTAKES):
        return True
    if type(error) not in (TypeError, ValueError, RuntimeError, StopIteration):
        return False
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    is_own = bool(frames) and _package(frames[-1]) in packages_of(provider)
    return is_own and not any(words in str(error) for words in _USERS)


def raised(
    provider: Provider, method: str, error: BaseException, model: str | None = None
) -> PluginError:
    """Return the error for an exception that is the plugin's mistake.

    Args:
        provider: whose mistake it is.
        method: what core had called; the traceback knows better which method it was, if it is one.
        error: the exception, which becomes the cause.
        model: the model that was asked for.
    """
    packages = packages_of(provider)
    own = [
        (frame.f_code, line)
        for frame, line in walk_tb(error.__traceback__)
        if _package(frame) in packages
    ]
    where = ""
    if own:
        (first, _), (last, line) = own[0], own[-1]
        if hasattr(type(provider), first.co_name):
            method = first.co_name
        # The file alone: a whole path tells of the machine.
        where = f" ({os.path.basename(last.co_filename)}, line {line})"
    made = _fault(provider, method, f"raised {describe(error)}{where}", model)
    made.__cause__ = error
    return made


def returned(
    provider: Provider, method: str, value: object, expected: str, model: str | None = None
) -> PluginError:
    """Return the error for a method that returned something else than it must."""
    what = "None: is a 'return' missing?" if value is None else f"a {type(value).__name__!r}"
    return _fault(provider, method, f"must return {expected}, and returned {what}", model)


def guarded(provider: Provider, method: str, make: Callable[[], T], model: str | None = None) -> T:
    """Return what a method of a plugin returns.

    Raises:
        PluginError: it raised something that is not ours.
        MirascopeError: the method's own error.
    """
    try:
        return make()
    except MirascopeError:
        raise
    except Exception as error:
        if interruption(error) is not None:
            raise
        raise raised(provider, method, error, model) from error


def new_framer(provider: Provider, model: str) -> Framer:
    """Return a framer of a provider's, checked."""
    framer = guarded(provider, "framer", provider.framer, model)
    if not (hasattr(framer, "feed") and hasattr(framer, "end")):
        raise returned(provider, "framer", framer, "a framer with 'feed' and 'end'", model)
    return framer


def new_decoder(provider: Provider, model: str) -> Decoder:
    """Return a decoder of a provider's, checked."""
    decoder = guarded(provider, "decoder", provider.decoder, model)
    if not isinstance(decoder, Decoder):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise returned(provider, "decoder", decoder, "a Decoder", model)
    return decoder


def checked_source(
    provider: Provider, method: str, source: T, members: Iterable[str], model: str
) -> T:
    """Return what `open` or `open_async` returned, if it is an open response."""
    if all(hasattr(source, name) for name in members):
        return source
    expected = "an open response (a Source)" if method == "open" else "an AsyncSource"
    raise returned(provider, method, source, expected, model)


def checked_fetched(
    provider: Provider, method: str, fetched: Any, model: str
) -> tuple[Any, dict[str, Any]]:
    """Return what `fetch` or `fetch_async` returned, if it is an object and its JSON."""
    if not isinstance(fetched, tuple) or len(cast("tuple[Any, ...]", fetched)) != 2:
        expected = "the SDK's object and its JSON object"
        raise returned(provider, method, cast("object", fetched), expected, model)
    return cast("tuple[Any, dict[str, Any]]", fetched)


def checked_events(provider: Provider, name: str, events: object) -> list[Event]:
    """Return what a framer of a plugin's cut, if it is events; `name` is the framer's method."""
    if events is None or isinstance(events, (str, bytes)):
        raise returned(provider, name, events, "a list of (name, data)")
    found: list[Any] = list(cast("Iterable[Any]", events))
    for each in found:
        match each:
            case (None | str(), bytes()):
                pass
            case _:
                raise returned(provider, name, each, "pairs of a name (or None) and bytes")
    return found


def wrong_deltas(provider: Provider, decoder: Decoder, deltas: object) -> PluginError | None:
    """Return the error for what `decode` returned if it can't be deltas at all."""
    name, expected = f"{type(decoder).__name__}.decode", "a sequence of deltas, or None"
    if isinstance(deltas, (str, bytes)) or not isinstance(deltas, Iterable):
        return returned(provider, name, deltas, expected)
    for delta in cast("Iterable[object]", deltas):
        if not isinstance(delta, Delta):
            return returned(provider, name, delta, expected)
    return None


def packages_of(provider: Provider) -> frozenset[str]:
    """Return the packages that a provider's code is in, without core."""
    modules = (cls.__module__ for cls in type(provider).__mro__)
    return frozenset(module.partition(".")[0] for module in modules) - {
        "mirascope",
        "builtins",
        "abc",
        "typing",
    }


def _fault(provider: Provider, method: str, what: str, model: str | None) -> PluginError:
    plugin = _observers.distribution_of(provider.name) or "of your program"
    name = method if "." in method else f"{type(provider).__name__}.{method}"
    return PluginError(
        f"a mistake in the provider's plugin ({plugin}): {name}() {what}",
        provider=provider.name,
        model=model,
    )


def _package(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]
