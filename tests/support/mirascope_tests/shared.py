"""The recordings, vectors and documents that stand beside a checkout, where they do.

They are not in the repository. A plain clone runs every other test and reports once, in one line,
what it has not run. With `CI=1` they must be there: a run without them fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(
    os.environ.get("MIRASCOPE_SHARED") or Path(__file__).resolve().parents[4] / "shared"
).resolve()
CORPUS = SHARED / "corpus"

MISSING = "recorded responses and price vectors are not beside this checkout (see CONTRIBUTING.md)"

needs_shared = pytest.mark.shared
"""Marks a test, a class or a module that reads files of `SHARED`."""


def each(found: Iterable[Any], name: Callable[[Any], str] = lambda path: path.stem) -> list[Any]:
    """Return the parameters of a test that is run for everything found in `SHARED`.

    Args:
        found: the values; none where there is no `SHARED`.
        name: a value's name in the test's.
    """
    values = list(found)
    if values or SHARED.is_dir():
        # Without any, pytest fails: a test that runs for nothing tests nothing.
        return [pytest.param(value, id=name(value), marks=needs_shared) for value in values]
    return [pytest.param(None, id="not here", marks=needs_shared)]
