"""Find plugins by their entry points, load the one that is asked for, and keep bad ones apart.

`pluggy`'s own `load_setuptools_entrypoints` imports every plugin, stops at the first that fails,
and resolves conflicts by directory order without a word; hence this loader. Each plugin is
validated in a throw-away `PluginManager`, so that one that fails never reaches the real one.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from types import MappingProxyType
from typing import Any, Final

import pluggy

from .._errors import (
    BrokenProviderError,
    DisabledProviderError,
    IncompatibleProviderError,
    MissingProviderError,
    ProviderConflictError,
    ProviderError,
    UnknownProviderError,
)
from .._provider import Provider
from . import observers
from ._first_party import FIRST_PARTY, install_command
from ._hooks import PROJECT, ProviderHooks
from ._spec import OLDEST_PLUGIN_API, PLUGIN_API, PROVIDER_NAME, ProviderSpec

GROUP: Final = "mirascope.providers"
DISABLE_VARIABLE: Final = "MIRASCOPE_DISABLE_PLUGINS"


class PluginState(StrEnum):
    """How a plugin stands."""

    OK = "ok"
    BROKEN = "broken"
    INCOMPATIBLE = "incompatible"
    CONFLICT = "conflict"
    DISABLED = "disabled"


_ERROR_STATES: Final[Mapping[type[ProviderError], PluginState]] = {
    DisabledProviderError: PluginState.DISABLED,
    IncompatibleProviderError: PluginState.INCOMPATIBLE,
    ProviderConflictError: PluginState.CONFLICT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStatus:
    """One plugin, as `mirascope providers` shows it.

    Attributes:
        name: the provider's name.
        distributions: the distributions that claim it, as `name version`.
        state: how it stands.
        reason: why, where it is not ok.
        spec: its description, where it could be loaded.
        sdk: its SDK's name and version, where it has one that is installed.
    """

    name: str
    distributions: tuple[str, ...]
    state: PluginState
    reason: str = ""
    spec: ProviderSpec | None = None
    sdk: str = ""


class _Registry:
    """What has been loaded in this process."""

    def __init__(self) -> None:
        self.manager = _new_manager()
        self.specs: dict[str, ProviderSpec] = {}
        self.providers: dict[tuple[str, str], Provider] = {}


def _new_manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(ProviderHooks)
    return manager


_lock = threading.RLock()
_registry = _Registry()
observers.hooks = _registry.manager.hook


def provider(name: str) -> ProviderSpec:
    """Return the description of an installed provider, loading its plugin.

    Raises:
        ProviderError: the plugin is missing, unknown, disabled, broken, incompatible, or claimed by
            several distributions; the message says what to do.
    """
    with _lock:
        spec = _registry.specs.get(name)
        if spec is None:
            _refuse_disabled(name)
            plugin, spec = _load(name)
            _registry.manager.register(plugin, name=name)
            _registry.specs[name] = spec
        return spec


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
    with _lock:
        loaded = _registry.providers.get((name, api))
        if loaded is None:
            if api not in spec.apis:
                raise UnknownProviderError(
                    f"provider {name!r} has no API {api!r}; it has: {', '.join(spec.apis)}",
                    provider=name,
                )
            try:
                loaded = spec.apis[api]()
            except ProviderError:
                raise
            except Exception as error:
                raise BrokenProviderError(
                    f"provider {name!r} failed to load its API {api!r}: "
                    f"{type(error).__name__}: {error}",
                    provider=name,
                ) from error
            if not isinstance(loaded, Provider):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise BrokenProviderError(
                    f"provider {name!r}: its API {api!r} is {loaded!r}, not a Provider",
                    provider=name,
                )
            _registry.providers[name, api] = loaded
        return loaded


def register_provider(plugin: object, *, replace: bool = False) -> ProviderSpec:
    """Register a plugin by hand: a module or object with `mirascope_provider`.

    Args:
        plugin: the plugin.
        replace: let it stand in for a provider of the same name, installed or registered.

    Raises:
        ProviderError: the plugin is not valid, or its name is taken.
    """
    spec = _validate(plugin, who=f"plugin {plugin!r}", name=None)
    with _lock:
        taken = spec.name in _registry.specs or spec.name in _discover()
        if taken and not replace:
            raise ProviderConflictError(
                f"provider {spec.name!r} is taken: give replace=True to put this plugin in its "
                "place",
                provider=spec.name,
            )
        if _registry.manager.has_plugin(spec.name):
            _registry.manager.unregister(name=spec.name)
        for key in [key for key in _registry.providers if key[0] == spec.name]:
            del _registry.providers[key]
        _registry.manager.register(plugin, name=spec.name)
        _registry.specs[spec.name] = spec
    return spec


def register_plugin(plugin: object) -> None:
    """Register a plugin that adds no provider: an observer of streams, a source of costs.

    Raises:
        BrokenProviderError: it implements hooks that do not exist.
    """
    quarantine = _new_manager()
    name = getattr(plugin, "__name__", type(plugin).__name__)
    try:
        quarantine.register(plugin)
        quarantine.check_pending()
    except pluggy.PluginValidationError as error:
        raise BrokenProviderError(" ".join(str(error).split()), provider=name) from error
    with _lock:
        _registry.manager.register(plugin)


def configure(**settings: Any) -> None:
    """Hand settings to `mirascope_configure` of every plugin, now or when it is loaded."""
    with _lock:
        hook = _registry.manager.hook.mirascope_configure
        hook.call_historic(kwargs={"settings": MappingProxyType(settings)})


def statuses() -> list[PluginStatus]:
    """Return every plugin that is installed or registered, loading each; none hurts another."""
    names = sorted(_discover().keys() | _registry.specs.keys())
    return [_status(name) for name in names]


def installed_names() -> tuple[str, ...]:
    """Return the names that installed plugins claim; imports none of them."""
    return tuple(_discover())


@contextlib.contextmanager
def isolated_registry() -> Generator[None]:
    """Within the block, nothing is loaded yet and whatever is registered is forgotten after it."""
    global _registry
    with _lock:
        outer, _registry = _registry, _Registry()
        observers.hooks = _registry.manager.hook
        _discover.cache_clear()
    try:
        yield
    finally:
        with _lock:
            _registry = outer
            observers.hooks = _registry.manager.hook
            _discover.cache_clear()


@lru_cache(maxsize=1)
def _discover() -> Mapping[str, tuple[EntryPoint, ...]]:
    found: dict[str, list[EntryPoint]] = {}
    for entry_point in entry_points(group=GROUP):
        claims = found.setdefault(entry_point.name, [])
        # One distribution is found twice where two entries of sys.path lead to it.
        if all(_origin(entry_point) != _origin(other) for other in claims):
            claims.append(entry_point)
    return {name: tuple(sorted(claims, key=_origin)) for name, claims in sorted(found.items())}


def _origin(entry_point: EntryPoint) -> str:
    dist = entry_point.dist
    return f"{dist.name} {dist.version}" if dist is not None else entry_point.value


def _disabled() -> frozenset[str]:
    names = os.environ.get(DISABLE_VARIABLE, "").split(",")
    return frozenset(name.strip() for name in names if name.strip())


def _refuse_disabled(name: str) -> None:
    disabled = _disabled()
    if "all" in disabled or name in disabled:
        raise DisabledProviderError(
            f"provider {name!r} is disabled by {DISABLE_VARIABLE}={os.environ[DISABLE_VARIABLE]!r}",
            provider=name,
        )


def _load(name: str) -> tuple[object, ProviderSpec]:
    claims = _discover().get(name, ())
    if not claims:
        raise _unknown(name)
    if len(claims) > 1:
        raise ProviderConflictError(
            f"provider {name!r} is claimed by {' and '.join(map(_origin, claims))}: uninstall one, "
            "or register_provider() the one to use",
            provider=name,
        )
    entry_point = claims[0]
    who = f"provider {name!r} ({_origin(entry_point)})"
    if not PROVIDER_NAME.fullmatch(name):
        raise BrokenProviderError(f"{who}: a name is lower case: [a-z][a-z0-9_]*", provider=name)
    try:
        plugin = entry_point.load()
    except Exception as error:
        raise BrokenProviderError(
            f"{who} failed to import {entry_point.value!r}: {type(error).__name__}: {error}",
            provider=name,
        ) from error
    return plugin, _validate(plugin, who=who, name=name, origin=_origin(entry_point))


def _validate(plugin: object, *, who: str, name: str | None, origin: str = "") -> ProviderSpec:
    quarantine = _new_manager()
    try:
        quarantine.register(plugin, name=name)
        specs: list[object] = quarantine.hook.mirascope_provider()
    except Exception as error:
        raise BrokenProviderError(
            f"{who}: {' '.join(str(error).split())}", provider=name or ""
        ) from error
    spec = specs[0] if len(specs) == 1 else None
    if not isinstance(spec, ProviderSpec):
        got = spec if len(specs) == 1 else f"{len(specs)} results" if specs else "nothing"
        raise BrokenProviderError(
            f"{who}: mirascope_provider() must return one ProviderSpec, not {got!r}",
            provider=name or "",
        )
    # The version comes before the hooks' names: a newer plugin may implement newer hooks.
    if not OLDEST_PLUGIN_API <= spec.api_version <= PLUGIN_API:
        too_new = spec.api_version > PLUGIN_API
        upgrade = "mirascope-core" if too_new else (origin.split()[0] if origin else "the plugin")
        raise IncompatibleProviderError(
            f"{who} speaks plugin API {spec.api_version}, this core {OLDEST_PLUGIN_API} to "
            f"{PLUGIN_API}: upgrade {upgrade}",
            provider=spec.name,
        )
    try:
        quarantine.check_pending()
    except pluggy.PluginValidationError as error:
        raise BrokenProviderError(
            f"{who}: {' '.join(str(error).split())}", provider=spec.name
        ) from error
    if name is not None and spec.name != name:
        raise BrokenProviderError(f"{who} calls itself {spec.name!r}", provider=name)
    if not spec.apis:
        raise BrokenProviderError(f"{who} names no API", provider=spec.name)
    return spec


def _unknown(name: str) -> ProviderError:
    if name in FIRST_PARTY:
        return MissingProviderError(
            f"provider {name!r} is not installed: {install_command(name)}", provider=name
        )
    known = installed_names()
    close = difflib.get_close_matches(name, {*known, *FIRST_PARTY}, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return UnknownProviderError(
        f"no provider {name!r} is installed{hint} (installed: {', '.join(known) or 'none'})",
        provider=name,
    )


def _status(name: str) -> PluginStatus:
    claims = _discover().get(name, ())
    distributions = tuple(map(_origin, claims)) or ("registered by hand",)
    try:
        spec = provider(name)
    except ProviderError as error:
        state = _ERROR_STATES.get(type(error), PluginState.BROKEN)
        return PluginStatus(name=name, distributions=distributions, state=state, reason=str(error))
    sdk = ""
    if spec.sdk is not None:
        try:
            sdk = f"{spec.sdk} {version(spec.sdk)}"
        except PackageNotFoundError:
            return PluginStatus(
                name=name,
                distributions=distributions,
                state=PluginState.BROKEN,
                reason=f"its SDK {spec.sdk!r} is not installed",
                spec=spec,
            )
    return PluginStatus(
        name=name, distributions=distributions, state=PluginState.OK, spec=spec, sdk=sdk
    )
