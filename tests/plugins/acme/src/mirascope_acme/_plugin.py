"""The entry point: what this plugin adds."""

from mirascope.core.plugins import Capability, ProviderSpec, hookimpl

from . import PROVIDER


@hookimpl
def mirascope_provider() -> ProviderSpec:
    """Describe the provider."""
    return ProviderSpec(
        name="acme",
        api_version=1,
        package="mirascope_acme",
        title="Acme",
        apis={"lines": lambda: PROVIDER},
        capabilities=frozenset(
            {
                Capability.SYNC,
                Capability.ASYNC,
                Capability.TOOLS,
                Capability.USAGE_IN_STREAM,
                Capability.CACHED_TOKENS,
            }
        ),
        api_key_env=("ACME_API_KEY",),
        sdk="httpx",
        docs_url="https://acme.example/docs",
    )
