"""How a provider is reached for one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ._bounds import MAX_STREAM_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach the provider for one call; never shown, never part of the request.

    Attributes:
        client: the user's own client, or None for the provider's default one.
        settings: the provider's own connection settings (`base_url`, `api_key`, …).
        sdk_iteration: take the SDK's own loop instead of the response's bytes.
        max_bytes: how large the response's body may be.
    """

    client: Any = field(default=None, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    sdk_iteration: bool = False
    max_bytes: int = MAX_STREAM_BYTES

    def takes_environment_key(self, *own: str | None) -> bool:
        """Whether a key from the environment may go where this call goes.

        It goes to the addresses that it belongs to, and nowhere else: who tries a friend's server
        with `base_url=` does not hand it the company's key. With another address, the key has to
        be given along.

        Args:
            *own: the provider's own address, and the one that the environment names.
        """
        url = self.settings.get("base_url")
        return not url or origin_of(url) in {origin_of(address) for address in own if address}


def origin_of(url: object) -> tuple[str, str, int | None]:
    """Return an address's scheme, host in lower case, and port; what is not one has no host."""
    try:
        parts = urlsplit(str(url))
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return str(url), "", None
    return parts.scheme, (parts.hostname or "").lower(), port
