"""What importing takes: milliseconds of CPU, and modules; numbers are printed, not asserted.

    uv run python tests/benchmarks/imports.py [OTHER_CHECKOUT]

Each import runs in programs of its own, which are just begun, and the median counts. With another
checkout of this repository both are measured by turns.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = 11
HERE = Path(__file__).parents[2]
IMPORTS = (
    *("pydantic", "mirascope", "mirascope.core", "mirascope.llm"),
    *("mirascope.core.openai", "mirascope.core.anthropic", "mirascope.core.google"),
)
PROGRAM = """
import sys, time
begin = time.process_time()
import {}
print((time.process_time() - begin) * 1e3, len(sys.modules))
"""


def measured(checkout: Path, name: str) -> tuple[float, int] | None:
    """Return milliseconds and the number of modules; None where there is no such import."""
    sources = [checkout / "core" / "src", *sorted(checkout.glob("providers/*/src"))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(name)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode:
        return None
    milliseconds, modules = done.stdout.split()
    return float(milliseconds), int(modules)


def main() -> None:
    checkouts = [HERE, *map(Path, sys.argv[1:])]
    for name in IMPORTS:
        found = [[measured(checkout, name) for checkout in checkouts] for _ in range(ROUNDS)]
        for number, checkout in enumerate(checkouts):
            rows = [row for each in found if (row := each[number]) is not None]
            if not rows:
                print(f"{name:24} {checkout}: not there")
                continue
            milliseconds = statistics.median(row[0] for row in rows)
            print(f"{name:24} {checkout}: {milliseconds:6.1f} ms, {rows[0][1]} modules")


if __name__ == "__main__":
    main()
