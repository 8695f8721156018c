"""Gemini's usage by the rule for all providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypedDict

from mirascope.core import Counters, Usage, UsagePart, input_details
from mirascope.core.json import as_list, as_mapping, as_mappings, as_text
from pydantic_core import from_json

from ._grounding import Grounding, context_grounding
from ._platform import context_platform

HOPS: Final = "hop_usage"
"""The fact that holds the usage of each request of an answer that was continued, as JSON."""
CONTINUED: Final = "continued"
"""The fact that an answer may have been continued by requests whose usage was only summed."""

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
_SUMMED: Final = (
    "the answer may have been continued by more requests, and what each of them used is not known"
)
_DROPPED: Final = "a request of the answer was cut before it said what it used"
_MIXED: Final = "which of the queries went to Search and which to Maps is not reported"
_IMAGES: Final = "what searches for images cost is not published"
_PAGES: Final = "which of the tools' tokens are pages, which are charged, is not reported"


def normalize(usage: Mapping[str, Any], facts: Mapping[str, str]) -> Usage:
    """Return usage by the rule for all providers, in either spelling of its names.

    `promptTokenCount` includes what a cache served. `toolUsePromptTokenCount` is not in it; where
    the tool was Google Search or Maps, these tokens are its results, which are not billed and count
    nowhere. `thoughtsTokenCount` stands beside `candidatesTokenCount`, unless the total says that
    it is a part of it. https://ai.google.dev/api/generate-content#UsageMetadata

    Searches are charged by the query for Gemini 3 and later and by the grounded prompt before: both
    are counted, and the price table says which of them is free.

    Args:
        usage: `usageMetadata` as it was sent, or as the SDK has it.
        facts: what the response said of itself, and how it was requested: `web_search_queries`,
            `service_tier`, `vertex`, `processing`.
    """
    counters = Counters(usage)
    tokens = _tokens(counters, facts)
    fees: dict[str, int] = {}
    notes = counters.notes
    parts: tuple[UsagePart, ...] = ()
    if facts:
        if (queries := _whole(facts.get("web_search_queries"))) is not None:
            fees |= {"web_search": queries, "grounded_prompt": 1}
        if (queries := _whole(facts.get("maps_queries"))) is not None:
            fees |= {"maps_query": queries, "maps_prompt": 1}
        notes += [note for fact, note in _DOUBTS.items() if fact in facts]
        if "url_context" in facts and fees and counters.count(*_TOOL_USE):
            notes.append(_PAGES)
        parts = _parts(facts, notes)
    return Usage(
        **tokens,
        facts={**{k: v for k, v in facts.items() if k not in (HOPS, CONTINUED)}, **_tier(usage)},
        fees=fees,
        parts=parts,
        notes=tuple(dict.fromkeys(notes)) if notes else (),
        is_known=counters.found > 0,
    )


def _parts(facts: Mapping[str, str], notes: list[str]) -> tuple[UsagePart, ...]:
    """Return the requests of an answer that was continued, each with its own price."""
    if HOPS not in facts:
        return ()
    hops = _hops(facts[HOPS])
    parts = tuple(
        UsagePart(counts=Usage(**_tokens(Counters(hop), facts)).counts, label=f"request {number}")
        for number, hop in enumerate(hops, 1)
        if hop
    )
    if len(parts) < len(hops):
        notes.append(_DROPPED)
    # A single request is priced by the totals, as all others are.
    return parts if len(parts) > 1 else ()


_DOUBTS: Final = {"mixed_grounding": _MIXED, "image_searches": _IMAGES, CONTINUED: _SUMMED}
_PROMPT: Final = ("promptTokenCount", "prompt_token_count")
_OUTPUT: Final = ("candidatesTokenCount", "candidates_token_count")
_THOUGHTS: Final = ("thoughtsTokenCount", "thoughts_token_count")
_TOOL_USE: Final = ("toolUsePromptTokenCount", "tool_use_prompt_token_count")
_TOTAL: Final = ("totalTokenCount", "total_token_count")


class _Tokens(TypedDict):
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    reasoning_tokens: int
    details: dict[str, int]


def _tokens(counters: Counters, facts: Mapping[str, str]) -> _Tokens:
    """Return the tokens of one request."""
    thoughts = counters.count(*_THOUGHTS)
    tool_use = counters.count(*_TOOL_USE)
    total = counters.get(*_TOTAL)
    prompt, output = _totals(counters, thoughts, tool_use, total)
    if not (thoughts and output >= thoughts and total == prompt + output + tool_use):
        output += thoughts
    parts = _by_modality(counters, "promptTokensDetails", "prompt_tokens_details")
    if "web_search_queries" not in facts and "maps_queries" not in facts:
        prompt += tool_use
        for kind, count in _by_modality(
            counters, "toolUsePromptTokensDetails", "tool_use_prompt_tokens_details"
        ).items():
            parts[kind] = parts.get(kind, 0) + count
    cached = counters.count("cachedContentTokenCount", "cached_content_token_count")
    if cached > prompt:
        counters.notes.append("more tokens of a cache than of input are reported: they are cut")
        cached = prompt
    split = ("cacheTokensDetails", "cache_tokens_details")
    is_split = isinstance(counters.value(*split), list)
    details, certain = input_details(
        prompt, cached, parts, _by_modality(counters, *split) if is_split else None
    )
    if not certain:
        counters.notes.append(_GUESSED)
    details.update(
        (f"output_{kind}", count)
        for kind, count in _by_modality(
            counters, "candidatesTokensDetails", "candidates_tokens_details"
        ).items()
    )
    return {
        "input_tokens": prompt,
        "output_tokens": output,
        "cache_read_tokens": cached,
        "reasoning_tokens": min(output, thoughts),
        "details": details,
    }


def _totals(counters: Counters, thoughts: int, tool_use: int, total: int | None) -> tuple[int, int]:
    """Return the tokens of the prompt and of the candidates.

    The API leaves out what is 0, which the total confirms.
    """
    prompt, output = counters.get(*_PROMPT), counters.get(*_OUTPUT)
    rest = None if total is None else total - thoughts - tool_use - (prompt or 0) - (output or 0)
    if prompt is None and output is None and not rest:
        rest = None
    if prompt is None:
        counters.notes.append(f"{_PROMPT[0]} is not reported: the total says what it was")
        return max(0, rest or 0), output or 0
    if output is None and rest is None:
        counters.notes.append(f"{_OUTPUT[0]} is not reported: it is taken to be 0")
    elif output is None and rest:
        counters.notes.append(f"{_OUTPUT[0]} is not reported: the total says what it was")
        return prompt, max(0, rest)
    return prompt, output or 0


def context_facts(context: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts in a description of a response that was stored.

    Args:
        context: any of `headers`, `backend` (`"vertex"`) with `location`, `base_url`,
            `service_tier`, `processing`, and grounding metadata under a key that ends with its
            path.
    """
    facts = {name: value for name, value in context.items() if isinstance(value, str)}
    facts |= context_platform(context)
    for name, value in as_mapping(context.get("headers")).items():
        if name.lower() == _TIER_HEADER and isinstance(value, str):
            facts["service_tier"] = value.lower()
    return facts | Grounding.facts(Grounding().add(data) for data in context_grounding(context))


def _by_modality(counters: Counters, *names: str) -> dict[str, int]:
    """Return the tokens that are not text; a modality can stand in the list more than once."""
    counts: dict[str, int] = {}
    for item in as_mappings(counters.value(*names)):
        kind = _MODALITIES.get(str(item.get("modality")).rpartition(".")[2].upper())
        if kind is not None:
            count = Counters(item, counters).count("tokenCount", "token_count")
            counts[kind] = counts.get(kind, 0) + count
    return counts


def _tier(usage: Mapping[str, Any]) -> dict[str, str]:
    if tier := as_text(usage.get("serviceTier", usage.get("service_tier"))):
        return {"service_tier": tier.lower()}
    if traffic := as_text(usage.get("trafficType", usage.get("traffic_type"))):
        return {"service_tier": _TRAFFIC_TIERS.get(traffic, traffic.lower())}
    return {}


def _hops(text: str) -> list[Mapping[str, Any]]:
    """Return the usage of each request; an empty one where it is not known."""
    try:
        found: object = from_json(text)
    except ValueError:
        return []
    return [as_mapping(item) for item in as_list(found)]


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
