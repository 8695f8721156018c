"""Acme's counters."""

from __future__ import annotations

from mirascope.core import JSONObject, Usage, token_count


def normalize(usage: JSONObject) -> Usage:
    """Return Acme's usage by the one rule: its `in` leaves out what the cache served."""
    cached = token_count(usage.get("cached"))
    return Usage(
        input_tokens=token_count(usage.get("in")) + cached,
        output_tokens=token_count(usage.get("out")),
        cache_read_tokens=cached,
    )
