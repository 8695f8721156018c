"""How a provider is reached for one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach the provider for one call; never shown, never part of the request.

    Attributes:
        client: the user's own client, or None for the provider's default one.
        settings: the provider's own connection settings (`base_url`, `api_key`, …).
        sdk_iteration: take the SDK's own loop instead of the response's bytes.
    """

    client: Any = None
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    sdk_iteration: bool = False
