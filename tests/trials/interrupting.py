"""Between any two steps of a program something may come: an interrupt, a cancellation, a fork.

Which two is luck, so a test that waits for luck proves little. `moments` makes it a loop: the same
run again and again, each time with something else happening one step later.

    for moment in moments():
        stream = ask()
        with moment(stream.cancel):
            "".join(stream.text())
        assert stream.state.ended, moment

The steps are those between which CPython runs signal handlers, no more and no fewer. The action
runs in the thread that takes the step, as a handler does; `elsewhere(action)` makes one that runs
in a thread of its own while that step waits.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import httpcore
import mirascope.core

CORE = Path(mirascope.core.__file__).parent
DRIVERS = frozenset(
    str(path)
    for pattern in (
        "_response/*.py",
        "_transport/*.py",
        "_recording/_recorder.py",
        "_process.py",
        "_observers.py",
        "_interruptions.py",
    )
    for path in CORE.glob(pattern)
)
"""Whatever lies between a loop and its connection."""
HTTPCORE = frozenset(str(path) for path in Path(httpcore.__file__).parent.glob("_[sa]*ync/*.py"))
"""The pool of connections under httpx."""

_CHECKED: Final = frozenset(
    {"RESUME", "JUMP_BACKWARD", "CALL", "CALL_KW", "CALL_FUNCTION_EX", "INSTRUMENTED_RESUME"}
)
"""The instructions after which CPython runs pending signal handlers, which it does nowhere else: a
function begins, a loop turns, a call returns."""


class _Points:
    """Where in a code object a signal handler may run."""

    def __init__(self, code: CodeType) -> None:
        bytecode = dis.Bytecode(code)
        self._checked = {i.offset for i in bytecode if i.opname in _CHECKED}
        self._entries: list[Any] = list(bytecode.exception_entries)

    def between(self, before: int, now: int) -> bool:
        """Whether a handler may run after one instruction and before another.

        Not where the two are in different `try` blocks: what is raised here is raised by the second
        one, what a handler raises by the first.
        """
        return before in self._checked and self._handler(before) == self._handler(now)

    def _handler(self, offset: int) -> int | None:
        targets = [e.target for e in self._entries if e.start <= offset < e.end]
        return targets[-1] if targets else None


_points = functools.cache(_Points)


class Moment:
    """One moment of a run: the nth one at which a signal handler might run in some files.

    Args:
        number: how many moments come before it.
        files: the files whose moments count.

    Attributes:
        place: the line, as file and number; None until it has come.
        when: the time at which it came, on `time.monotonic()`.
        lost: exceptions that came while an object was dropped, where Python loses them.
        is_last: whether later moments have nothing to try any more; set by who tries.
    """

    def __init__(self, number: int, files: frozenset[str]) -> None:
        self.number = number
        self.place: str | None = None
        self.when = 0.0
        self.lost: list[BaseException] = []
        self.is_last = False
        self._files = files
        self._seen = 0
        self._action: Callable[[], object] = int

    def __repr__(self) -> str:
        return f"<moment {self.number}, {self.place}>"

    @contextlib.contextmanager
    def __call__(
        self, action: Callable[[], object], *, thread: str | None = None
    ) -> Iterator[Moment]:
        """Run the action at this moment of what runs in a `with` block.

        Args:
            action: what happens then; it may raise.
            thread: the name of the threads whose moments count; None for the one that asks.
        """
        self._action = action
        before, unraisable = sys.gettrace(), sys.unraisablehook
        sys.unraisablehook = lambda lost: self.lost.append(lost.exc_value)

        def in_threads(frame: FrameType, kind: str, argument: Any) -> Any:
            if threading.current_thread().name == thread:
                return self._trace(frame, kind, argument)
            return None

        if thread is None:
            sys.settrace(self._trace)
        else:
            threading.settrace(in_threads)
        try:
            yield self
        finally:
            sys.settrace(before)
            threading.settrace(None)  # type: ignore[arg-type]
            sys.unraisablehook = unraisable

    def _trace(self, frame: FrameType, _: str, __: Any) -> Any:
        code = frame.f_code
        if self.place is not None or code.co_filename not in self._files:
            return None
        points = _points(code)
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        before = -1

        def each(frame: FrameType, kind: str, _: Any) -> Any:
            nonlocal before
            if kind == "opcode" and self.place is None:
                now = frame.f_lasti
                if points.between(before, now):
                    if self._seen == self.number:
                        self.place = f"{Path(code.co_filename).name}:{frame.f_lineno}"
                        self.when = time.monotonic()
                        self._action()
                    self._seen += 1
                before = now
            return each

        return each


def moments(files: frozenset[str] = DRIVERS, *, first: int = 0, step: int = 1) -> Iterator[Moment]:
    """Yield one moment after another, until a run ends before its moment or one is the last.

    Args:
        files: the files whose lines count.
        first: the number of the first one.
        step: how far the next one lies from it.
    """
    number = first
    while True:
        moment = Moment(number, files)
        yield moment
        if moment.place is None or moment.is_last:
            return
        number += step


def elsewhere(action: Callable[[], object], seconds: float = 0.02) -> Callable[[], None]:
    """Return what runs an action in a thread of its own, and waits for it a little.

    Not longer: the action may rightly wait for the very thread that stands still meanwhile.
    """

    def run() -> None:
        thread = threading.Thread(target=action, name="elsewhere", daemon=True)
        thread.start()
        thread.join(seconds)

    return run


def interrupt() -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


class TimeLimit(Exception):  # noqa: N818 - named as task queues do
    """What a signal handler of a task queue raises."""


def time_limit() -> None:
    """A task queue's patience is over."""
    raise TimeLimit
