"""The entry point: what this plugin adds."""

from __future__ import annotations

from mirascope.core import Provider
from mirascope.core.plugins import Capability, ProviderSpec, hookimpl


def _chat() -> Provider:
    from ._call import PROVIDER

    return PROVIDER


@hookimpl
def mirascope_provider() -> ProviderSpec:
    """Describe the provider."""
    return ProviderSpec(
        name="local",
        api_version=1,
        package="mirascope_local",
        title="Embedded model",
        apis={"chat": _chat},
        capabilities=frozenset(
            {
                Capability.SYNC,
                Capability.ASYNC,
                Capability.TOOLS,
                Capability.USAGE_IN_STREAM,
                Capability.CACHED_TOKENS,
            }
        ),
        sdk="xllamacpp",
    )
