"""What calls cost: prices of your own, discounts, and the cost of usage that you stored.

`from mirascope.core import prices`; see `docs/costs.md`.
"""

from __future__ import annotations

import datetime
import difflib
import math
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, cast

from ._errors import StreamDecodeError, UsageError
from ._prices import _overrides
from ._prices._calculate import UnknownPriceError, UnknownPriceWarning
from ._prices._cost import Cost, CostLine, total
from ._prices._ledger import Ledger, LedgerEntry, LedgerKeeper, LedgerRow
from ._prices._lint import FACTS, PriceProblem, lint
from ._prices._overrides import isolated, price, strict, table_of, unregister
from ._prices._table import PriceTable
from ._prices._usage import Usage
from ._provider._provider import Provider
from ._public import publish as _publish
from ._transport._source import json_object
from .plugins._in_use import use_plugins

__all__ = [
    "Cost",
    "CostLine",
    "Ledger",
    "LedgerEntry",
    "LedgerRow",
    "PriceProblem",
    "PriceTable",
    "UnknownPriceError",
    "UnknownPriceWarning",
    "cost",
    "discount",
    "isolated",
    "ledger",
    "lint",
    "register",
    "strict",
    "table",
    "total",
    "unregister",
]

_publish(globals())


def register(provider: str, prices: PriceTable | str | os.PathLike[str]) -> None:
    """Put prices over those of a provider, model by model, for the whole process.

    A model of the table replaces the provider's model of the same name or alias, and keeps its
    other names; with `extends = true` its rows only come after the provider's. What is registered
    later comes over what was registered earlier.

    Args:
        provider: the provider's name.
        prices: a table, or the path of a TOML file in the format of `prices.toml`.

    Raises:
        ProviderError: there is no such provider.
        UsageError: the file does not follow the format, or says that it is another provider's.
        OSError: the file can't be read.
    """
    _check_name(provider)
    _overrides.register(provider, prices)


def discount(provider: str, factor: Decimal | int | str) -> None:
    """Multiply what a provider's tables say with a factor, such as that of a contract.

    What the provider itself reports, and what a call gives as its own prices, is left alone.

    Args:
        provider: the provider's name.
        factor: what is left of the list price: `Decimal("0.9")` is ten percent off. To pay more
            than the list price, as to a reseller, register prices of your own.

    Raises:
        ProviderError: there is no such provider.
        UsageError: the factor is not a number between 0 and 1.
    """
    _check_name(provider)
    _overrides.discount(provider, factor)


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
    usage: Any,
    *,
    context: Mapping[str, Any] | None = None,
    at: datetime.date | str | float | None = None,
    api: str | None = None,
    final: bool = True,
) -> Cost | None:
    """Return what a response cost whose usage was stored, or None where it is not known.

    Args:
        provider: the provider, or its name.
        model: the model as the response named it.
        usage: the provider's own usage, as JSON in any of its spellings or as the SDK's object
            (`stream.usage`), or neutral usage (`stream.common_usage`, or what its `to_dict` gave).
        context: what else is known of the response and changes its price: `service_tier`,
            `base_url`, `processing`, …; `docs/costs.md` lists what each provider reads.
        at: when the request was sent: a date or time (UTC without a time zone), one as ISO text, or
            seconds since 1970; without it, `request_time` of the context; now if there is neither.
        api: one of the provider's wire APIs; its default one if None.
        final: False where the response ended early.

    Raises:
        ProviderError: there is no such provider, or it can't be used.
        UsageError: a price file can't be used, `at` is not a time, or `usage` is not an object.
        UnknownPriceError: the cost is not known and `strict` is on.
    """
    found = _provider(provider, api)
    given = context or {}
    return price(
        found.name,
        _usage(found, usage, given),
        bundled=lambda: found.prices,
        model=model,
        final=final,
        at=_time(given.get("request_time") if at is None else at),
    )


