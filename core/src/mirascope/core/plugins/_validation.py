"""Examine a plugin before the registry sees it.

Each plugin is registered in a plugin manager of its own and thrown away with it if anything is
wrong: one that fails never reaches the real manager, and there is nothing to roll back.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pluggy

from .._errors import IncompatibleProviderError, describe
from .._observers import PLUGIN_FAILURES
from ._discovery import Origin
from ._hooks import PROJECT, ProviderHooks
from ._spec import OLDEST_PLUGIN_API, PLUGIN_API, PROVIDER_NAME, Capability, ProviderSpec

Settings = Mapping[str, Any]


def new_manager() -> pluggy.PluginManager:
    """Return a plugin manager that knows the hooks and no plugin."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(ProviderHooks)
    return manager


def examine_provider(
    plugin: object, origin: Origin, settings: Sequence[Settings] = ()
) -> ProviderSpec:
    """Return a plugin's description of its provider.

    Args:
        plugin: the plugin.
        origin: where it comes from; a name that it has there is the one it must give itself.
        settings: what `mirascope_configure` is to be told.

    Raises:
        BrokenProviderError: the plugin does not do what a plugin must.
        IncompatibleProviderError: it was written for another plugin API.
    """
    quarantine = _quarantine(plugin, origin)
    try:
        answers: list[object] = quarantine.hook.mirascope_provider()
    except PLUGIN_FAILURES as error:
        raise origin.broken(f"mirascope_provider() raised {describe(error)}") from error
    if not quarantine.hook.mirascope_provider.get_hookimpls():
        _check_hooks(quarantine, plugin, origin)
        others = quarantine.get_hookcallers(plugin)
        raise origin.broken(
            "it has no mirascope_provider hook",
            fix="a plugin with other hooks only has its entry point in the group "
            "'mirascope.plugins'"
            if others and origin.distribution
            else "is @hookimpl missing from the function?",
        )
    # pluggy leaves out an answer of None: one that forgot its `return` has given none.
    spec = answers[0] if answers else None
    if not isinstance(spec, ProviderSpec):
        raise origin.broken(
            f"mirascope_provider() returned a {type(spec).__name__!r}, not a ProviderSpec"
        )
    # The version comes before the hooks' names: a newer plugin may implement newer hooks.
    _check_version(spec, origin)
    _check_hooks(quarantine, plugin, origin)
    _check_spec(spec, origin)
    _configure(quarantine, origin, settings)
    return spec


def examine_host(plugin: object, origin: Origin) -> ProviderSpec:
    """Return a plugin's description of a host; it has no hooks, and is told of no settings.

    Raises:
        BrokenProviderError: the plugin does not describe a host.
        IncompatibleProviderError: it was written for another plugin API.
    """
    describe_host: Any = getattr(plugin, "spec", None)
    if not callable(describe_host):
        raise origin.broken(f"its entry point is a {type(plugin).__name__!r}, not a host")
    try:
        spec: object = describe_host()
    except PLUGIN_FAILURES as error:
        raise origin.broken(f"spec() raised {describe(error)}") from error
    if not isinstance(spec, ProviderSpec) or not spec.base_url:
        raise origin.broken("spec() must return a ProviderSpec with a base_url")
    _check_version(spec, origin)
    _check_spec(spec, origin)
    return spec


def examine_observer(plugin: object, origin: Origin, settings: Sequence[Settings] = ()) -> None:
    """Check a plugin that adds no provider.

    Raises:
        BrokenProviderError: it has no hook, one that does not exist or that only a provider has,
            or can't be configured.
    """
    if isinstance(plugin, type):
        raise origin.broken("it is a class", fix="give an instance of it")
    quarantine = _quarantine(plugin, origin)
    hooks = {hook.name for hook in quarantine.get_hookcallers(plugin) or ()}
    if not hooks:
        raise origin.broken("it has no hook", fix="is @hookimpl missing from its functions?")
    if "mirascope_provider" in hooks:
        raise origin.broken(
            "it adds a provider",
            fix="its entry point belongs in the group 'mirascope.providers'"
            if origin.distribution
            else "register it with register_provider()",
        )
    _check_hooks(quarantine, plugin, origin)
    _configure(quarantine, origin, settings)


