"""What a cost takes, side by side with genai-prices in one run; numbers are printed, not asserted.

    uv run python tests/benchmarks/cost.py

The goals: one cost of at most 40 µs, a cost read again of at most 1 µs, a table read in at
most 25 ms, nothing at import.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

ROUNDS = 7
AT = datetime(2026, 11, 22, tzinfo=UTC)
USAGE = {
    "prompt_tokens": 50_000,
    "completion_tokens": 1000,
    "total_tokens": 51_000,
    "prompt_tokens_details": {"cached_tokens": 40_000},
}
BODY = (
    b'data: {"model": "gpt-5.4", "choices": [{"index": 0, "delta": {"content": "Hi"}, '
    b'"finish_reason": "stop"}]}\n\n'
    b'data: {"model": "gpt-5.4", "choices": [], "usage": %s}\n\n'
    b"data: [DONE]\n\n"
) % json.dumps(USAGE).encode()
LAZY = ("tomllib", "pluggy", "genai_prices")


def best(work: Callable[[], object], times: int) -> float:
    """Seconds for one run of `work`: the best of several rounds."""
    rounds: list[float] = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(times):
            work()
        rounds.append((time.perf_counter() - begin) / times)
    return min(rounds)


def main() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, mirascope.core; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    print("read at import of mirascope.core:", [name for name in LAZY if name in loaded] or "none")

    from mirascope.core import PriceTable, Usage, stream_from
    from mirascope.core._prices._calculate import calculate_cost
    from mirascope.core.plugins import load_provider, statuses

    names = [s.name for s in statuses() if s.spec and load_provider(s.name).prices.models]
    for name in names:
        package = load_provider(name).prices_package or ""
        seconds = best(lambda package=package: PriceTable.from_package(package), 1)
        print(f"table of {name}: {seconds * 1e3:.1f} ms")

    provider = load_provider("openai")
    table = provider.prices
    usage: Usage = provider.normalize(USAGE, {})
    ours = best(lambda: calculate_cost(usage, table, model="gpt-5.4", at=AT), 2000)
    whole = best(
        lambda: calculate_cost(provider.normalize(USAGE, {}), table, model="gpt-5.4", at=AT), 2000
    )
    print(f"one cost: {ours * 1e6:.1f} µs, with normalisation {whole * 1e6:.1f} µs")

    stream = stream_from(BODY, provider="openai")
    stream.collect()
    first = time.perf_counter()
    assert stream.cost is not None
    first = time.perf_counter() - first
    again = best(lambda: stream.cost, 20_000)
    print(f"stream.cost: first {first * 1e6:.1f} µs, again {again * 1e6:.2f} µs")

    begin = time.perf_counter()
    try:
        import genai_prices
    except ImportError:
        print("genai-prices is not installed")
        return
    imported = time.perf_counter() - begin
    theirs = genai_prices.Usage(input_tokens=50_000, output_tokens=1000, cache_read_tokens=40_000)
    openai_prices = best(
        lambda: genai_prices.calc_price(
            theirs, "gpt-5.4", provider_id="openai", genai_request_timestamp=AT
        ),
        500,
    )
    print(f"genai-prices: import {imported * 1e3:.0f} ms, one cost {openai_prices * 1e6:.1f} µs")


if __name__ == "__main__":
    main()
