"""A server with a name: where it is, which key goes there, and what is peculiar about it."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from mirascope.core import (
    OTHER_HOST,
    CallRequest,
    Connection,
    PriceTable,
    Request,
    ResponseMode,
    UsageError,
    origin_of,
)
from mirascope.core.plugins import Capability, ProviderSpec
from typing_extensions import override

from ._provider import CompatibleProvider

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_THIS_MACHINE: Final = "loopback"
"""The fact `host` of a server on this machine."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """A server that speaks chat completions, by a name of its own.

    `@compatible.call("model", host=Host(…))` is answered by it. With a line in a distribution's
    metadata it has its name everywhere: see `docs/plugins.md`.

    Attributes:
        name: what it is called, in code and in costs: `[a-z][a-z0-9_]*`.
        base_url: its address, up to what comes before `/chat/completions`.
        api_key_env: the environment variables that can hold its key; the first that is set counts.
            The key goes to `base_url` and nowhere else.
        title: the name that people use.
        docs_url: where its API is documented.
        stream_usage: whether a stream asks for usage. False for servers that refuse to be asked.
        reports_cost: whether responses say what they cost, so that no table is needed.
        is_local: whether it runs its models on this machine, which costs nothing.
        response_modes: how it can be asked for a `response_model`, what is best first.
        prices_package: the package that holds its prices, or None where no price is known.
        prices_file: the file in that package.
    """

    name: str
    base_url: str
    api_key_env: str | tuple[str, ...] = ()
    title: str = ""
    docs_url: str | None = None
    stream_usage: bool = True
    reports_cost: bool = False
    is_local: bool = False
    response_modes: tuple[ResponseMode, ...] = CompatibleProvider.response_modes
    prices_package: str | None = None
    prices_file: str = "prices.toml"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(f"a host's name is lower case: [a-z][a-z0-9_]*, not {self.name!r}")
        scheme, host, _ = origin_of(self.base_url)
        if scheme not in ("https", "http") or not host:
            raise UsageError(f"host {self.name!r}: base_url must be an address, not one without")
        if scheme == "http" and self.key_variables and host not in _LOOPBACK:
            raise UsageError(
                f"host {self.name!r}: its key would be sent in the clear: base_url must begin with "
                "https://"
            )

    @property
    def key_variables(self) -> tuple[str, ...]:
        """The environment variables that can hold its key, the first one first."""
        given = self.api_key_env
        return (given,) if isinstance(given, str) else tuple(given)

    def provider(self) -> CompatibleProvider:
        """Return who answers the host's calls; the same for equal hosts."""
        return _provider_of(self)

    def spec(self) -> ProviderSpec:
        """Describe the host to core: what an entry point of `mirascope.hosts` is asked for."""
        return ProviderSpec(
            name=self.name,
            api_version=1,
            package="mirascope_compatible",
            title=self.title or self.name,
            apis={"chat": self.provider},
            capabilities=frozenset(
                {Capability.SYNC, Capability.ASYNC}
                | ({Capability.REPORTED_COST} if self.reports_cost else set())
            ),
            api_key_env=self.key_variables,
            sdk="httpx",
            docs_url=self.docs_url,
            base_url=self.base_url,
        )


class HostProvider(CompatibleProvider):
    """Answers the calls of one host."""

    host: ClassVar[Host]

    @override
    def prepare(self, request: CallRequest) -> Request:
        if not self.host.stream_usage:
            params = {"stream_options": None, **request.call_params}
            request = replace(request, call_params=params)
        return super().prepare(request)

    @functools.cached_property
    @override
    def prices(self) -> PriceTable:
        host = self.host
        if host.is_local:
            said = "a server on this machine is taken to run the model itself"
            return PriceTable(provider=host.name, free=True, hosts={_THIS_MACHINE: said})
        if host.prices_package is None:
            return PriceTable(
                provider=host.name,
                lack=f"no prices are known for host {host.name!r}: its costs are None unless "
                f"prices= or prices.register({host.name!r}, …) gives them",
            )
        return PriceTable.from_package(host.prices_package, host.prices_file)

    @override
    def request_facts(self, connection: Connection) -> Mapping[str, str]:
        url = connection.settings.get("base_url") or getattr(connection.client, "base_url", None)
        return self._host_facts(str(url or "") or self.host.base_url)

    @override
    def context_facts(self, context: Mapping[str, Any]) -> dict[str, str]:
        facts = super().context_facts(context)
        return facts | self._host_facts(facts.pop("base_url", self.host.base_url))

    def _host_facts(self, url: str) -> dict[str, str]:
        """Return what a server's address means for prices: that it is not the host's own."""
        if self.host.is_local and origin_of(url)[1] in _LOOPBACK:
            return {"host": _THIS_MACHINE}
        return {} if origin_of(url) == origin_of(self.host.base_url) else {"host": OTHER_HOST}


@functools.cache
def _provider_of(host: Host) -> CompatibleProvider:
    # What a plugin for one server is: a subclass with its own class attributes.
    attributes: dict[str, Any] = {
        "__module__": __name__,
        "name": host.name,
        "base_url": host.base_url,
        "api_key_env": host.key_variables,
        "host": host,
        "response_modes": tuple(host.response_modes),
    }
    made: type[HostProvider] = type("HostProvider", (HostProvider,), attributes)
    return made()
