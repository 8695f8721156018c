"""The entry point: what this plugin adds."""

from __future__ import annotations

from mirascope.core import Provider
from mirascope.core.plugins import Capability, ProviderSpec, hookimpl


def _messages() -> Provider:
    from ._call import PROVIDER

    return PROVIDER


@hookimpl
def mirascope_provider() -> ProviderSpec:
    """Describe the provider."""
    return ProviderSpec(
        name="anthropic",
        api_version=1,
        package="mirascope_anthropic",
        title="Anthropic",
        apis={"messages": _messages},
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
            }
        ),
        api_key_env=("ANTHROPIC_API_KEY",),
        sdk="anthropic",
        docs_url="https://docs.anthropic.com/en/api/messages",
        default_model="claude-haiku-4-5",
    )