def _quarantine(plugin: object, origin: Origin) -> pluggy.PluginManager:
    quarantine = new_manager()
    try:
        quarantine.register(plugin, name=origin.name or None)
    except PLUGIN_FAILURES as error:
        raise origin.broken(" ".join(str(error).split())) from error
    return quarantine


def _check_version(spec: ProviderSpec, origin: Origin) -> None:
    version = spec.api_version
    if type(version) is not int:
        raise origin.broken(f"ProviderSpec.api_version must be a whole number, not {version!r}")
    if OLDEST_PLUGIN_API <= version <= PLUGIN_API:
        return
    upgrade = "mirascope-core" if version > PLUGIN_API else origin.project or "the plugin"
    raise IncompatibleProviderError(
        f"{origin} speaks plugin API {version}, this core {OLDEST_PLUGIN_API} to {PLUGIN_API}: "
        f"upgrade {upgrade}",
        provider=spec.name,
    )


def _check_hooks(quarantine: pluggy.PluginManager, plugin: object, origin: Origin) -> None:
    known = [name for name in vars(ProviderHooks) if name.startswith(PROJECT)]
    for hook in quarantine.get_hookcallers(plugin) or ():
        implementations = hook.get_hookimpls()
        if not hook.has_spec() and not all(each.optionalhook for each in implementations):
            close = difflib.get_close_matches(hook.name, known, n=1)
            raise origin.broken(
                f"unknown hook {hook.name!r}",
                fix=f"did you mean {close[0]!r}?" if close else None,
            )
        if any(e.wrapper or e.hookwrapper for e in implementations):
            # Core calls each implementation by itself, so that none is hurt by another.
            raise origin.broken(f"{hook.name!r} can't be a hook wrapper")
        if any(inspect.iscoroutinefunction(each.function) for each in implementations):
            raise origin.broken(
                f"{hook.name!r} is an 'async def', and hooks are called and not awaited",
                fix="write 'def', and start a task in it where there is something to wait for",
            )


def _check_spec(spec: ProviderSpec, origin: Origin) -> None:
    if origin.name and spec.name != origin.name:
        raise origin.broken(
            f"it calls itself {spec.name!r}; ProviderSpec.name must equal the entry point's name"
        )
    if not PROVIDER_NAME.fullmatch(spec.name):
        raise origin.broken(f"a provider's name is lower case: [a-z][a-z0-9_]*, not {spec.name!r}")
    _check_types(spec, origin)
    apis = cast("object", spec.apis)
    if not isinstance(apis, Mapping) or not all(map(callable, cast("Settings", apis).values())):
        raise origin.broken("ProviderSpec.apis must be a mapping of names to callables")
    if not apis:
        raise origin.broken("ProviderSpec.apis is empty: it must name an API")


def _check_types(spec: ProviderSpec, origin: Origin) -> None:
    """Check what type checkers would, for authors who use none."""
    for name in ("package", "title"):
        if not _is_text(getattr(spec, name)):
            raise origin.broken(f"ProviderSpec.{name} must be text, not {getattr(spec, name)!r}")
    for name in ("sdk", "docs_url", "base_url"):
        if not (getattr(spec, name) is None or _is_text(getattr(spec, name))):
            raise origin.broken(
                f"ProviderSpec.{name} must be text or None, not {getattr(spec, name)!r}"
            )
    variables = cast("object", spec.api_key_env)
    if not isinstance(variables, tuple) or not all(map(_is_text, cast("tuple[Any]", variables))):
        raise origin.broken(
            f"ProviderSpec.api_key_env must be a tuple of names, such as ('ACME_API_KEY',), not "
            f"{variables!r}"
        )
    listed = cast("object", spec.capabilities)
    if not isinstance(listed, (frozenset, set)):
        raise origin.broken(
            f"ProviderSpec.capabilities must be a frozenset of Capability, not {listed!r}"
        )
    known = set(Capability)
    if unknown := [each for each in cast("set[Any]", listed) if each not in known]:
        raise origin.broken(
            f"ProviderSpec.capabilities has {unknown[0]!r}, which is not a Capability"
        )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _configure(
    quarantine: pluggy.PluginManager, origin: Origin, settings: Sequence[Settings]
) -> None:
    for given in settings:
        try:
            quarantine.hook.mirascope_configure.call_historic(kwargs={"settings": given})
        except PLUGIN_FAILURES as error:
            raise origin.broken(f"mirascope_configure() raised {describe(error)}") from error
