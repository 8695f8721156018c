"""Core's calls to the hooks of plugins; nothing here imports pluggy before a plugin is there."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final

from ._errors import MirascopeError
from ._interruptions import raised_by_handler

_logger = logging.getLogger("mirascope.plugins")

PLUGIN_FAILURES: Final = (Exception, SystemExit)
"""What the code of a plugin may raise without taking the process down."""

hooks: Any = None
"""The hook callers of the plugin manager, once there is one."""
in_use: Collection[str] = ()
"""The providers whose own plugin, and all plugins without a provider, have been loaded."""
origins: Mapping[str, object] = {}
"""Where each loaded plugin comes from, by the name that the plugin manager knows it under."""

_asking: Final[ContextVar[bool]] = ContextVar("mirascope_asking_plugins", default=False)


def stream_started(stream: Any) -> None:
    """Tell the plugins that a stream's request is about to be sent."""
    if hooks is not None:
        _notify("mirascope_stream_started", stream=stream)


def stream_finished(stream: Any) -> None:
    """Tell the plugins that a stream ended without an error."""
    if hooks is not None:
        _notify("mirascope_stream_finished", stream=stream)


def stream_failed(stream: Any, error: MirascopeError) -> None:
    """Tell the plugins that a stream ended with an error."""
    if hooks is not None:
        _notify("mirascope_stream_failed", stream=stream, error=error)


def call_finished(result: Any) -> None:
    """Tell the plugins that a call has its answer, streamed or not, as far as one came."""
    if hooks is not None:
        _notify("mirascope_call_finished", result=result)


def answers(hook: str, **arguments: object) -> Iterator[tuple[str, object]]:
    """Yield the answer of each plugin that has one, with what the plugin is called.

    A plugin that raises is logged and passed over; its failure takes no other plugin's answer
    away. A hook that asks for what the plugins are just being asked for gets no answers: what it
    wants is the answer without them, such as a list price to take twenty percent off.
    """
    if hooks is None or _asking.get():
        return
    for implementation in reversed(getattr(hooks, hook).get_hookimpls()):
        token = _asking.set(True)
        try:
            answer = _call(implementation, arguments)
        except PLUGIN_FAILURES as error:
            _log(hook, implementation, _own(error))
            continue
        finally:
            _asking.reset(token)
        if answer is not None:
            yield label_of(implementation), answer


def call_each(hook: Any, **arguments: object) -> Iterator[tuple[Any, BaseException]]:
    """Call every implementation of a hook by itself and yield each one that raised.

    A hook call of pluggy's ends with the first implementation that raises; the plugins after it
    would not hear of the event.
    """
    for implementation in reversed(hook.get_hookimpls()):
        try:
            _call(implementation, arguments)
        except PLUGIN_FAILURES as error:
            yield implementation, _own(error)


def label_of(implementation: Any) -> str:
    """Return what the plugin of a hook's implementation is called."""
    found = origins.get(implementation.plugin_name)
    return str(found) if found is not None else f"plugin {implementation.plugin!r}"


def distribution_of(provider: str) -> str | None:
    """Return the distribution that a provider's plugin comes from, as `name version`."""
    return getattr(origins.get(provider), "distribution", None) or None


def _call(implementation: Any, arguments: Mapping[str, object]) -> object:
    return implementation.function(*(arguments[name] for name in implementation.argnames))


def _own(error: BaseException) -> BaseException:
    """Return a plugin's own exception.

    Raises:
        BaseException: a signal handler raised it while the plugin ran: it is meant for the caller.
    """
    if (outside := raised_by_handler(error)) is not None:
        raise outside from outside.__cause__
    return error


def _notify(hook: str, **arguments: object) -> None:
    # An observer must never change what it observes.
    for implementation, error in call_each(getattr(hooks, hook), **arguments):
        _log(hook, implementation, error)


def _log(hook: str, implementation: Any, error: BaseException) -> None:
    _logger.error("%s of the %s failed", hook, label_of(implementation), exc_info=error)
