"""The entry point: what this plugin adds."""

from __future__ import annotations

from mirascope.core import Provider
from mirascope.core.plugins import Capability, ProviderSpec, hookimpl


def _chat() -> Provider:
    from ._call import PROVIDER

    return PROVIDER


def _responses() -> Provider:
    from ._call import RESPONSES_PROVIDER

    return RESPONSES_PROVIDER


@hookimpl
def mirascope_provider() -> ProviderSpec:
    """Describe the provider."""
    return ProviderSpec(
        name="openai",
        api_version=1,
        package="mirascope_openai",
        title="OpenAI",
        apis={"chat": _chat, "responses": _responses},
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
        sdk="openai",
        docs_url="https://platform.openai.com/docs",
        default_model="gpt-4o-mini",
    )
