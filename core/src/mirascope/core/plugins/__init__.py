"""Provider plugins: how they are described, found, loaded and told what happens."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from .._public import publish
from ._spec import OLDEST_PLUGIN_API, PLUGIN_API, Capability, HostPlugin, ProviderSpec

if TYPE_CHECKING:
    from ._hooks import hookimpl
    from ._registry import (
        configure,
        isolated_registry,
        load_host,
        load_provider,
        provider,
        register_plugin,
        register_provider,
        unregister_plugin,
    )
    from ._status import PluginState, PluginStatus, hook_statuses, host_statuses, statuses

__all__ = [
    "OLDEST_PLUGIN_API",
    "PLUGIN_API",
    "Capability",
    "HostPlugin",
    "PluginState",
    "PluginStatus",
    "ProviderSpec",
    "configure",
    "hook_statuses",
    "hookimpl",
    "host_statuses",
    "isolated_registry",
    "load_host",
    "load_provider",
    "provider",
    "publish",
    "register_plugin",
    "register_provider",
    "statuses",
    "unregister_plugin",
]

# The registry needs pluggy, which `import mirascope.core` must not load.
_LOADED_LATER = {
    "PluginState": "_status",
    "PluginStatus": "_status",
    "configure": "_registry",
    "hookimpl": "_hooks",
    "hook_statuses": "_status",
    "host_statuses": "_status",
    "isolated_registry": "_registry",
    "load_host": "_registry",
    "load_provider": "_registry",
    "provider": "_registry",
    "register_plugin": "_registry",
    "register_provider": "_registry",
    "statuses": "_status",
    "unregister_plugin": "_registry",
}

publish(globals())


def __getattr__(name: str) -> object:
    home = _LOADED_LATER.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _import_module(f".{home}", __name__)
    # With its neighbours, for a class may be met without ever being asked for by its name.
    globals().update({n: getattr(module, n) for n, h in _LOADED_LATER.items() if h == home})
    publish(globals())
    return globals()[name]
