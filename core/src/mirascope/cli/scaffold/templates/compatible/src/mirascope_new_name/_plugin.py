"""The entry point: what this plugin adds."""

from mirascope.core.plugins import Capability, ProviderSpec, hookimpl

from . import PROVIDER


@hookimpl
def mirascope_provider() -> ProviderSpec:
    """Describe the provider."""
    can = Capability.SYNC, Capability.ASYNC, Capability.TOOLS, Capability.USAGE_IN_STREAM
    return ProviderSpec(
        name="new_name",
        api_version=1,
        package="mirascope_new_name",
        title="New Name",
        apis={"chat": lambda: PROVIDER},
        capabilities=frozenset(can),
        api_key_env=("NEW_NAME_API_KEY",),
    )
