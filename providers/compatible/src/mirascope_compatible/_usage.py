"""Usage of chat completions, by the rule for all providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mirascope.core import Counters, Usage, input_details

from ._reported import reported_cost

_BY_MODALITY: Final = {f"{kind}_tokens": kind for kind in ("audio", "image", "video")}
_CACHED_BY_MODALITY: Final = {f"cached_{name}": kind for name, kind in _BY_MODALITY.items()}
_GUESSED: Final = (
    "which of the cached tokens are text is not reported: text is taken to be cached first"
)


def normalize(usage: Mapping[str, Any], facts: Mapping[str, str]) -> Usage:
    """Return usage by the rule for all providers.

    `prompt_tokens` includes what a cache served and what was written to one, and audio.
    `completion_tokens` includes reasoning and rejected predictions by OpenAI's definition; xAI and
    others leave reasoning out, which shows in their `total_tokens`. The names of the Responses API
    (`input_tokens`, …) stand for the same counts, and so do those that DeepSeek, Moonshot, Together
    and LiteLLM's proxy have for caches.
    https://platform.openai.com/docs/api-reference/chat/object#chat/object-usage

    Args:
        usage: `usage` as it was sent.
        facts: how the request was served: `service_tier`, …
    """
    counters = Counters(usage)
    inputs = counters.part("prompt_tokens_details", "input_tokens_details")
    outputs = counters.part("completion_tokens_details", "output_tokens_details")
    prompt, output, is_known = _totals(counters)
    reasoning = outputs.count("reasoning_tokens")
    if reasoning and counters.count("total_tokens") == prompt + output + reasoning:
        output += reasoning
    read = inputs.get("cached_tokens")
    if read is None:
        read = counters.count("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")
    write = inputs.get("cache_write_tokens", "cache_creation_tokens")
    if write is None:
        write = counters.count("cache_creation_input_tokens")
    if read + write > prompt:
        counters.notes.append("more tokens of a cache than of input are reported: they are cut")
    read = min(prompt, read)
    write = min(prompt - read, write)
    by_modality = _by_modality(inputs, _BY_MODALITY)
    details, certain = input_details(prompt, read, by_modality, _cached_by_modality(inputs))
    if not certain:
        counters.notes.append(_GUESSED)
    details.update((f"output_{k}", n) for k, n in _by_modality(outputs, _BY_MODALITY).items())
    if lasting := inputs.part("cache_write_tokens_details").count("ttl_12h_tokens"):
        details["cache_write_12h"] = min(write, lasting)
    cost, doubts = reported_cost(usage)
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=write,
        reasoning_tokens=min(output, reasoning),
        facts=dict(facts),
        reported_cost=cost,
        details=details,
        notes=tuple(dict.fromkeys(counters.notes)),
        cost_notes=doubts,
        is_known=is_known,
    )


def _totals(counters: Counters) -> tuple[int, int, bool]:
    """Return the tokens of the prompt and of the answer, and whether either is known."""
    prompt = counters.get("prompt_tokens", "input_tokens")
    output = counters.get("completion_tokens", "output_tokens")
    if prompt is not None and output is not None:
        return prompt, output, True
    known = prompt or output or 0
    missing = "prompt_tokens" if prompt is None else "completion_tokens"
    if prompt is None and output is None:
        return 0, 0, False
    total = counters.get("total_tokens")
    rest = 0
    if total is not None and total >= known:
        # Embeddings have no answer, and say so only by their total.
        rest = total - known
    else:
        counters.notes.append(f"{missing} is not reported: it is taken to be 0")
    return (rest, known, True) if prompt is None else (known, rest, True)


def _by_modality(counters: Counters, names: Mapping[str, str]) -> dict[str, int]:
    if not counters.has(names):
        return {}
    counts = {kind: counters.count(name) for name, kind in names.items()}
    return {kind: count for kind, count in counts.items() if count}


def _cached_by_modality(inputs: Counters) -> dict[str, int] | None:
    cached = inputs.part("cached_tokens_details")
    if not cached:
        return None
    return {**_by_modality(cached, _BY_MODALITY), **_by_modality(cached, _CACHED_BY_MODALITY)}
