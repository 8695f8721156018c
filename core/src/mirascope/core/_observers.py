"""Core's calls to the hooks of plugins; nothing here imports pluggy before a plugin is there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from ._errors import MirascopeError
from ._interruptions import raised_by_handler

_logger = logging.getLogger("mirascope.plugins")

hooks: Any = None
"""The hook callers of the plugin manager, once there is one."""


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


def ask(hook: str, **arguments: object) -> object:
    """Return the first answer of the plugins to a hook that has one; None where none has.

    Raises:
        Exception: whatever a plugin raised.
    """
    return None if hooks is None else getattr(hooks, hook)(**arguments)


def call_each(hook: Any, **arguments: object) -> Iterator[tuple[object, Exception]]:
    """Call every implementation of a hook by itself and yield each plugin that raised.

    A hook call of pluggy's ends with the first implementation that raises; the plugins after it
    would not hear of the event.
    """
    for implementation in reversed(hook.get_hookimpls()):
        try:
            implementation.function(*(arguments[name] for name in implementation.argnames))
        except Exception as error:
            if (outside := raised_by_handler(error)) is not None:
                # A signal handler raised it while the plugin ran: it is meant for the caller.
                raise outside from outside.__cause__
            yield implementation.plugin, error


def _notify(hook: str, **arguments: object) -> None:
    # An observer must never change what it observes.
    for plugin, error in call_each(getattr(hooks, hook), **arguments):
        _logger.error("%s of the plugin %r failed", hook, plugin, exc_info=error)
