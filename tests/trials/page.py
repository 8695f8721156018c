"""The page with the figures of the trials, which their long forms write."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "what-was-tried.md"


def write(trial: str, cases: int, failed: int) -> None:
    """Put the figures of one trial into its row.

    Raises:
        ValueError: the page has no row of this trial.
    """
    text = PAGE.read_text()
    row = re.compile(rf"^(\| `{trial}` \|.*\|) [\d,–]+ \| [\d–]+ \|$", re.MULTILINE)
    text, count = row.subn(rf"\g<1> {cases:,} | {failed} |", text)
    if count != 1:
        raise ValueError(f"{PAGE} has no row of {trial!r}")
    PAGE.write_text(text)


def write_matrix(
    rows: Sequence[str],
    places: Sequence[str],
    found: Mapping[tuple[str, str], Mapping[str, AbstractSet[str]]],
) -> None:
    """Put what became of each fault into the table of faults.

    Args:
        rows: the faults.
        places: where they came, and `"whole"` for calls that are not streamed.
        found: by fault and place (or `"anywhere"`), for each ending who met it.

    Raises:
        ValueError: the page has no such table.
    """
    everybody = {name for met in found.values() for names in met.values() for name in names}

    def cell(row: str, place: str) -> str:
        met = found.get((row, place)) or (
            found.get((row, "anywhere"), {}) if place != "whole" else {}
        )
        told = [
            f"`{ending}`" + ("" if names == everybody else f" ({', '.join(sorted(names))})")
            for ending, names in sorted(met.items(), key=lambda item: -len(item[1]))
        ]
        return ", ".join(told).replace("`whole`", "whole") or "–"

    lines = [f"| {row} | {' | '.join(cell(row, place) for place in places)} |" for row in rows]
    text = PAGE.read_text("utf-8")
    table = re.compile(r"(?<=<!-- matrix -->\n\n)(\|[^\n]+\n\|[-| :]+\|\n)(?:\|[^\n]*\n)*")
    text, count = table.subn(lambda match: match[1] + "\n".join(lines) + "\n", text)
    if count != 1:
        raise ValueError(f"{PAGE} has no table of faults")
    PAGE.write_text(text, "utf-8")
