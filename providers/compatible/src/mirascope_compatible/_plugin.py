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
        name="compatible",
        api_version=1,
        package="mirascope_compatible",
        title="Chat-completions servers",
        apis={"chat": _chat},
        capabilities=frozenset(
            {
                Capability.SYNC,
                Capability.ASYNC,
                Capability.TOOLS,
                Capability.PARALLEL_TOOLS,
                Capability.THINKING,
                Capability.IMAGE_INPUT,
                Capability.USAGE_IN_STREAM,
                Capability.CACHED_TOKENS,
                Capability.MULTI_CHOICE,
            }
        ),
        api_key_env=("OPENAI_API_KEY",),
        sdk="httpx",
    )
