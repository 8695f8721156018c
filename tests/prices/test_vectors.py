"""Costs derived by hand from the providers' rules, most of them nasty, each with its derivation."""

from __future__ import annotations

import warnings
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from mirascope.core import prices

NOW = date(2026, 11, 22)
MILLION = 1_000_000


class Vector(NamedTuple):
    """Usage with its context, and what it must cost."""

    provider: str
    model: str
    usage: dict[str, Any]
    expected: str | None
    exact: bool = True
    context: dict[str, Any] = {}  # noqa: RUF012 - never changed
    at: date = NOW


def gemini(prompt: int, output: int, **more: Any) -> dict[str, Any]:
    total = prompt + output
    counts = {"promptTokenCount": prompt, "candidatesTokenCount": output, "totalTokenCount": total}
    return {**counts, **more}


def chat(prompt: int, output: int, **more: Any) -> dict[str, Any]:
    counts = {"prompt_tokens": prompt, "completion_tokens": output}
    return {**counts, "total_tokens": prompt + output, **more}


def claude(fresh: int, output: int, **more: Any) -> dict[str, Any]:
    return {"input_tokens": fresh, "output_tokens": output, **more}


FLEX, PRIORITY = ({"headers": {"x-gemini-service-tier": tier}} for tier in ("flex", "priority"))
WRITTEN_12H = {
    "input_tokens": 30_000,
    "output_tokens": 0,
    "input_tokens_details": {
        "cached_tokens": 0,
        "cache_write_tokens": 30_000,
        "cache_write_tokens_details": {"ttl_12h_tokens": 20_000, "ttl_30m_tokens": 10_000},
    },
}
AUDIO = chat(
    1000,
    1000,
    prompt_tokens_details={"audio_tokens": 900},
    completion_tokens_details={"audio_tokens": 900},
)
SEARCH = {"output_items": ["web_search_call:search", "message"]}
MAPS = {"candidates[0].groundingMetadata.groundingChunks": [{"maps": {"uri": "u"}}]}
BOTH = MILLION, MILLION

