"""What has been loaded in this process: providers by name, and the plugins that are told things."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
from collections.abc import Generator
from dataclasses import dataclass, field
from types import MappingProxyType, ModuleType
from typing import Any

import pluggy

from .. import _observers
from .._errors import (
    BrokenProviderError,
    DisabledProviderError,
    ProviderConflictError,
    ProviderError,
    UnknownProviderError,
    describe,
)
from .._process import ProcessLock
from .._provider._provider import Provider
from ._discovery import (
    DISABLE_VARIABLE,
    HOOK_GROUP,
    HOST_GROUP,
    Origin,
    disabled_names,
    discover,
    import_plugin,
)
from ._spec import ProviderSpec
from ._validation import (
    Settings,
    examine_host,
    examine_observer,
    examine_provider,
    new_manager,
)


@dataclass(frozen=True)
class LoadedHost:
    """A host that has been loaded: its description, who answers, and where it comes from."""

    spec: ProviderSpec
    provider: Provider
    origin: Origin


@dataclass
class _Registry:
    manager: pluggy.PluginManager = field(default_factory=new_manager)
    specs: dict[str, ProviderSpec] = field(default_factory=dict[str, ProviderSpec])
    origins: dict[str, Origin] = field(default_factory=dict[str, Origin])
    providers: dict[tuple[str, str], Provider] = field(
        default_factory=dict[tuple[str, str], Provider]
    )
    hosts: dict[str, LoadedHost] = field(default_factory=dict[str, LoadedHost])
    settings: list[Settings] = field(default_factory=list[Settings])
    # What the rooms below may know: whose hooks are active, and what each plugin is called.
    in_use: set[str] = field(default_factory=set[str])
    hook_plugins: dict[str, ProviderError | None] = field(
        default_factory=dict[str, ProviderError | None]
    )
    labels: dict[str, Origin] = field(default_factory=dict[str, Origin])

    def add(self, plugin: object, spec: ProviderSpec, origin: Origin) -> None:
        """Take in a plugin that was examined, in place of one of the same name."""
        if self.manager.has_plugin(spec.name):
            self.manager.unregister(name=spec.name)
        for key in [key for key in self.providers if key[0] == spec.name]:
            del self.providers[key]
        self.manager.register(plugin, name=spec.name)
        self.specs[spec.name] = spec
        self.origins[spec.name] = self.labels[spec.name] = origin

    def show(self) -> None:
        """Make this the registry whose hooks are called."""
        _observers.hooks = self.manager.hook
        _observers.in_use = self.in_use
        _observers.origins = self.labels


_logger = logging.getLogger("mirascope.plugins")
_lock = ProcessLock()
_registry = _Registry()
_registry.show()


def provider(name: str) -> ProviderSpec:
    """Return the description of an installed provider, loading its plugin.

    A host has its name where no plugin for a provider has it.

    Raises:
        ProviderError: the plugin is missing, unknown, disabled, broken, incompatible, or claimed by
            several distributions; the message has what to do.
    """
    with _lock:
        if name not in _registry.specs:
            if name not in discover() and name in discover(HOST_GROUP):
                return host(name).spec
            plugin, origin = import_plugin(name)
            spec = examine_provider(plugin, origin, _registry.settings)
            _registry.add(plugin, spec, origin)
        return _registry.specs[name]


def use(name: str) -> None:
    """Make the hooks active that count for a provider's calls, however it was imported.

    They are those of the plugin that claims its name, and of every plugin without a provider. A
    plugin that can't be loaded is logged, once, and hurts no call.

    Args:
        name: the provider's name.
    """
    if name in _registry.in_use:
        return
    with _lock:
        if name in _registry.in_use:
            return
        load_hook_plugins()
        if name not in _registry.specs and name in discover():
            try:
                provider(name)
            except DisabledProviderError:
                pass  # on purpose
            except ProviderError as error:
                _logger.warning("the hooks of a plugin are not active: %s", error)
        _registry.in_use.add(name)


def load_hook_plugins() -> dict[str, ProviderError | None]:
    """Load every installed plugin without a provider, once; return why each one failed, if so."""
    with _lock:
        loaded = _registry.hook_plugins
        # Looked at here, so that a name which is misspelt is told even where all is well.
        disabled_names(os.environ.get(DISABLE_VARIABLE, ""))
        for name in discover(HOOK_GROUP):
            if name in loaded:
                continue
            loaded[name] = None
            try:
                plugin, origin = import_plugin(name, HOOK_GROUP)
                examine_observer(plugin, origin, _registry.settings)
                if not _registry.manager.is_registered(plugin):
                    known_as = f"{HOOK_GROUP}:{name}"
                    _registry.manager.register(plugin, name=known_as)
                    _registry.labels[known_as] = origin
            except ProviderError as error:
                loaded[name] = error
                if not isinstance(error, DisabledProviderError):
                    _logger.warning("a plugin is not active: %s", error)
        return loaded


def load_provider(name: str, api: str | None = None) -> Provider:
    """Return the implementation of a provider.

    Args:
        name: the provider's name.
        api: one of the provider's wire APIs; its default one if None.

    Raises:
        ProviderError: as `provider`; also where the provider has no such API or fails to load.
    """
    spec = provider(name)
    api = api or next(iter(spec.apis))
    if name not in _registry.specs and api in spec.apis:
        return host(name).provider
    with _lock:
        loaded = _registry.providers.get((name, api))
        if loaded is None:
            if api not in spec.apis:
                raise UnknownProviderError(
                    f"provider {name!r} has no API {api!r}; it has: {', '.join(spec.apis)}",
                    provider=name,
                )
            loaded = _load_api(spec, api, _registry.origins[name])
            _registry.providers[name, api] = loaded
        return loaded


def host(name: str) -> LoadedHost:
    """Return a host, whichever plugin for a provider has its name besides.

    Raises:
        ProviderError: no plugin has such a host, or the one that does is disabled, broken,
            incompatible, or in conflict with another; the message has what to do.
    """
    with _lock:
        found = _registry.hosts.get(name)
        if found is None:
            plugin, origin = import_plugin(name, HOST_GROUP)
            spec = examine_host(plugin, origin)
            loaded = _load_api(spec, next(iter(spec.apis)), origin)
            found = _registry.hosts[name] = LoadedHost(spec, loaded, origin)
        return found


def load_host(name: str) -> Provider:
    """Return the provider that answers for a host, a server with a name of its own.

    Raises:
        ProviderError: no plugin has such a host, or the one that does is disabled, broken,
            incompatible, or in conflict with another; the message has what to do.
    """
    return host(name).provider


def _load_api(spec: ProviderSpec, api: str, origin: Origin) -> Provider:
    try:
        loaded = spec.apis[api]()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise origin.broken(f"its API {api!r} failed to load: {describe(error)}") from error
    if not isinstance(loaded, Provider):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise origin.broken(f"its API {api!r} is a {type(loaded).__name__!r}, not a Provider")
    for attribute, expected in (("name", spec.name), ("api", api)):
        # A stream tells them to hooks, prices and recordings.
        if (found := getattr(loaded, attribute, None)) != expected:
            raise origin.broken(
                f"{type(loaded).__name__}.{attribute} is {found!r}, and must be {expected!r} as in "
                "its ProviderSpec"
            )
    return loaded


def provider_module(name: str) -> ModuleType:
    """Return the package that users of a provider import.

    Raises:
        ProviderError: as `provider`; also where the package can't be imported.
    """
    package = provider(name).package
    try:
        return importlib.import_module(package)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _registry.origins[name].broken(
            f"its package {package!r} failed to import: {describe(error)}"
        ) from error


def origin_of(name: str) -> Origin | None:
    """Return where the plugin in use for a name comes from, or None where none is loaded."""
    found = _registry.hosts.get(name)
    return _registry.origins.get(name) or (None if found is None else found.origin)


def registered_names() -> tuple[str, ...]:
    """Return the names of the providers that are loaded."""
    return tuple(_registry.specs)


def register_provider(plugin: object, *, replace: bool = False) -> ProviderSpec:
    """Register a plugin by hand: a module or object with `mirascope_provider`.

    Args:
        plugin: the plugin.
        replace: let it stand in for a provider of the same name, installed or registered.

    Raises:
        ProviderError: the plugin is not valid, or its name is taken.
    """
    with _lock:
        spec = examine_provider(plugin, Origin("", label=repr(plugin)), _registry.settings)
        if not replace and (spec.name in _registry.specs or spec.name in discover()):
            raise ProviderConflictError(
                f"provider {spec.name!r} is taken: give replace=True to put this plugin in its "
                "place",
                provider=spec.name,
            )
        _registry.add(plugin, spec, Origin(spec.name))
        return spec


def register_plugin(plugin: object) -> None:
    """Register a plugin that adds no provider: an observer of streams, a source of costs.

    One that is registered already is not registered again.

    Args:
        plugin: a module or an object with hooks; of a class, an instance.

    Raises:
        BrokenProviderError: it has no hook, one that does not exist or that only a provider has,
            or can't be configured.
    """
    with _lock:
        if _registry.manager.is_registered(plugin):
            return
        examine_observer(plugin, Origin("", label=repr(plugin)), _registry.settings)
        _registry.manager.register(plugin)


def unregister_plugin(plugin: object) -> None:
    """Forget a plugin that `register_plugin` registered; one that is not registered is ignored."""
    with _lock:
        if _registry.manager.is_registered(plugin):
            _registry.manager.unregister(plugin)


def configure(**settings: Any) -> None:
    """Hand settings to `mirascope_configure` of every plugin, now or when it is loaded.

    Raises:
        BrokenProviderError: a plugin's hook raised; every other plugin has the settings.
    """
    given = MappingProxyType(settings)
    with _lock:
        _registry.settings.append(given)
        hook = _registry.manager.hook.mirascope_configure
        failures = list(_observers.call_each(hook, settings=given))
    for implementation, error in failures:
        raise BrokenProviderError(
            f"{_observers.label_of(implementation)}: mirascope_configure() raised "
            f"{describe(error)}",
            provider="",
        ) from error


@contextlib.contextmanager
def isolated_registry() -> Generator[None]:
    """Within the block, nothing is loaded yet and whatever is registered is forgotten after it."""
    global _registry
    with _lock:
        outer, _registry = _registry, _Registry()
        _registry.show()
        discover.cache_clear()
    try:
        yield
    finally:
        with _lock:
            _registry = outer
            _registry.show()
            discover.cache_clear()
