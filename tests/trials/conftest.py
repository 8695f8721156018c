"""What the trials share."""

from __future__ import annotations

import os

import pytest

from .protocols import PROTOCOLS

LONG = os.environ.get("MIRASCOPE_TRIALS") == "long"
"""Whether the long form of each trial runs: its nox session, not the default run of the tests."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try every protocol in the long form, and the one without an SDK in the short one."""
    if "protocol" in metafunc.fixturenames:
        tried = PROTOCOLS if LONG else PROTOCOLS[:1]
        metafunc.parametrize("protocol", tried, ids=str)


@pytest.fixture
def stride() -> int:
    """How many moments lie between two that are tried."""
    return 1 if LONG else 5
