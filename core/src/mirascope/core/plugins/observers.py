"""Core's calls to the hooks of plugins; nothing here imports pluggy before a plugin is there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._cost import Cost
    from .._errors import MirascopeError
    from .._usage import Usage

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


def cost(provider: str, model: str, usage: Usage) -> Cost | None:
    """Ask the plugins for a cost; None where none of them has an opinion."""
    if hooks is None:
        return None
    from .._cost import Cost

    try:
        price: object = hooks.mirascope_cost(provider=provider, model=model, usage=usage)
    except Exception:
        _logger.exception("a plugin's mirascope_cost failed; the provider's own prices are used")
        return None
    if price is None or isinstance(price, Cost):
        return price
    _logger.error("a plugin's mirascope_cost returned %r, which is no Cost: it is ignored", price)
    return None


def call_each(hook: Any, **arguments: object) -> Iterator[tuple[object, Exception]]:
    """Call every implementation of a hook by itself and yield each plugin that raised.

    A hook call of pluggy's ends with the first implementation that raises; the plugins after it
    would not hear of the event.
    """
    for implementation in reversed(hook.get_hookimpls()):
        try:
            implementation.function(*(arguments[name] for name in implementation.argnames))
        except Exception as error:
            yield implementation.plugin, error


def _notify(hook: str, **arguments: object) -> None:
    # An observer must never change what it observes.
    for plugin, error in call_each(getattr(hooks, hook), **arguments):
        _logger.error("%s of the plugin %r failed", hook, plugin, exc_info=error)
