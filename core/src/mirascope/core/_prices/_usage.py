"""Token counts that mean the same for every provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self, cast

from .._errors import UsageError
from ..json import as_mapping
from ._counters import whole_number
from ._units import total_of

_COUNTERS: Final = (
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
    "reasoning_tokens",
)
_OWN: Final = frozenset(
    {*_COUNTERS, "total_tokens", "facts", "details", "fees", "parts", "notes", "reported_cost"}
    | {"cost_notes"}
    | {"final", "is_known"}
)


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
    are broken out besides the totals and are never to be added to them.

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
        fees: what is charged besides tokens, by unit (`"web_search"`, `"file_search"`, …).
        parts: the inferences that are billed, where there are several; then the totals above are
            the provider's own, which may leave some of them out.
        notes: what is not certain about the counts; a cost with notes is not exact.
        cost_notes: what is not certain about `reported_cost`, or why there is none; a cost with
            notes is not exact.
        final: False where more was used than is known.
        is_known: False where the provider's object had no counter that could be read: the counts
            mean nothing then, and there is no cost.
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
    cost_notes: tuple[str, ...] = ()
    final: bool = True
    is_known: bool = True

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

    def to_dict(self) -> dict[str, Any]:
        """The usage for JSON: the counters by name, and whatever else changes the cost."""
        found: dict[str, Any] = {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": self.total_tokens,
            "cache_read_tokens": self.cache_read_tokens,
            "cache_write_tokens": self.cache_write_tokens,
            "reasoning_tokens": self.reasoning_tokens,
        }
        for name in ("facts", "details", "fees"):
            if value := getattr(self, name):
                found[name] = dict(value)
        if self.parts:
            found["parts"] = [
                {"counts": dict(part.counts), "model": part.model, "label": part.label}
                for part in self.parts
            ]
        for name in ("notes", "cost_notes"):
            if value := getattr(self, name):
                found[name] = list(value)
        if self.reported_cost is not None:
            found["reported_cost"] = self.reported_cost
        for name in ("final", "is_known"):
            if not getattr(self, name):
                found[name] = False
        return found

    @classmethod
    def is_dict(cls, data: Mapping[str, Any]) -> bool:
        """Whether a mapping is what `to_dict` writes, and not a provider's usage object."""
        return data.keys() <= _OWN and {*_COUNTERS} <= data.keys()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the usage that `to_dict` wrote.

        Raises:
            UsageError: it is not one.
        """
        counts = {name: whole_number(data.get(name)) for name in _COUNTERS}
        wrong = [name for name, count in counts.items() if count is None]
        if wrong or not cls.is_dict(data):
            what = f"{wrong[0]} is {data.get(wrong[0])!r}" if wrong else "it has other keys"
            raise UsageError(f"this is not usage as Usage.to_dict() writes it: {what}")
        reported = data.get("reported_cost")
        return cls(
            **cast("dict[str, Any]", counts),
            facts={name: str(value) for name, value in as_mapping(data.get("facts")).items()},
            details=_counts(as_mapping(data.get("details"))),
            fees=_counts(as_mapping(data.get("fees"))),
            parts=tuple(map(_part, _objects(data.get("parts")))),
            notes=tuple(map(str, data.get("notes") or ())),
            cost_notes=tuple(map(str, data.get("cost_notes") or ())),
            reported_cost=None if reported is None else str(reported),
            final=data.get("final") is not False,
            is_known=data.get("is_known") is not False,
        )


def _counts(given: Mapping[str, Any]) -> dict[str, int]:
    return {name: count for name, value in given.items() if (count := whole_number(value))}


def _part(given: Mapping[str, Any]) -> UsagePart:
    model = given.get("model")
    return UsagePart(
        counts=_counts(as_mapping(given.get("counts"))),
        model=None if model is None else str(model),
        label=str(given.get("label", "")),
    )


def _objects(value: object) -> list[Mapping[str, Any]]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Mapping[str, Any]", item) for item in items if isinstance(item, Mapping)]


def input_details(
    input_tokens: int,
    cached_tokens: int,
    parts: Mapping[str, int],
    cached_parts: Mapping[str, int] | None = None,
) -> tuple[dict[str, int], bool]:
    """Return the tokens of a prompt that are not text, in disjoint units for `Usage.details`.

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
