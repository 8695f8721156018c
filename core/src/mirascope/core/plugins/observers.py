"""Core's calls to the hooks of plugins; nothing here imports pluggy before a plugin is there."""

from __future__ import annotations

import logging
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
    try:
        price: Cost | None = hooks.mirascope_cost(provider=provider, model=model, usage=usage)
    except Exception:
        _logger.exception("a plugin's mirascope_cost failed; the provider's own prices are used")
        return None
    return price


def _notify(hook: str, **arguments: Any) -> None:
    # An observer must never change what it observes.
    try:
        getattr(hooks, hook)(**arguments)
    except Exception:
        _logger.exception("a plugin's %s failed", hook)
