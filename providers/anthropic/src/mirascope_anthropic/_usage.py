"""Usage of messages, by the rule for all providers, and where they were served."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from mirascope.core import OTHER_HOST, UNKNOWN_HOST, Connection, Counters, Usage, UsagePart, host_of
from mirascope.core.json import as_mappings, as_text

_SERVED: Final = ("service_tier", "inference_geo", "speed")
_GIVEN: Final = (*_SERVED, "processing", "platform", "endpoint", "host")
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_CODE: Final = "code execution is charged by the hour, which usage does not count"
_FALLBACK: Final = "how a response that another model took over is charged is not documented"
_OWN_HOST: Final = "api.anthropic.com"
_VERTEX_HOST: Final = re.compile(
    r"(?:([a-z0-9-]+)-)?aiplatform\.(?:([a-z]+)\.rep\.)?googleapis\.com"
)
_BEDROCK_HOST: Final = re.compile(r"bedrock-[\w-]+\.[a-z0-9-]+\.(?:amazonaws\.com|api\.aws)")
_UNKNOWN: Final = "?"


def normalize(usage: Mapping[str, Any], facts: Mapping[str, str] = _NOTHING) -> Usage:
    """Return usage by the rule for all providers.

    `input_tokens` on the wire leaves out what was read from and written to a cache;
    `output_tokens` includes thinking. `iterations` are inferences that are billed one by one: the
    totals have neither a compaction nor an advisor in them.
    https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching#tracking-cache-performance

    Args:
        usage: `usage` as it was sent, or merged from the events of a stream.
        facts: what usage does not say: `processing` where it is `"batch"`, and what
            `connection_facts` and `context_facts` found.
    """
    counters = Counters(usage)
    cache_read, cache_write, lasting = _cache(counters)
    fresh, output = counters.get("input_tokens"), counters.get("output_tokens")
    thinking = counters.part("output_tokens_details").count("thinking_tokens")
    served = {name: facts[name] for name in _GIVEN if name in facts}
    served.update((name, str(usage[name])) for name in _SERVED if usage.get(name))
    if served.get("service_tier") == "batch":
        served["processing"] = served.pop("service_tier")
    server_tools = counters.part("server_tool_use")
    searches = server_tools.count("web_search_requests")
    parts = _iterations(counters)
    for name, value in (("input_tokens", fresh), ("output_tokens", output)):
        if value is None and not parts:
            counters.notes.append(f"{name} is not reported: it is taken to be 0")
    if server_tools.count("code_execution_requests"):
        counters.notes.append(_CODE)
    if any(part.label.startswith("fallback") for part in parts):
        counters.notes.append(_FALLBACK)
    return Usage(
        input_tokens=(fresh or 0) + cache_read + cache_write,
        output_tokens=output or 0,
        cache_read_tokens=cache_read,
        cache_write_tokens=cache_write,
        reasoning_tokens=min(output or 0, thinking),
        facts=served,
        details={"cache_write_1h": lasting} if lasting else {},
        fees={"web_search": searches} if searches else {},
        parts=parts,
        notes=tuple(dict.fromkeys(counters.notes)),
        is_known=counters.found > 0 or bool(parts),
    )


def connection_facts(connection: Connection) -> dict[str, str]:
    """Return where a call is served, as far as its client says.

    https://platform.claude.com/docs/en/about-claude/pricing#third-party-platform-pricing
    """
    client = connection.client
    if client is None:
        url = connection.settings.get("base_url") or os.environ.get("ANTHROPIC_BASE_URL")
        return _host_facts(url) if url else {}
    address: object = getattr(client, "base_url", None)
    facts = {"host": UNKNOWN_HOST} if address is None else _host_facts(address)
    kinds = {kind.__name__.removeprefix("Async") for kind in type(client).__mro__}
    if kinds & {"AnthropicVertex", "AnthropicGoogleCloud"}:
        facts |= _vertex_facts(getattr(client, "region", None))
    elif kinds & {"AnthropicBedrock", "AnthropicBedrockMantle"}:
        # Where it runs is in the model's name, which the price table reads.
        facts |= {"platform": "bedrock", "endpoint": _UNKNOWN}
    return facts


def context_facts(context: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts in a description of a response that was stored.

    Args:
        context: any of `service_tier`, `processing`, `base_url`, and `backend` (`"vertex"` or
            `"bedrock"`) with `location`.
    """
    facts = {name: value for name, value in context.items() if isinstance(value, str)}
    if address := facts.pop("base_url", None):
        facts |= _host_facts(address)
    backend = facts.pop("backend", None)
    location = next((facts[n] for n in ("location", "region", "aws_region") if n in facts), None)
    if backend == "vertex":
        facts |= _vertex_facts(location)
    elif backend == "bedrock":
        facts |= {"platform": "bedrock", "endpoint": _endpoint(location)}
    return facts


def _host_facts(address: object) -> dict[str, str]:
    host = host_of(address)
    if host == _OWN_HOST:
        return {}
    found = _VERTEX_HOST.fullmatch(host)
    if found is None and _BEDROCK_HOST.fullmatch(host):
        return {"platform": "bedrock", "endpoint": _UNKNOWN}
    if found is None:
        return {"host": UNKNOWN_HOST if host == UNKNOWN_HOST else OTHER_HOST}
    return _vertex_facts(found[1] or found[2] or "global")


def _vertex_facts(location: object) -> dict[str, str]:
    return {"platform": "vertex", "endpoint": _endpoint(location)}


def _endpoint(location: object) -> str:
    """Return what a location means for prices: all but the global one are regional."""
    if not isinstance(location, str) or not location:
        return _UNKNOWN
    return "global" if location == "global" else "regional"


def _cache(counters: Counters) -> tuple[int, int, int]:
    """Return the tokens read from a cache, those written to one, and those kept for an hour."""
    by_ttl = counters.part("cache_creation")
    lasting = by_ttl.count("ephemeral_1h_input_tokens")
    # The total grows with server tools, the split by lifetime comes once, at the beginning.
    written = max(
        counters.count("cache_creation_input_tokens"),
        lasting + by_ttl.count("ephemeral_5m_input_tokens"),
    )
    return counters.count("cache_read_input_tokens"), written, lasting


def _iterations(counters: Counters) -> tuple[UsagePart, ...]:
    """Return the inferences behind a message, where there is more than the message's own."""
    items = as_mappings(counters.value("iterations"))
    if all(item.get("type") == "message" for item in items) and len(items) < 2:
        return ()
    return tuple(_iteration(Counters(item, counters), item) for item in items)


def _iteration(counters: Counters, item: Mapping[str, Any]) -> UsagePart:
    cache_read, cache_write, lasting = _cache(counters)
    counts = {
        "input": counters.count("input_tokens"),
        "cache_read": cache_read,
        "cache_write": cache_write - lasting,
        "cache_write_1h": lasting,
        "output": counters.count("output_tokens"),
    }
    return UsagePart(
        counts={unit: count for unit, count in counts.items() if count},
        model=as_text(item.get("model")),
        label=str(item.get("type") or ""),
    )
