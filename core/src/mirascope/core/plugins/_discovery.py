"""Find plugins by their entry points and import the one that is asked for.

`pluggy`'s own `load_setuptools_entrypoints` imports every plugin, stops at the first that fails,
and resolves conflicts by directory order without a word; hence this loader.
"""

from __future__ import annotations

import difflib
import json
import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from .._errors import (
    BrokenProviderError,
    DisabledProviderError,
    MissingProviderError,
    ProviderConflictError,
    ProviderError,
    UnknownProviderError,
    describe,
)
from ._elsewhere import ELSEWHERE
from ._first_party import FIRST_PARTY, install_provider
from ._spec import PROVIDER_NAME

GROUP: Final = "mirascope.providers"
HOST_GROUP: Final = "mirascope.hosts"
HOOK_GROUP: Final = "mirascope.plugins"
DISABLE_VARIABLE: Final = "MIRASCOPE_DISABLE_PLUGINS"

_logger = logging.getLogger("mirascope.plugins")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a plugin comes from, for the messages about it.

    Attributes:
        name: the provider's name, or that of the entry point of a plugin that adds none.
        distribution: its distribution as `name version`, `""` where it was registered by hand.
        label: what stands for a plugin that was registered by hand.
        adds_provider: whether the plugin is a provider's.
        source: where its source is, if the distribution is installed editable: who has it that way
            writes it.
    """

    name: str
    distribution: str = ""
    label: str = ""
    adds_provider: bool = True
    source: str = ""

    def __str__(self) -> str:
        if self.label:
            return f"plugin {self.label}"
        kind = "provider" if self.adds_provider else "plugin"
        return f"{kind} {self.name!r} ({self.distribution or 'registered by hand'})"

    @property
    def project(self) -> str:
        """The distribution's name without its version."""
        return self.distribution.partition(" ")[0]

    def broken(self, why: str, *, fix: str | None = None) -> BrokenProviderError:
        """Return the error for a plugin that can't be used.

        Args:
            why: what is wrong with it.
            fix: what to do about it, where that is known; else the distribution is to be upgraded.
        """
        if fix is not None:
            way_out = f": {fix}"
        elif self.source:
            way_out = f"; it is installed editable: mend it in {self.source!r}"
        else:
            way_out = f"; upgrade {self.project} or uninstall it" if self.distribution else ""
        return BrokenProviderError(f"{self}: {why}{way_out}", provider=self.name)


@lru_cache(maxsize=3)
def discover(group: str = GROUP) -> Mapping[str, tuple[EntryPoint, ...]]:
    """Return the entry points of each provider's name, or host's; imports none of them."""
    found: dict[str, list[EntryPoint]] = {}
    for entry_point in entry_points(group=group):
        claims = found.setdefault(entry_point.name, [])
        # One distribution is found twice where two entries of sys.path lead to it.
        if all(distribution(entry_point) != distribution(other) for other in claims):
            claims.append(entry_point)
    return {name: tuple(sorted(claims, key=distribution)) for name, claims in sorted(found.items())}


def installed_names() -> tuple[str, ...]:
    """Return the names that installed plugins claim; imports none of them."""
    return tuple(discover())


def distribution(entry_point: EntryPoint) -> str:
    """Return the distribution of an entry point as `name version`."""
    dist = entry_point.dist
    return f"{dist.name} {dist.version}" if dist is not None else entry_point.value


def import_plugin(name: str, group: str = GROUP) -> tuple[object, Origin]:
    """Import the plugin that claims a provider's name; nothing about it has been checked yet.

    Args:
        name: the provider's name, or the host's.
        group: the entry points among which it is.

    Raises:
        ProviderError: the plugin is missing, unknown, disabled, claimed twice, or fails to import.
    """
    claims = claims_of(name, group)
    kind = "plugin" if group == HOOK_GROUP else "provider"
    claimants = " and ".join(map(distribution, claims))
    _refuse_disabled(kind, name, claims)
    if not claims:
        raise _unknown(name) if group == GROUP else _unknown_host(name)
    entry_point, *others = claims
    if others:
        way_out = "" if group == HOOK_GROUP else ", or register_provider() the one to use"
        raise ProviderConflictError(
            f"{kind} {name!r} is claimed by {claimants}: uninstall one{way_out}", provider=name
        )
    origin = origin_at(entry_point, group)
    if group != HOOK_GROUP and not PROVIDER_NAME.fullmatch(name):
        raise origin.broken("a provider's name is lower case: [a-z][a-z0-9_]*")
    try:
        return entry_point.load(), origin
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # The panic of an extension in Rust, or a test that is skipped, is no `Exception`.
        raise origin.broken(f"failed to import {entry_point.value!r}: {describe(error)}") from error


