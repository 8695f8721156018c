"""One daemon thread that ends waits whose deadline has passed.

A blocked synchronous read can only be ended from outside. The thread is started by the first
deadline of the process and serves all streams.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from .. import _process

_FEW: Final = 64
"""How many alarms are kept before those that are over are looked for."""

_logger = logging.getLogger(__name__)


class Alarm:
    """An action that runs at a moment unless it is cancelled first."""

    __slots__ = ("_action", "_lock", "fired")

    def __init__(self, action: Callable[[], None]) -> None:
        self._action: Callable[[], None] | None = action
        # Reentrant: a signal handler may cancel what its own thread is cancelling.
        self._lock = threading.RLock()
        self.fired = False

    def cancel(self) -> None:
        """Forget the action; once this returns, it will not begin any more."""
        with self._lock:
            self._action = None

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen any more."""
        return self._action is None

    def fire(self) -> None:
        """Run the action, unless it was cancelled."""
        with self._lock:
            action, self._action = self._action, None
            if action is None:
                return
            self.fired = True
            try:
                action()
            except Exception:
                _logger.exception("ending a wait failed")


class Watchdog:
    """Runs alarms on time in one thread of its own."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, without a thread: a forked child has none of its parent's."""
        self._condition = threading.Condition()
        self._heap: list[tuple[float, int, Alarm]] = []
        self._crowded = _FEW
        self._order = itertools.count()
        self._thread: threading.Thread | None = None

    def at(self, when: float, action: Callable[[], None]) -> Alarm:
        """Run `action` when `time.monotonic()` reaches `when`."""
        alarm = Alarm(action)
        with self._condition:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="mirascope-watchdog", daemon=True
                )
                self._thread.start()
            heapq.heappush(self._heap, (when, next(self._order), alarm))
            if len(self._heap) > self._crowded:
                self._forget()
            if self._heap[0][2] is alarm:
                self._condition.notify()
        return alarm

    def _forget(self) -> None:
        """Drop alarms that are over: a stream sets one for each read, mostly for a far moment."""
        self._heap = [entry for entry in self._heap if not entry[2].is_over]
        heapq.heapify(self._heap)
        self._crowded = max(_FEW, 2 * len(self._heap))

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._heap or self._heap[0][0] > time.monotonic():
                    self._condition.wait(
                        min(self._heap[0][0] - time.monotonic(), threading.TIMEOUT_MAX)
                        if self._heap
                        else None
                    )
                _, _, alarm = heapq.heappop(self._heap)
            alarm.fire()
            del alarm


WATCHDOG: Final = Watchdog()

_process.after_fork(WATCHDOG.reset)
