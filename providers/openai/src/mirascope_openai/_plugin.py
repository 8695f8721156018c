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
        capabilities=frozenset(Capability),
        api_key_env=("OPENAI_API_KEY",),
        sdk="openai",
        docs_url="https://platform.openai.com/docs",
    )
