"""Usage of chat completions, by the rule for all providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mirascope.core import Usage, input_details, token_count
from mirascope.core.json import as_mapping

_MODALITIES: Final = ("audio", "image", "video")
_GUESSED: Final = (
    "which of the cached tokens are text is not reported: text is taken to be cached first"
)


def normalize(usage: Mapping[str, Any], facts: Mapping[str, str]) -> Usage:
    """Return usage by the rule for all providers.

    `prompt_tokens` includes what a cache served and what was written to one, and audio.
    `completion_tokens` includes reasoning and rejected predictions by OpenAI's definition; xAI and
    others leave reasoning out, which shows in their `total_tokens`. The names of the Responses API
    (`input_tokens`, …) stand for the same counts.
    https://platform.openai.com/docs/api-reference/chat/object#chat/object-usage

    Args:
        usage: `usage` as it was sent.
        facts: how the request was served: `service_tier`, …
    """
    prompt_details = _details(usage, "prompt_tokens_details", "input_tokens_details")
    output_details = _details(usage, "completion_tokens_details", "output_tokens_details")
    prompt = token_count(_either(usage, "prompt_tokens", "input_tokens"))
    output = token_count(_either(usage, "completion_tokens", "output_tokens"))
    total = token_count(usage.get("total_tokens"))
    reasoning = token_count(output_details.get("reasoning_tokens"))
    if reasoning and total == prompt + output + reasoning:
        output += reasoning
    # DeepSeek's own name stands beside, or in place of, OpenAI's.
    cached = prompt_details.get("cached_tokens", usage.get("prompt_cache_hit_tokens"))
    read = min(prompt, token_count(cached))
    write = min(prompt - read, token_count(prompt_details.get("cache_write_tokens")))
    lasting = as_mapping(prompt_details.get("cache_write_tokens_details")).get("ttl_12h_tokens")
    details, certain = input_details(
        prompt,
        read,
        _by_modality(prompt_details, "{}_tokens"),
        _cached_by_modality(prompt_details),
    )
    details.update(
        (f"output_{kind}", count)
        for kind, count in _by_modality(output_details, "{}_tokens").items()
    )
    if count := token_count(lasting):
        details["cache_write_12h"] = min(write, count)
    cost = usage.get("cost")
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=write,
        reasoning_tokens=min(output, reasoning),
        facts=dict(facts),
        reported_cost=repr(cost)
        if isinstance(cost, (int, float)) and not isinstance(cost, bool)
        else None,
        details=details,
        notes=() if certain else (_GUESSED,),
    )


def _details(usage: Mapping[str, Any], name: str, other: str) -> Mapping[str, Any]:
    return as_mapping(usage.get(name)) or as_mapping(usage.get(other))


def _either(usage: Mapping[str, Any], name: str, other: str) -> object:
    value = usage.get(name)
    return usage.get(other) if value is None else value


def _by_modality(details: Mapping[str, Any], pattern: str) -> dict[str, int]:
    counts = {kind: token_count(details.get(pattern.format(kind))) for kind in _MODALITIES}
    return {kind: count for kind, count in counts.items() if count}


def _cached_by_modality(details: Mapping[str, Any]) -> dict[str, int] | None:
    cached = as_mapping(details.get("cached_tokens_details"))
    if not cached:
        return None
    return {**_by_modality(cached, "{}_tokens"), **_by_modality(cached, "cached_{}_tokens")}
