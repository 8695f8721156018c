"""Gemini's usage by the rule for all providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mirascope.core import Usage, token_count

_TRAFFIC_TIERS: Final[Mapping[str, str]] = {
    "ON_DEMAND": "standard",
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_PRIORITY": "priority",
    "PROVISIONED_THROUGHPUT": "provisioned_throughput",
}
"""Service tiers by Vertex AI's `trafficType`."""


def normalize(usage: Mapping[str, Any], facts: Mapping[str, str]) -> Usage:
    """Return usage by the rule for all providers.

    `promptTokenCount` includes what a cache served. `toolUsePromptTokenCount` is not in it; where
    the tool was Google Search, these tokens are its results, which are not billed and count
    nowhere. `thoughtsTokenCount` stands beside `candidatesTokenCount`, unless the total says that
    it is a part of it. https://ai.google.dev/api/generate-content#UsageMetadata

    Args:
        usage: `usageMetadata` as it was sent.
        facts: what the response said of itself: `web_search_queries`.
    """
    prompt = token_count(usage.get("promptTokenCount"))
    tool_use = token_count(usage.get("toolUsePromptTokenCount"))
    output = token_count(usage.get("candidatesTokenCount"))
    thoughts = token_count(usage.get("thoughtsTokenCount"))
    total = token_count(usage.get("totalTokenCount"))
    if not (thoughts and output >= thoughts and total == prompt + output + tool_use):
        output += thoughts
    if "web_search_queries" not in facts:
        prompt += tool_use
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=min(prompt, token_count(usage.get("cachedContentTokenCount"))),
        reasoning_tokens=min(output, thoughts),
        facts={**facts, **_tier(usage)},
    )


def _tier(usage: Mapping[str, Any]) -> dict[str, str]:
    tier = usage.get("serviceTier")
    if isinstance(tier, str) and tier:
        return {"service_tier": tier.lower()}
    traffic = usage.get("trafficType")
    if isinstance(traffic, str) and traffic:
        return {"service_tier": _TRAFFIC_TIERS.get(traffic, traffic.lower())}
    return {}
