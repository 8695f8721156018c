"""Token counts that mean the same for every provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    """

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    reported_cost: str | None = None

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    @property
    def counts(self) -> dict[str, int]:
        """The tokens in disjoint units, each token in exactly one: what prices multiply."""
        plain = self.input_tokens - self.cache_read_tokens - self.cache_write_tokens
        return {
            "input": max(0, plain),
            "cache_read": self.cache_read_tokens,
            "cache_write": self.cache_write_tokens,
            "output": self.output_tokens,
        }

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