def origin_at(entry_point: EntryPoint, group: str) -> Origin:
    """Return where the plugin of an entry point comes from."""
    return Origin(
        entry_point.name,
        distribution(entry_point),
        adds_provider=group != HOOK_GROUP,
        source=_source(entry_point),
    )


def _source(entry_point: EntryPoint) -> str:
    """Return the directory of a distribution that is installed editable (PEP 610), or `""`."""
    try:
        text = (entry_point.dist and entry_point.dist.read_text("direct_url.json")) or "{}"
        found = json.loads(text)
        is_editable = found["dir_info"]["editable"] is True
        return str(found["url"]).removeprefix("file://") if is_editable else ""
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def claims_of(name: str, group: str) -> tuple[EntryPoint, ...]:
    """Return the one distribution's claim of a name, or all of them where they are in conflict.

    Of two that claim a host's name, the one that is not of this project has it: who installs a
    plugin for a host wants that, and a preset that is added here must not take it away.
    """
    claims = discover(group).get(name, ())
    if group == HOST_GROUP and len(claims) > 1:
        claims = tuple(c for c in claims if not _is_ours(c)) or claims
    return claims


def _is_ours(entry_point: EntryPoint) -> bool:
    dist = entry_point.dist
    return dist is not None and dist.name.removeprefix("mirascope-") in FIRST_PARTY


def _refuse_disabled(kind: str, name: str, claims: Iterable[EntryPoint]) -> None:
    value = os.environ.get(DISABLE_VARIABLE, "")
    disabled = disabled_names(value)
    claimants = tuple(map(distribution, claims))
    # People know a plugin by either name: that of its provider, and that of its distribution.
    named = {name, *(_normal(each.partition(" ")[0]) for each in claimants)}
    if "all" in disabled or named & disabled:
        raise DisabledProviderError(
            f"{kind} {name!r} ({' and '.join(claimants) or 'not installed'}) is disabled by "
            f"{DISABLE_VARIABLE}={value!r}: change the variable to use it",
            provider=name,
        )


@lru_cache(maxsize=8)
def disabled_names(value: str) -> frozenset[str]:
    """Return the names in `MIRASCOPE_DISABLE_PLUGINS`; one that nobody has is logged once."""
    names = {part.strip() for part in value.split(",")} - {""}
    unknown = unknown_disabled(names)
    if unknown:
        _logger.warning(
            "%s names %s, which no plugin has: is it misspelt?",
            DISABLE_VARIABLE,
            ", ".join(map(repr, unknown)),
        )
    return frozenset({*names, *map(_normal, names)})


def unknown_disabled(names: Iterable[str]) -> list[str]:
    """Return those of the names that neither a plugin, a host nor a distribution has."""
    known = {"all", *FIRST_PARTY}
    for group in (GROUP, HOST_GROUP, HOOK_GROUP):
        for name, claims in discover(group).items():
            known |= {name, *(_normal(distribution(claim).partition(" ")[0]) for claim in claims)}
    return sorted(name for name in names if name not in known and _normal(name) not in known)


def _normal(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _unknown(name: str) -> ProviderError:
    if name in FIRST_PARTY:
        return MissingProviderError(
            f"provider {name!r} is not installed: {install_provider(name)}", provider=name
        )
    known = installed_names()
    installed = f"(installed: {', '.join(known) or 'none'})"
    if name in ELSEWHERE:
        return UnknownProviderError(
            f"no provider {name!r} is installed {installed}: {ELSEWHERE[name]}", provider=name
        )
    hint = _close(name, {*known, *FIRST_PARTY, *discover(HOST_GROUP)})
    return UnknownProviderError(
        f"no provider {name!r} is installed{hint} {installed}", provider=name
    )


def _unknown_host(name: str) -> ProviderError:
    known = discover(HOST_GROUP)
    return UnknownProviderError(
        f"no host {name!r} is known{_close(name, known)} (known: {', '.join(known) or 'none'}); "
        "any other server takes base_url= and api_key= instead",
        provider=name,
    )


def _close(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name.lower(), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
