"""How every plugin stands, for people."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from .._errors import (
    DisabledProviderError,
    IncompatibleProviderError,
    ProviderConflictError,
    ProviderError,
    describe,
)
from .._installation import install_command
from .._provider._provider import Provider
from ._discovery import HOOK_GROUP, HOST_GROUP, Origin, claims_of, discover, distribution
from ._registry import (
    host,
    load_hook_plugins,
    load_provider,
    origin_of,
    provider,
    registered_names,
)
from ._spec import ProviderSpec


class PluginState(StrEnum):
    """How a plugin stands.

    Attributes:
        OK: it can be used.
        BROKEN: its module can't be imported, or it breaks the rules of the plugin API.
        INCOMPATIBLE: it was written for a plugin API that this version does not have.
        CONFLICT: two distributions have the same name for a provider.
        DISABLED: `MIRASCOPE_DISABLE_PLUGINS` names it.
    """

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
        name: the provider's name, or that of the entry point of a plugin without a provider.
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


def statuses() -> list[PluginStatus]:
    """Return every plugin that is installed or registered, loading each; none hurts another."""
    return [_status(name) for name in sorted({*discover(), *registered_names()})]


def host_statuses() -> list[PluginStatus]:
    """Return every host that a plugin brings, loading each; none hurts another."""
    return [_host_status(name) for name in discover(HOST_GROUP)]


def hook_statuses() -> list[PluginStatus]:
    """Return every installed plugin without a provider, loading each; none hurts another."""
    loaded = load_hook_plugins()
    return [
        PluginStatus(
            name=name,
            distributions=tuple(map(distribution, claims)),
            state=PluginState.OK if (error := loaded[name]) is None else _state(error),
            reason="" if error is None else str(error),
        )
        for name, claims in discover(HOOK_GROUP).items()
    ]


def _host_status(name: str) -> PluginStatus:
    distributions = tuple(map(distribution, claims_of(name, HOST_GROUP)))
    try:
        spec = host(name).spec
    except ProviderError as error:
        return PluginStatus(
            name=name, distributions=distributions, state=_state(error), reason=str(error)
        )
    return PluginStatus(name=name, distributions=distributions, state=PluginState.OK, spec=spec)


def _state(error: ProviderError) -> PluginState:
    return _ERROR_STATES.get(type(error), PluginState.BROKEN)


def _status(name: str) -> PluginStatus:
    distributions = tuple(map(distribution, discover().get(name, ())))
    distributions = distributions or ("registered by hand",)
    spec: ProviderSpec | None = None
    try:
        spec = provider(name)
        origin = origin_of(name) or Origin(name)
        sdk = _sdk(origin, spec)
        _check_package(origin, spec)
        for api in spec.apis:
            _check_prices(origin, load_provider(name, api))
    except ProviderError as error:
        return PluginStatus(
            name=name,
            distributions=distributions,
            state=_state(error),
            reason=str(error),
            spec=spec,
        )
    return PluginStatus(
        name=name, distributions=distributions, state=PluginState.OK, spec=spec, sdk=sdk
    )


def _check_package(origin: Origin, spec: ProviderSpec) -> None:
    """Check that there is what users are to import."""
    try:
        found = importlib.util.find_spec(spec.package) is not None
    except (ImportError, ValueError):
        found = False
    if not found:
        raise origin.broken(f"there is no package {spec.package!r}, its ProviderSpec.package")


def _check_prices(origin: Origin, loaded: Provider) -> None:
    """Check that its prices can be read, which are needed when a call has been paid already."""
    try:
        table = loaded.prices
    except Exception as error:
        raise origin.broken(
            f"its prices ({loaded.prices_package!r}) can't be read: {describe(error)}"
        ) from error
    if table.provider and table.provider != loaded.name:
        raise origin.broken(f"its prices are those of {table.provider!r}")


def _sdk(origin: Origin, spec: ProviderSpec) -> str:
    if spec.sdk is None:
        return ""
    try:
        return f"{spec.sdk} {version(spec.sdk)}"
    except PackageNotFoundError:
        raise origin.broken(
            f"its SDK {spec.sdk!r} is not installed", fix=install_command(spec.sdk)
        ) from None