def ledger() -> Ledger:
    """Return a ledger that takes in every call of this process from now on, streamed or not.

    It goes on until `close()`, which leaving a `with` block does as well. It keeps every call: one
    that runs for long is emptied with `clear()` now and then.
    """
    from .plugins import hookimpl, register_plugin, unregister_plugin

    made = Ledger()
    keeper = LedgerKeeper(made)
    hookimpl(LedgerKeeper.mirascope_call_finished)
    register_plugin(keeper)
    made.on_close(lambda: unregister_plugin(keeper))
    return made


def _usage(provider: Provider, usage: Any, context: Mapping[str, Any]) -> Usage:
    facts = provider.context_facts(context) if context else {}
    if isinstance(usage, Usage):
        return _in_context(usage, facts, context)
    try:
        data = usage if _is_json(usage) else json_object(usage)
    except (StreamDecodeError, TypeError):
        raise UsageError(
            f"usage is {usage!r:.80}: give the provider's usage object, as JSON or the SDK's own"
        ) from None
    if "cache_read_tokens" in data and Usage.is_dict(data):
        return _in_context(Usage.from_dict(data), facts, context)
    return _in_context(provider.normalize(data, facts), {}, context)


def _in_context(usage: Usage, facts: Mapping[str, str], context: Mapping[str, Any]) -> Usage:
    """Return usage with facts that it does not have, and a note for each key that looks misspelt.

    Other keys are let through: prices of one's own may depend on any fact.
    """
    notes: list[str] = []
    for key in context:
        name = re.split(r"[.\[]", key, maxsplit=1)[0]
        if name not in CONTEXT_KEYS and (near := _resembling(name)):
            notes.append(f"nothing reads {key!r} of the context: is it {near!r}?")
    if not facts and not notes:
        return usage
    return replace(usage, facts={**facts, **usage.facts}, notes=(*usage.notes, *notes))


def _resembling(name: str) -> str | None:
    known = {key.replace("_", "").lower(): key for key in CONTEXT_KEYS}
    near = difflib.get_close_matches(name.replace("_", "").lower(), known, 1, 0.8)
    return known[near[0]] if near else None


def _is_json(usage: Any) -> bool:
    """Whether usage is a JSON object already, as far down as the SDKs have objects in theirs."""
    if type(usage) is not dict:
        return False
    values = list(cast("dict[str, Any]", usage).values())
    return all(
        type(item) in _JSON
        for value in values
        for item in (cast("list[Any]", value) or (None,) if type(value) is list else (value,))
    )


CONTEXT_KEYS: Final = frozenset(
    {"request_time", "service_tier", "processing", "base_url", "backend", "location", "headers"}
    | {"region", "aws_region", "groundingMetadata", "grounding_metadata", "candidates"}
    | {"tool_usage", "output", "output_items", "tools"}
    | set(FACTS)
)
"""What the plugins read of a context, and the facts that their prices depend on."""
_JSON: Final = (int, str, float, bool, type(None), dict)


def _time(at: object) -> datetime.date | float | None:
    if at is None or isinstance(at, datetime.date):
        return at
    if isinstance(at, (int, float)) and not isinstance(at, bool) and math.isfinite(at):
        return float(at)
    try:
        return datetime.datetime.fromisoformat(str(at))
    except ValueError:
        raise UsageError(
            f"the time of the request is {at!r}, and must be a time such as 2026-11-22T08:00:00Z"
        ) from None


def _check_name(provider: str) -> None:
    """Let no slip in a name pass for a provider that is never asked.

    A plugin that is disabled, or broken, has its name all the same.
    """
    from .plugins import provider as spec_of
    from .plugins._discovery import discover
    from .plugins._registry import registered_names

    if provider not in discover() and provider not in registered_names():
        spec_of(provider)


def _provider(provider: str | Provider, api: str | None = None) -> Provider:
    if not isinstance(provider, Provider):
        from .plugins import load_provider

        provider = load_provider(provider, api)
    use_plugins(provider.name)
    return provider
