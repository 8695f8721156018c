"""The entry point: what this plugin adds."""

from mirascope.core.plugins import Capability, ProviderSpec, hookimpl

from . import PROVIDER


@hookimpl
def mirascope_provider() -> ProviderSpec:
    """Describe the provider."""
    can = Capability.SYNC, Capability.ASYNC, Capability.TOOLS, Capability.USAGE_IN_STREAM
    return ProviderSpec(
        name="acme",
        api_version=1,
        package="mirascope_acme",
        title="Acme",
        apis={"lines": lambda: PROVIDER},
        capabilities=frozenset({*can, Capability.CACHED_TOKENS}),
        api_key_env=("ACME_API_KEY",),
        sdk="httpx",
    )
