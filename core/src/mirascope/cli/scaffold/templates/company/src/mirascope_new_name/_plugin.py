"""The entry point: the provider, and one line for the audit of each of its answers."""

import logging
from typing import Any

from mirascope.core.plugins import Capability, ProviderSpec, hookimpl

from . import PROVIDER

_audit = logging.getLogger("mirascope_new_name.audit")


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


@hookimpl
def mirascope_call_finished(result: Any) -> None:
    """Log who answered and what it cost; this hook is called for other providers too."""
    if result.provider == "new_name":
        _audit.info("%s: %s, $%s", result.model, result.common_usage, result.cost)
