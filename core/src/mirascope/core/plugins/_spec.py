"""How a plugin describes its provider."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from .._provider._provider import Provider

PLUGIN_API: Final = 1
"""The plugin API that this core speaks; it grows when a plugin must change."""
OLDEST_PLUGIN_API: Final = 1
"""The oldest plugin API that this core still accepts."""

PROVIDER_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


class Capability(StrEnum):
    """Something that a provider can do.

    Attributes:
        SYNC: calls of functions.
        ASYNC: calls of `async def` functions.
        TOOLS: the model calls tools.
        PARALLEL_TOOLS: it calls several in one answer.
        THINKING: it sends its reasoning.
        IMAGE_INPUT: it takes images.
        USAGE_IN_STREAM: a stream brings usage.
        CACHED_TOKENS: usage counts tokens that came from a cache.
        MULTI_CHOICE: one request may have several answers.
        REPORTED_COST: it reports what a request costs.
    """

    SYNC = "sync"
    ASYNC = "async"
    TOOLS = "tools"
    PARALLEL_TOOLS = "parallel_tools"
    THINKING = "thinking"
    IMAGE_INPUT = "image_input"
    USAGE_IN_STREAM = "usage_in_stream"
    CACHED_TOKENS = "cached_tokens"
    MULTI_CHOICE = "multi_choice"
    REPORTED_COST = "reported_cost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """A provider, described without importing its SDK.

    Attributes:
        name: the provider's name, equal to that of its entry point: `[a-z][a-z0-9_]*`.
        api_version: the plugin API that the plugin was written for, as a literal number.
        package: the package that users import, such as `"mirascope_acme"`.
        title: the name that people use.
        apis: the provider's wire APIs by name, the default one first. Each value is a callable
            that imports and returns the `Provider`.
        capabilities: what the provider can do, listed one by one: for people, and for programs that
            choose a provider. Core refuses nothing by it: models and servers of one provider
            differ, and a list that lags behind must not take away what works.
        api_key_env: the environment variables that hold its credentials.
        sdk: the distribution of the SDK that it uses, or None.
        docs_url: where its documentation is.
        base_url: the address of the one server that this is, for a host of another provider's
            protocol; its users import that provider's package. None for a provider.
        default_model: the model that the command line asks where a key of `api_key_env` is set and
            none is named; None where there is no such choice.
    """

    name: str
    api_version: int
    package: str
    title: str
    apis: Mapping[str, Callable[[], Provider]]
    capabilities: frozenset[Capability]
    api_key_env: tuple[str, ...] = ()
    sdk: str | None = None
    docs_url: str | None = None
    base_url: str | None = None
    default_model: str | None = None


class HostPlugin(Protocol):
    """What an entry point of `mirascope.hosts` leads to: a server with a name, an address, a key.

    `mirascope_compatible.Host` is one.
    """

    def spec(self) -> ProviderSpec:
        """Describe the host; its `base_url` is given."""
        ...
