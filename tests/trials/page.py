"""The page with the figures of the trials, which their long forms write."""

from __future__ import annotations

import re
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
