"""Token counts that mean the same for every provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ._units import total_of


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePart:
    """One of several billed inferences behind a response, such as a model that was consulted.

    Attributes:
        counts: what it used, in disjoint units, as `Usage.counts`.
        model: the model that ran, or None for the response's own.
        label: what it was, in the provider's word (`"compaction"`, `"advisor_message"`, …).
    """

    counts: Mapping[str, int]
    model: str | None = None
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a response used, by one rule for all providers. Counts are tokens.

    `input_tokens` includes cache reads and writes; `output_tokens` includes reasoning. The parts
    are broken out beside the totals and are never to be added to them.

    Attributes:
        input_tokens: all tokens of the prompt.
        output_tokens: all tokens that were generated.
        cache_read_tokens: the part of `input_tokens` that a cache served.
        cache_write_tokens: the part of `input_tokens` that was written to a cache.
        reasoning_tokens: the part of `output_tokens` that was reasoning.
        facts: how the request was served where that changes its price (`service_tier`, …).
        reported_cost: the cost in US dollars where the provider itself reports one, as it was sent.
        details: parts of the totals that have prices of their own, by unit (`"input_audio"`,
            `"cache_write_1h"`, `"output_image"`, …); a cached audio token is in
            `"cache_read_audio"` only.
        fees: what is charged beside tokens, by unit (`"web_search"`, `"file_search"`, …).
        parts: the inferences that are billed, where there are several; then the totals above are
            the provider's own, which may leave some of them out.
        notes: what is not certain about the counts; a cost with notes is not exact.
        final: False where more was used than is known.
    """

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    reported_cost: str | None = None
    details: Mapping[str, int] = field(default_factory=dict[str, int])
    fees: Mapping[str, int] = field(default_factory=dict[str, int])
    parts: tuple[UsagePart, ...] = ()
    notes: tuple[str, ...] = ()
    final: bool = True

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    @property
    def counts(self) -> dict[str, int]:
        """The tokens in disjoint units, each token in exactly one: what prices multiply.

        Their sum is always `total_tokens`: parts that exceed their total are cut to it.
        """
        read = min(self.cache_read_tokens, self.input_tokens)
        write = min(self.cache_write_tokens, self.input_tokens - read)
        counts = {
            "input": self.input_tokens - read - write,
            "cache_read": read,
            "cache_write": write,
            "output": self.output_tokens,
        }
        for unit, count in self.details.items():
            total = total_of(unit)
            if total is not None and count > 0:
                counts[unit] = taken = min(count, counts[total])
                counts[total] -= taken
        return counts

    def to_dict(self) -> dict[str, int]:
        """The counts by name, for JSON."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": self.total_tokens,
            "cache_read_tokens": self.cache_read_tokens,
            "cache_write_tokens": self.cache_write_tokens,
            "reasoning_tokens": self.reasoning_tokens,
        }


def token_count(value: object) -> int:
    """Return a count that a server sent, or 0 for anything that is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    # Infinity and NaN are legal in the JSON dialect that servers written in Python speak.
    return int(value) if 0 <= value < 2**63 else 0


def input_details(
    input_tokens: int,
    cached_tokens: int,
    parts: Mapping[str, int],
    cached_parts: Mapping[str, int] | None = None,
) -> tuple[dict[str, int], bool]:
    """Return the tokens of a prompt that are no text, in disjoint units for `Usage.details`.

    Args:
        input_tokens: all tokens of the prompt, cached ones included.
        cached_tokens: those that a cache served.
        parts: the prompt's tokens by `"audio"`, `"image"`, `"video"`, cached ones included.
        cached_parts: the cached tokens in the same way, or None where the provider does not say.

    Returns:
        The counts, and whether they are certain: where the provider does not say which tokens the
        cache served, text is taken first, and the rest is a guess.
    """
    counts: dict[str, int] = {}
    certain = True
    if cached_parts is None:
        text = max(0, input_tokens - sum(parts.values()))
        left = max(0, cached_tokens - text)
        certain = not (cached_tokens and any(parts.values()))
        cached_parts = {}
        for kind, count in parts.items():
            taken = min(left, count)
            left -= taken
            cached_parts = {**cached_parts, kind: taken}
    for kind, count in parts.items():
        cached = min(count, cached_parts.get(kind, 0))
        if cached:
            counts[f"cache_read_{kind}"] = cached
        if count > cached:
            counts[f"input_{kind}"] = count - cached
    return counts, certain
