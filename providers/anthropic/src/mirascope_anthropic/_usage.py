"""Usage of messages, by the rule for all providers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from mirascope.core import Usage, UsagePart, token_count
from mirascope.core.json import as_mapping, as_mappings, as_text

_SERVED: Final = ("service_tier", "inference_geo", "speed")
_GIVEN: Final = (*_SERVED, "processing")
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_CODE: Final = "code execution is charged by the hour, which usage does not count"
_FALLBACK: Final = "how a response that another model took over is charged is not documented"


def normalize(usage: Mapping[str, Any], facts: Mapping[str, str] = _NOTHING) -> Usage:
    """Return usage by the rule for all providers.

    `input_tokens` on the wire leaves out what was read from and written to a cache;
    `output_tokens` includes thinking. `iterations` are inferences that are billed one by one: the
    totals have neither a compaction nor an advisor in them.
    https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching#tracking-cache-performance

    Args:
        usage: `usage` as it was sent, or merged from the events of a stream.
        facts: what usage does not say: `processing` where it is `"batch"`.
    """
    cache_read, cache_write, lasting = _cache(usage)
    output = token_count(usage.get("output_tokens"))
    thinking = token_count(as_mapping(usage.get("output_tokens_details")).get("thinking_tokens"))
    served = {name: facts[name] for name in _GIVEN if name in facts}
    served.update((name, str(usage[name])) for name in _SERVED if usage.get(name))
    if served.get("service_tier") == "batch":
        served["processing"] = served.pop("service_tier")
    server_tools = as_mapping(usage.get("server_tool_use"))
    searches = token_count(server_tools.get("web_search_requests"))
    parts = _iterations(usage)
    notes: tuple[str, ...] = ()
    if token_count(server_tools.get("code_execution_requests")):
        notes += (_CODE,)
    if any(part.label.startswith("fallback") for part in parts):
        notes += (_FALLBACK,)
    return Usage(
        input_tokens=token_count(usage.get("input_tokens")) + cache_read + cache_write,
        output_tokens=output,
        cache_read_tokens=cache_read,
        cache_write_tokens=cache_write,
        reasoning_tokens=min(output, thinking),
        facts=served,
        details={"cache_write_1h": lasting} if lasting else {},
        fees={"web_search": searches} if searches else {},
        parts=parts,
        notes=notes,
    )


def _cache(usage: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return the tokens read from a cache, those written to one, and those kept for an hour."""
    by_ttl = as_mapping(usage.get("cache_creation"))
    # The total grows with server tools, the split by lifetime comes once, at the beginning.
    written = max(
        token_count(usage.get("cache_creation_input_tokens")),
        sum(map(token_count, by_ttl.values())),
    )
    lasting = token_count(by_ttl.get("ephemeral_1h_input_tokens"))
    return token_count(usage.get("cache_read_input_tokens")), written, lasting


def _iterations(usage: Mapping[str, Any]) -> tuple[UsagePart, ...]:
    """Return the inferences behind a message, where there is more than the message's own."""
    items = as_mappings(usage.get("iterations"))
    if all(item.get("type") == "message" for item in items) and len(items) < 2:
        return ()
    return tuple(map(_iteration, items))


def _iteration(item: Mapping[str, Any]) -> UsagePart:
    cache_read, cache_write, lasting = _cache(item)
    counts = {
        "input": token_count(item.get("input_tokens")),
        "cache_read": cache_read,
        "cache_write": cache_write - lasting,
        "cache_write_1h": lasting,
        "output": token_count(item.get("output_tokens")),
    }
    return UsagePart(
        counts={unit: count for unit, count in counts.items() if count},
        model=as_text(item.get("model")),
        label=str(item.get("type") or ""),
    )