VECTORS = {
    # Tiers at their dates: the standard price doubles, and the tiers with it.
    **{
        f"argon {name} {day}": Vector(
            "google", "gemini-4-argon", gemini(*BOTH), usd, True, tier, day
        )
        for day, costs in {
            date(2026, 11, 30): ("12", "6", "21.6"),
            date(2026, 12, 1): ("24", "12", "43.2"),
            date(2027, 1, 2): ("24", "12", "43.2"),
        }.items()
        for (name, tier), usd in zip(
            {"standard": {}, "flex": FLEX, "priority": PRIORITY}.items(), costs, strict=True
        )
    },
    **{
        f"{model} {name} {day}": Vector("google", model, gemini(*BOTH), usd, True, tier, day)
        for model in ("gemini-3.6-flash", "gemini-3.7-flash", "gemini-3.8-flash")
        for day, costs in {
            date(2026, 12, 31): ("4.5", "2.25", "8.1"),
            date(2027, 1, 1): ("9", "4.5", "16.2"),
        }.items()
        for (name, tier), usd in zip(
            {"standard": {}, "flex": FLEX, "priority": PRIORITY}.items(), costs, strict=True
        )
    },
    # Half of the standard price of that day, 1 and 6 a million, which nobody wrote down then.
    "luna flex before its cut": Vector(
        "openai",
        "gpt-5.6-luna",
        chat(100_000, MILLION),
        "3.05",
        False,
        {"service_tier": "flex"},
        date(2026, 7, 1),
    ),
    # 10,000 x 1.25 + 20,000 x 2.5 a million, and half and double of it in the tiers.
    "12 h under flex": Vector(
        "openai", "gpt-6.1-sol", WRITTEN_12H, "0.0625", True, {"service_tier": "flex"}
    ),
    "12 h in a batch": Vector(
        "openai", "gpt-6.1-sol", WRITTEN_12H, "0.0625", True, {"processing": "batch"}
    ),
    "12 h under priority": Vector(
        "openai", "gpt-6.1-sol", WRITTEN_12H, "0.25", True, {"service_tier": "priority"}
    ),
    # Over 200,000 tokens: 1.25 and 7.5, half of 2.5 and 15.
    "long flex": Vector("google", "gemini-2.5-pro", gemini(300_000, 2000), "0.39", True, FLEX),
    "long flex, preview": Vector(
        "google", "gemini-3.1-pro-preview", gemini(300_000, 2000), "0.618", True, FLEX
    ),
    # Fees of searches.
    "mini search model": Vector("openai", "gpt-4o-mini-search-preview", chat(1000, 500), "0.02545"),
    "search model": Vector("openai", "gpt-4o-search-preview", chat(1000, 500), "0.0325"),
    "search model, dated": Vector(
        "openai", "gpt-4o-search-preview-2025-03-11", chat(1000, 500), "0.0325"
    ),
    "search api": Vector("openai", "gpt-5-search-api", chat(1000, 500), "0.01625"),
    "preview search": Vector(
        "openai",
        "gpt-4o",
        claude(1000, 500),
        "0.0325",
        True,
        {**SEARCH, "tools": [{"type": "web_search_preview"}]},
    ),
    "dated preview search": Vector(
        "openai",
        "gpt-4.1",
        claude(1000, 500),
        "0.031",
        True,
        {**SEARCH, "tools": [{"type": "web_search_preview_2025_03_11"}]},
    ),
    "preview search of a reasoning model": Vector(
        "openai",
        "gpt-5",
        claude(1000, 500),
        "0.01625",
        True,
        {**SEARCH, "tools": [{"type": "web_search_preview"}]},
    ),
    "search": Vector(
        "openai",
        "gpt-4o",
        claude(1000, 500),
        "0.0175",
        True,
        {**SEARCH, "tools": [{"type": "web_search"}]},
    ),
    "which search is not said": Vector(
        "openai", "gpt-4o", claude(1000, 500), "0.0175", False, SEARCH
    ),
    "search of a mini": Vector(
        "openai",
        "gpt-4.1-mini",
        claude(1000, 500),
        "0.0112",
        False,
        {**SEARCH, "tools": [{"type": "web_search"}]},
    ),
    "maps, by the prompt": Vector(
        "google", "gemini-2.5-flash", gemini(1000, 500), "0.02655", True, MAPS
    ),
    "maps, by the query": Vector(
        "google",
        "gemini-3.5-flash",
        gemini(1000, 500),
        "0.034",
        True,
        {**MAPS, "candidates[0].groundingMetadata.webSearchQueries": ["a", "b", "a", ""]},
    ),
    "maps in a stored response": Vector(
        "google",
        "gemini-2.5-pro",
        gemini(1000, 500),
        "0.03125",
        True,
        {
            "candidates": [
                {"groundingMetadata": {"groundingChunks": [{"maps": {}}, {"maps": {"uri": "u"}}]}}
            ]
        },
    ),
    "queries that are repeated or empty": Vector(
        "google",
        "gemini-3.5-flash",
        gemini(1000, 500),
        "0.034",
        True,
        {"candidates[0].groundingMetadata.webSearchQueries": ["a", "b", "a", ""]},
    ),
    # Regions: ten percent on tokens, for models that have it.
    **{
        f"{region}.api.openai.com": Vector(
            "openai",
            "gpt-5.4",
            chat(1000, 500),
            "0.011",
            True,
            {"base_url": f"https://{region}.api.openai.com/v1"},
        )
        for region in ("us", "eu", "au", "ca", "jp", "in", "sg", "kr", "gb", "ae")
    },
    "gov, an old model too": Vector(
        "openai",
        "gpt-4o",
        chat(*BOTH),
        "13.75",
        True,
        {"base_url": "https://gov.api.openai.com/v1"},
    ),
    "an old model in a region": Vector(
        "openai", "gpt-4o", chat(*BOTH), "12.5", True, {"base_url": "https://eu.api.openai.com/v1"}
    ),
    "gpt-realtime-2.1 in a region": Vector(
        "openai",
        "gpt-realtime-2.1",
        chat(*BOTH),
        "30.8",
        True,
        {"base_url": "https://eu.api.openai.com/v1"},
    ),
    "an unknown region": Vector(
        "openai",
        "gpt-5.4",
        chat(1000, 500),
        "0.01",
        False,
        {"base_url": "https://zz.api.openai.com/v1"},
    ),
    # 100,000 x 4 + 10,000 x 20 a million = 0.6, and ten percent in regions.
    **{
        f"Claude, {name}": Vector("anthropic", model, claude(100_000, 10_000), usd, exact, context)
        for name, model, usd, exact, context in [
            (
                "Vertex region",
                "claude-opus-5-5",
                "0.66",
                True,
                {"backend": "vertex", "location": "us-east5"},
            ),
            (
                "Vertex multi-region",
                "claude-opus-5-5",
                "0.66",
                True,
                {"backend": "vertex", "location": "eu"},
            ),
            (
                "Vertex global",
                "claude-opus-5-5@default",
                "0.6",
                False,
                {"backend": "vertex", "location": "global"},
            ),
            ("Vertex somewhere", "claude-opus-5-5", "0.6", False, {"backend": "vertex"}),
            (
                "Vertex host",
                "claude-opus-5-5",
                "0.66",
                True,
                {"base_url": "https://us-east5-aiplatform.googleapis.com/v1/"},
            ),
            (
                "Vertex multi-region host",
                "claude-opus-5-5",
                "0.66",
                True,
                {"base_url": "https://aiplatform.eu.rep.googleapis.com/v1/"},
            ),
            (
                "Vertex path",
                "projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-5-5",
                "0.66",
                True,
                {},
            ),
            (
                "Vertex global path",
                "projects/p/locations/global/publishers/anthropic/models/claude-opus-5-5",
                "0.6",
                True,
                {},
            ),
            ("Bedrock us", "us.anthropic.claude-opus-5-5", "0.66", True, {}),
            ("Bedrock version", "eu.anthropic.claude-opus-5-5-v1:0", "0.66", True, {}),
            ("Bedrock global", "global.anthropic.claude-opus-5-5-v1:0", "0.6", True, {}),
            ("Bedrock in a region", "anthropic.claude-opus-5-5", "0.66", True, {}),
            (
                "Bedrock profile",
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-5-5",
                "0.66",
                True,
                {},
            ),
            ("Bedrock government", "us-gov.anthropic.claude-opus-5-5", "0.6", False, {}),
            (
                "another host",
                "claude-opus-5-5",
                "0.6",
                False,
                {"base_url": "https://llm.example/v1"},
            ),
        ]
    },
    "an old Claude on Bedrock": Vector(
        "anthropic", "us.anthropic.claude-opus-4-1-20250805-v1:0", claude(1000, 100), "0.0225"
    ),
    "an old Claude on Vertex": Vector(
        "anthropic",
        "claude-opus-4-1@20250805",
        claude(1000, 100),
        "0.0225",
        True,
        {"backend": "vertex", "location": "us-east5"},
    ),
    "an image model on Vertex": Vector(
        "google",
        "gemini-3.1-flash-image",
        gemini(*BOTH),
        "3.85",
        True,
        {"backend": "vertex", "location": "us-central1"},
    ),
    "US and batch stack": Vector(
        "anthropic",
        "claude-opus-5-5",
        claude(*BOTH, inference_geo="us"),
        "13.2",
        True,
        {"processing": "batch"},
    ),
    # Hosts whose prices are not in the table.
    **{
        f"openai at {host}": Vector(
            "openai", "gpt-4o", chat(*BOTH), "12.5", False, {"base_url": host}
        )
        for host in (
            "http://127.0.0.1:8000/v1",
            "https://openrouter.ai/api/v1",
            "api.openai.com.evil.example",
            "https://me.openai.azure.com/openai/deployments/x",
        )
    },
    "gpt-oss is nobody's in particular": Vector("openai", "gpt-oss-120b", chat(1, 1), None),
    # Costs that servers report.
    "xAI": Vector("openai", "grok-4.3", chat(1, 1, cost_in_usd_ticks=6543500), "0.00065435"),
    "xAI, the plugin for all": Vector(
        "compatible", "grok-4.3", chat(1, 1, cost_in_usd_ticks=6543500), "0.00065435"
    ),
    "Perplexity": Vector(
        "compatible",
        "sonar",
        chat(8, 5, cost={"total_cost": 0.00501, "request_cost": 0.005}),
        "0.00501",
    ),
    "Venice": Vector("compatible", "m", chat(8, 5, cost={"usd": 0.0031, "diem": 0}), "0.0031"),
    "DeepInfra": Vector("compatible", "m", chat(8, 5, estimated_cost=2.5e-05), "0.000025", False),
    "a cost as text": Vector("compatible", "m", chat(8, 5, cost="0.00031"), "0.00031"),
    "OpenRouter": Vector("compatible", "m", chat(8, 5, cost=0.00031, is_byok=False), "0.00031"),
    "OpenRouter, own key": Vector(
        "compatible",
        "m",
        chat(8, 5, cost=0, is_byok=True, cost_details={"upstream_inference_cost": 0.0075}),
        "0.0075",
    ),
    "OpenRouter, own key, no share": Vector(
        "compatible", "m", chat(8, 5, cost=0, is_byok=True), "0", False
    ),
    # Names.
    "a model that another's prefix begins": Vector(
        "google", "gemini-3.8-flash-cyber", gemini(*BOTH), "9"
    ),
    "a fast sibling": Vector("anthropic", "claude-sonnet-4-6-fast", claude(*BOTH), "18", False),
    "opus 4.10 is not 4.1": Vector("anthropic", "claude-opus-4-10", claude(1, 1), None),
    "speech is not text": Vector(
        "google", "gemini-2.5-pro-preview-tts-11-2026", gemini(1000, 1000), "0.01125", False
    ),
    "upper case": Vector("openai", "GPT-4o", chat(*BOTH), "12.5"),
    "a dated preview": Vector(
        "google", "gemini-2.5-pro-preview-05-06", gemini(1000, 500), "0.00625"
    ),
    # Units without a price of their own.
    "audio": Vector("openai", "gpt-4o-audio-preview", AUDIO, "0.10925"),
    "mini audio": Vector("openai", "gpt-4o-mini-audio-preview", AUDIO, "0.027075"),
    "audio in a model of text": Vector("openai", "gpt-4o", AUDIO, "0.0125", False),
    "images in a model of all": Vector(
        "google",
        "gemini-2.5-pro",
        gemini(1000, 0, promptTokensDetails=[{"modality": "IMAGE", "tokenCount": 900}]),
        "0.00125",
    ),
    "images made under priority": Vector(
        "google",
        "gemini-3-pro-image",
        gemini(0, 1000, candidatesTokensDetails=[{"modality": "IMAGE", "tokenCount": 1000}]),
        "0.216",
        False,
        PRIORITY,
    ),
    # Usage that can't be read, or only in part.
    **{
        f"unreadable {usage}": Vector(provider, model, usage, None)
        for provider, model in (
            ("openai", "gpt-4o"),
            ("anthropic", "claude-opus-5-5"),
            ("google", "gemini-2.5-pro"),
        )
        for usage in (
            {},
            {"tokens": 5},
            {"prompt_tokens": "1000"},
            {"promptTokenCount": -1},
            {"input_tokens": 1.5},
        )
    },
    "half of the counters": Vector("openai", "gpt-4o", {"prompt_tokens": MILLION}, "2.5", False),
    # Models that can be bought.
    **{
        model: Vector(provider, model, usage, usd)
        for provider, model, usage, usd in [
            ("anthropic", "claude-mythos-5", claude(*BOTH), "60"),
            ("anthropic", "claude-mythos-5-1", claude(*BOTH), "60"),
            ("anthropic", "claude-mythos-preview", claude(*BOTH), "60"),
            ("google", "gemini-4-hydrogen", gemini(*BOTH), "9"),
            ("google", "gemini-omni-1.2-flash", gemini(*BOTH), "10.5"),
            ("google", "gemini-2.5-computer-use-preview-10-2025", gemini(100_000, 10_000), "0.225"),
            ("google", "deep-research-pro-preview-12-2025", gemini(100_000, 10_000), "0.32"),
            ("openai", "gpt-6-astra-law", chat(*BOTH), "60"),
            ("openai", "gpt-5.5-cyber-preview", chat(*BOTH), "87.5"),
            ("openai", "gpt-image-2.6-flare", chat(MILLION, 0), "5"),
        ]
    },
    # Batches.
    **{
        f"{model} in a batch": Vector(provider, model, usage, usd, True, {"processing": "batch"})
        for provider, model, usage, usd in [
            ("google", "gemini-3.5-flash", gemini(*BOTH), "5.25"),
            ("google", "gemini-3.7-flash", gemini(*BOTH), "2.25"),
            ("google", "gemini-2.5-flash-image", gemini(MILLION, 0), "0.15"),
            ("google", "gemini-embedding-001", gemini(MILLION, 0), "0.075"),
            ("openai", "chatgpt-image-latest", chat(MILLION, 0), "2.5"),
            (
                "openai",
                "text-embedding-3-large",
                {"prompt_tokens": MILLION, "total_tokens": MILLION},
                "0.065",
            ),
        ]
    },
    # Facts that mean the standard price.
    "unspecified": Vector(
        "google", "gemini-2.5-flash", gemini(*BOTH, serviceTier="unspecified"), "2.8"
    ),
    "unspecified traffic": Vector(
        "google", "gemini-2.5-flash", gemini(*BOTH, trafficType="TRAFFIC_TYPE_UNSPECIFIED"), "2.8"
    ),
    # Long after the table was checked.
    "in three years": Vector(
        "openai", "gpt-4o", chat(*BOTH), "12.5", False, {}, date(2029, 11, 22)
    ),
}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=list(VECTORS))
def test_vector(vector: Vector) -> None:
    with warnings.catch_warnings(action="ignore", category=prices.UnknownPriceWarning):
        cost = prices.cost(
            vector.provider, vector.model, vector.usage, context=vector.context, at=vector.at
        )
    if vector.expected is None:
        assert cost is None
        return
    assert cost is not None
    assert cost.total == Decimal(vector.expected), cost
    assert cost.exact == vector.exact, cost.notes
    assert cost.exact == (not cost.notes)
