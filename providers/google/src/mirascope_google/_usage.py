"""Gemini's usage by the rule for all providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from mirascope.core import Usage, input_details, token_count
from mirascope.core.json import as_mapping, as_mappings, as_text

_TRAFFIC_TIERS: Final[Mapping[str, str]] = {
    "ON_DEMAND": "standard",
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_OFFPEAK": "offpeak",
    "ON_DEMAND_PRIORITY": "priority",
    "PROVISIONED_THROUGHPUT": "provisioned_throughput",
}
"""Service tiers by Vertex AI's `trafficType`."""

_TIER_HEADER: Final = "x-gemini-service-tier"
_MODALITIES: Final = {"AUDIO": "audio", "IMAGE": "image", "VIDEO": "video"}
"""Modalities with prices of their own, by the API's name; documents are text."""
_GUESSED: Final = (
    "which of the cached tokens are text is not reported: text is taken to be cached first"
)


def normalize(usage: Mapping[str, Any], facts: Mapping[str, str]) -> Usage:
    """Return usage by the rule for all providers.

    `promptTokenCount` includes what a cache served. `toolUsePromptTokenCount` is not in it; where
    the tool was Google Search, these tokens are its results, which are not billed and count
    nowhere. `thoughtsTokenCount` stands beside `candidatesTokenCount`, unless the total says that
    it is a part of it. https://ai.google.dev/api/generate-content#UsageMetadata

    Searches are charged by the query for Gemini 3 and later and by the grounded prompt before: both
    are counted, and the price table says which of them is free.

    Args:
        usage: `usageMetadata` as it was sent.
        facts: what the response said of itself, and how it was requested: `web_search_queries`,
            `service_tier`, `vertex`, `processing`.
    """
    prompt = token_count(usage.get("promptTokenCount"))
    tool_use = token_count(usage.get("toolUsePromptTokenCount"))
    output = token_count(usage.get("candidatesTokenCount"))
    thoughts = token_count(usage.get("thoughtsTokenCount"))
    total = token_count(usage.get("totalTokenCount"))
    if not (thoughts and output >= thoughts and total == prompt + output + tool_use):
        output += thoughts
    parts = _by_modality(usage, "promptTokensDetails")
    queries = facts.get("web_search_queries")
    if queries is None:
        prompt += tool_use
        for kind, count in _by_modality(usage, "toolUsePromptTokensDetails").items():
            parts[kind] = parts.get(kind, 0) + count
    cached = min(prompt, token_count(usage.get("cachedContentTokenCount")))
    is_split = isinstance(usage.get("cacheTokensDetails"), list)
    details, certain = input_details(
        prompt, cached, parts, _by_modality(usage, "cacheTokensDetails") if is_split else None
    )
    details.update(
        (f"output_{kind}", count)
        for kind, count in _by_modality(usage, "candidatesTokensDetails").items()
    )
    fees: dict[str, int] = {}
    if queries is not None and queries.isascii() and queries.isdigit() and int(queries):
        fees = {"web_search": token_count(int(queries)), "grounded_prompt": 1}
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=cached,
        reasoning_tokens=min(output, thoughts),
        facts={**facts, **_tier(usage)},
        details=details,
        fees=fees,
        notes=() if certain else (_GUESSED,),
    )


def context_facts(context: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts in a description of a response that was stored.

    Args:
        context: any of `headers`, `backend` (`"vertex"`) with `location`, `service_tier`,
            `processing`, and grounding metadata under a key that ends with its path.
    """
    facts = {name: value for name, value in context.items() if isinstance(value, str)}
    if context.get("backend") == "vertex":
        facts |= vertex_facts(context.get("location"))
    for name, value in as_mapping(context.get("headers")).items():
        if name.lower() == _TIER_HEADER and isinstance(value, str):
            facts["service_tier"] = value.lower()
    for name, value in context.items():
        if name.endswith("webSearchQueries") and isinstance(value, list):
            facts["web_search_queries"] = str(len(cast("list[Any]", value)))
    return facts


def vertex_facts(location: object) -> dict[str, str]:
    """Return what a location of Vertex AI means for prices: all but `global` are regional."""
    is_regional = isinstance(location, str) and location not in ("", "global")
    return {"vertex": "regional" if is_regional else "global"}


def _by_modality(usage: Mapping[str, Any], name: str) -> dict[str, int]:
    """Return the tokens that are no text; a modality can stand in the list more than once."""
    counts: dict[str, int] = {}
    for entry in as_mappings(usage.get(name)):
        kind = _MODALITIES.get(str(entry.get("modality")).upper())
        if kind is not None:
            counts[kind] = counts.get(kind, 0) + token_count(entry.get("tokenCount"))
    return counts


def _tier(usage: Mapping[str, Any]) -> dict[str, str]:
    if tier := as_text(usage.get("serviceTier")):
        return {"service_tier": tier.lower()}
    if traffic := as_text(usage.get("trafficType")):
        return {"service_tier": _TRAFFIC_TIERS.get(traffic, traffic.lower())}
    return {}
