"""Our tables and arithmetic against those of genai-prices and litellm.

Every cell is equal, or `differences.toml` has a class for it that names who is right and why.
Against genai-prices every model, usage, tier and date is compared in every run; litellm needs
`uv run nox -s differential`, which installs it, and adds 20,000 cells at random.
"""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from . import cells
from .cells import DATES, SENSIBLE, TODAY, Cell

CLASSES: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("differences.toml").read_text()
)["class"]
ORACLES: dict[str, Callable[[Cell], Decimal | str | None]] = {
    "genai-prices": cells.genai,
    "litellm": cells.litellm,
}
MODULES = {"genai-prices": "genai_prices", "litellm": "litellm"}
RIGHT = {"ours", "genai-prices", "litellm", "both", "unclear", "moot"}
# What litellm fetches at import would not be the data that the tables were made of.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")


def entry_of(cell: Cell) -> str:
    match = cells.table_of(cell.provider).match(cell.model)
    assert match is not None
    return match.model


def class_of(oracle: str, cell: Cell) -> int | None:
    """Return the number of the class that explains a difference."""
    for number, known in enumerate(CLASSES):
        if (
            (known["oracle"], known["provider"]) == (oracle, cell.provider)
            and cell.usage in known["usages"]
            and cell.context in known["contexts"]
            and cell.place in known["places"]
            and cell.date in known["dates"]
            and entry_of(cell) in known["models"]
        ):
            return number
    return None


def compared(oracle: str, asked: Iterable[Cell]) -> tuple[Counter[str], Counter[int], list[str]]:
    """Compare cells: how they came out, by class, and those that nothing explains."""
    counts: Counter[str] = Counter()
    hits: Counter[int] = Counter()
    unexplained: list[str] = []
    for cell in asked:
        theirs = ORACLES[oracle](cell)
        amount, exact = cells.ours(cell)
        if isinstance(theirs, str):
            counts["not asked, or an error there"] += 1
        elif theirs is None or amount is None:
            counts["unknown there" if theirs is None else "unknown here"] += 1
            if amount is None:
                unexplained.append(f"{cell}: unknown, theirs {theirs}")
        elif cells.equal(amount, theirs):
            counts["equal"] += 1
        elif (number := class_of(oracle, cell)) is None:
            unexplained.append(f"{cell}: ours {amount}, theirs {theirs}")
        else:
            hits[number] += 1
            counts[f"right: {CLASSES[number]['right']}{'' if exact else ', ours has a note'}"] += 1
    return counts, hits, unexplained


def test_classes_are_whole() -> None:
    for known in CLASSES:
        assert known["why"]
        assert known["right"] in RIGHT
        assert known["models"]
        assert set(known["dates"]) <= DATES.keys()


@pytest.mark.parametrize("provider", SENSIBLE)
@pytest.mark.parametrize("oracle", ORACLES)
def test_every_cell_is_equal_or_in_a_class(oracle: str, provider: str) -> None:
    pytest.importorskip(MODULES[oracle], reason="run: uv run nox -s differential")
    dates = [TODAY] if oracle == "litellm" else list(DATES)
    counts, hits, unexplained = compared(oracle, cells.all_cells(provider, dates))
    print(f"\n{oracle}, {provider}: {dict(counts)}")
    assert counts["equal"] > 100
    assert not unexplained, f"{len(unexplained)}:\n" + "\n".join(unexplained[:50])
    stale = [
        known["name"]
        for number, known in enumerate(CLASSES)
        if (known["oracle"], known["provider"]) == (oracle, provider) and not hits[number]
    ]
    assert not stale, "these cells agree: strike the classes from the list"


@pytest.mark.parametrize("oracle", ORACLES)
def test_cells_at_random(oracle: str) -> None:
    pytest.importorskip("litellm", reason="run: uv run nox -s differential")
    counts, hits, unexplained = compared(oracle, cells.random_cells(20_000, seed=20261128))
    print(f"\n{oracle}, 20,000 at random: {dict(counts)}")
    for number, count in hits.most_common():
        print(f"  {count:5} {CLASSES[number]['name']}: {CLASSES[number]['right']} is right")
    assert not unexplained, f"{len(unexplained)}:\n" + "\n".join(unexplained[:50])
