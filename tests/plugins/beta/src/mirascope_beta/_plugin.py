"""The entry point: what this plugin adds."""

from mirascope.core.plugins import Capability, ProviderSpec, hookimpl

from . import PROVIDER


@hookimpl
def mirascope_provider() -> ProviderSpec:
    """Describe the provider."""
    can = Capability.SYNC, Capability.ASYNC, Capability.TOOLS, Capability.USAGE_IN_STREAM
    return ProviderSpec(
        name="beta",
        api_version=1,
        package="mirascope_beta",
        title="Beta",
        apis={"chat": lambda: PROVIDER},
        capabilities=frozenset(can),
        api_key_env=("BETA_API_KEY",),
    )
