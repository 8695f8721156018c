"""The line with what an answer used and cost."""

from __future__ import annotations

from typing import Any

from mirascope.core import BaseStream, Cost, StreamState


def summary(stream: BaseStream[Any], *timings: str) -> str:
    """Return the model, the tokens in and out, the cost, and the timings on one line."""
    usage = stream.common_usage
    tokens = (
        "tokens not reported"
        if usage is None
        else f"{usage.input_tokens} tokens in, {usage.output_tokens} out"
    )
    parts = [tokens, _cost(stream.cost_details), *timings]
    if stream.finish_reason not in (None, "stop", "tool_calls"):
        parts.append(f"finish reason {stream.finish_reason!r}")
    if stream.state is not StreamState.COMPLETED:
        parts.append(str(stream.state))
    model = "/".join(part for part in (stream.provider, stream.model) if part)
    return f"{model}: {', '.join(parts)}"


def _cost(cost: Cost | None) -> str:
    if cost is None:
        return "cost unknown"
    # Exact and without an exponent: 0.0000018, never 1.8E-6.
    amount = f"{cost.total.normalize():f}"
    return f"${amount}"
