"""Deadlines are arithmetic; the watchdog ends waits on time and forgets what is over."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

import pytest
from mirascope.core import UsageError
from mirascope.core._request._timeouts import parse_timeouts
from mirascope.core._transport._deadlines import Deadline, Deadlines
from mirascope.core._transport._watchdog import Watchdog


def test_the_first_chunk_has_its_own_deadline_then_each_wait_has_one() -> None:
    deadlines = Deadlines(100, first_chunk=10, idle=2)
    assert deadlines.next(100) == Deadline(110, "first_chunk", 10)
    # A ping came: the same wait goes on.
    assert deadlines.next(105) == Deadline(110, "first_chunk", 10)
    deadlines.progress()
    assert deadlines.next(108) == Deadline(110, "idle", 2)
    assert deadlines.next(109) == Deadline(110, "idle", 2)
    deadlines.progress()
    assert deadlines.next(150) == Deadline(152, "idle", 2)


def test_without_a_deadline_for_the_first_chunk_its_wait_is_idle() -> None:
    deadlines = Deadlines(100, idle=2)
    assert deadlines.next(100) == Deadline(102, "idle", 2)


def test_the_earlier_deadline_counts() -> None:
    deadlines = Deadlines(0, idle=5, total=8)
    assert deadlines.next(0) == Deadline(5, "idle", 5)
    deadlines.progress()
    assert deadlines.next(4) == Deadline(8, "total", 8)


def test_without_timeouts_there_is_no_deadline() -> None:
    assert Deadlines(0).next(0) is None
    deadlines = Deadlines(0, first_chunk=1)
    deadlines.progress()
    assert deadlines.next(0) is None


@pytest.mark.parametrize(
    ("given", "parsed"),
    [(None, {}), (3, {"total": 3}), (0.5, {"total": 0.5}), ({"idle": 1}, {"idle": 1}), ({}, {})],
)
def test_parse(given: Any, parsed: Any) -> None:
    assert parse_timeouts(given) == parsed


def test_parsing_copies_what_it_is_given() -> None:
    given = {"idle": 1.0}
    assert parse_timeouts(given) is not given


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf, 1e10, True, "1", None])
def test_bad_seconds(seconds: Any) -> None:
    with pytest.raises(UsageError, match="timeout 'idle' must be a positive number of seconds"):
        parse_timeouts({"idle": seconds})


def test_unknown_names() -> None:
    with pytest.raises(UsageError, match=r"no 'idel'; it takes .* first_chunk, idle, total"):
        parse_timeouts({"idel": 3})


def test_alarms_go_off_in_order_and_on_time() -> None:
    watchdog, rang = Watchdog(), []
    last = threading.Event()
    now = time.monotonic()
    watchdog.at(now + 0.15, lambda: (rang.append("late"), last.set()))
    watchdog.at(now + 0.05, lambda: rang.append("early"))
    cancelled = watchdog.at(now + 0.1, lambda: rang.append("never"))
    cancelled.cancel()
    assert last.wait(5)
    assert time.monotonic() - now >= 0.15
    assert rang == ["early", "late"]
    assert not cancelled.fired


def test_an_alarm_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    watchdog, rang = Watchdog(), threading.Event()
    watchdog.at(time.monotonic(), lambda: 1 / 0)
    watchdog.at(time.monotonic() + 0.05, rang.set)
    assert rang.wait(5)
    assert "ending a wait failed" in caplog.text


def test_an_alarm_in_a_thousand_years_does_not_stop_the_others() -> None:
    watchdog, rang = Watchdog(), threading.Event()
    watchdog.at(time.monotonic() + 3e10, lambda: None)
    time.sleep(0.05)
    watchdog.at(time.monotonic() + 0.05, rang.set)
    assert rang.wait(5)


def test_alarms_that_were_cancelled_are_forgotten() -> None:
    """A stream sets one alarm for each read, all for the same far moment."""
    watchdog = Watchdog()
    kept = [watchdog.at(time.monotonic() + 600, lambda: None) for _ in range(10)]
    for _ in range(20_000):
        watchdog.at(time.monotonic() + 600, lambda: None).cancel()
    assert len(watchdog._heap) < 200
    assert all(any(alarm is known for _, _, known in watchdog._heap) for alarm in kept)
