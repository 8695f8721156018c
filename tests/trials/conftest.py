"""What the trials share: how many cases there are, and what became of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from . import page
from .interrupting import DRIVERS, Moment, moments
from .protocols import PROTOCOLS

TRIAL = os.environ.get("MIRASCOPE_TRIAL")
"""The trial whose long form runs, by its nox session; None in the default run of the tests."""
LONG = TRIAL is not None
SHORTER = 4
"""How much further apart the moments of the short form lie: all of it takes a minute or so."""
PATIENCE = 2.0 if LONG else 0.7
"""Seconds after which a stream that nothing came to is taken as one that waits for good."""
SECONDS = float(os.environ.get("MIRASCOPE_TRIAL_SECONDS", "120"))
"""How long a long form goes on."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try every protocol in the long form, and the one without an SDK in the short one."""
    if "protocol" in metafunc.fixturenames:
        tried = PROTOCOLS if LONG else PROTOCOLS[:1]
        metafunc.parametrize("protocol", tried, ids=str)


class Tried:
    """Counts what a test tries, and ends it when it has had its share of the time.

    Attributes:
        cases: how many there were.
        furthest: the number of the latest moment that came.
    """

    total = 0

    def __init__(self, seconds: float | None) -> None:
        self.cases = 0
        self.furthest = 0
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def __call__(self, cases: int) -> None:
        """Count cases."""
        self.cases += cases
        Tried.total += cases

    @property
    def is_over(self) -> bool:
        """Whether the test has had its share of the time."""
        return self._deadline is not None and time.monotonic() > self._deadline

    def moments(self, files: frozenset[str] = DRIVERS, *, step: int = 5) -> Iterator[Moment]:
        """Yield moments that lie so far apart, in the long form each time other ones.

        In the short form, a few times as far.
        """
        step = step if LONG else step * SHORTER
        for first in range(step if LONG else 1):
            for moment in moments(files, first=first, step=step):
                yield moment
                self(1)
                self.furthest = max(self.furthest, moment.number)
                if self.is_over:
                    return


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Tried:
    """The count of this test, which has the same share of a long trial's time as the others."""
    return Tried(SECONDS / request.session.testscollected if LONG else None)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Put the figures of a long trial into the page."""
    if TRIAL is not None and Tried.total:
        page.write(TRIAL, Tried.total, session.testsfailed)
