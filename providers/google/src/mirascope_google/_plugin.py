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
        capabilities=frozenset(Capability),
        api_key_env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        sdk="google-genai",
        docs_url="https://ai.google.dev/gemini-api/docs",
    )
