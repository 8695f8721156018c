"""What calls cost: prices of your own, discounts, and the cost of usage that you stored.

`from mirascope.core import prices`; see `docs/costs.md`.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ._prices._cost import Cost, UnknownPriceError, UnknownPriceWarning
from ._prices._lint import PriceProblem, lint
from ._prices._overrides import discount, isolated, price, register, strict, table_of, unregister
from ._prices._table import PriceTable
from ._prices._usage import Usage
from ._provider._provider import Provider
from ._public import publish as _publish

__all__ = [
    "Cost",
    "PriceProblem",
    "PriceTable",
    "UnknownPriceError",
    "UnknownPriceWarning",
    "cost",
    "discount",
    "isolated",
    "lint",
    "register",
    "strict",
    "table",
    "unregister",
]

_publish(globals())


def table(provider: str | Provider) -> PriceTable:
    """Return a provider's prices with everything over them that holds for the whole process.

    Raises:
        ProviderError: there is no such provider, or it can't be used.
        UsageError: a price file can't be used.
    """
    found = _provider(provider)
    return table_of(found.name, found.prices)


def cost(
    provider: str | Provider,
    model: str,
    usage: Usage | Mapping[str, Any],
    *,
    context: Mapping[str, Any] | None = None,
    at: datetime.date | None = None,
    api: str | None = None,
    final: bool = True,
) -> Cost | None:
    """Return what a response cost whose usage was stored, or None where no price is known.

    Args:
        provider: the provider, or its name.
        model: the model as the response named it.
        usage: the provider's own usage object as JSON, or neutral usage.
        context: what else is known of the response and changes its price: `service_tier`,
            `base_url`, `processing`, …; `docs/costs.md` lists what each provider reads.
        at: when the request was sent, UTC without a time zone; now if None.
        api: one of the provider's wire APIs; its default one if None.
        final: False where the response ended early.

    Raises:
        ProviderError: there is no such provider, or it can't be used.
        UsageError: a price file can't be used.
        UnknownPriceError: the price is not known and `strict` is on.
    """
    found = _provider(provider, api)
    if not isinstance(usage, Usage):
        usage = found.normalize(dict(usage), found.context_facts(context or {}))
    return price(found.name, usage, bundled=lambda: found.prices, model=model, final=final, at=at)


def _provider(provider: str | Provider, api: str | None = None) -> Provider:
    if isinstance(provider, Provider):
        return provider
    from .plugins import load_provider

    return load_provider(provider, api)
