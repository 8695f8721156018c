"""Provider plugins: how they are described, found, loaded and told what happens."""

from typing import TYPE_CHECKING

from ._spec import OLDEST_PLUGIN_API, PLUGIN_API, Capability, ProviderSpec

if TYPE_CHECKING:
    from ._hooks import hookimpl
    from ._registry import (
        configure,
        isolated_registry,
        load_provider,
        provider,
        register_plugin,
        register_provider,
    )
    from ._status import PluginState, PluginStatus, statuses

__all__ = [
    "OLDEST_PLUGIN_API",
    "PLUGIN_API",
    "Capability",
    "PluginState",
    "PluginStatus",
    "ProviderSpec",
    "configure",
    "hookimpl",
    "isolated_registry",
    "load_provider",
    "provider",
    "register_plugin",
    "register_provider",
    "statuses",
]


def __getattr__(name: str) -> object:
    # The registry needs pluggy, which `import mirascope.core` must not load.
    if name in __all__:
        from . import _hooks, _registry, _status

        return next(getattr(m, name) for m in (_hooks, _registry, _status) if hasattr(m, name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
