"""Hooks count for every call, whichever way its provider was imported."""

from __future__ import annotations

from .. import _observers
from .._transport._in_thread import in_thread


def use_plugins(provider: str) -> None:
    """Make the hooks active that count for a provider's calls: its own plugin's, and the others'.

    Here, at the first call, and not where a package is imported: that loads no plugin.

    Args:
        provider: the provider's name.
    """
    if provider not in _observers.in_use:
        from ._registry import use

        use(provider)


async def use_plugins_async(provider: str) -> None:
    """The same beside the event loop, which must not wait for a disk."""
    if provider not in _observers.in_use:
        await in_thread(lambda: use_plugins(provider))
