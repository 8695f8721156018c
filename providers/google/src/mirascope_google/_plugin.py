"""The entry point: what this plugin adds."""

from __future__ import annotations

from mirascope.core import Provider
from mirascope.core.plugins import Capability, ProviderSpec, hookimpl


def _generate() -> Provider:
    from ._call import PROVIDER

    return PROVIDER


@hookimpl
def mirascope_provider() -> ProviderSpec:
    """Describe the provider."""
    return ProviderSpec(
        name="google",
        api_version=1,
        package="mirascope_google",
        title="Google Gemini",
        apis={"generate": _generate},
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
        api_key_env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        sdk="google-genai",
        docs_url="https://ai.google.dev/gemini-api/docs",
        default_model="gemini-2.5-flash",
    )
