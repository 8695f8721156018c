"""Exceptions that come from outside while something waits: not the transport's, and never renamed.

Time limits of task queues and of tests, and `signal.alarm`, raise inside whatever runs. Taken for
a fault of the connection, such an exception would become a retryable error, and the retries would
go on past the limit.
"""

from __future__ import annotations

import sys
from types import FrameType, TracebackType
from typing import cast

from ._causes import chain


def interruption(error: BaseException) -> BaseException | None:
    """Return the exception that was thrown into a wait from outside, where there is one.

    There are two ways to throw one. A signal handler raises it: then the handler's frame is in the
    traceback. Another thread raises it with `PyThreadState_SetAsyncExc`: then its class belongs to
    a package that took no part in the call. A transport may have wrapped either in a class of its
    own, so causes and contexts are looked at too.
    """
    found = raised_by_handler(error)
    return error if found is None and _is_stranger(error) else found


def raised_by_handler(error: BaseException) -> BaseException | None:
    """Return the exception that a signal handler raised, where there is one."""
    return next((found for found in chain(error) if handler_in(found.__traceback__)), None)


class suppress_failures:  # noqa: N801 - reads like contextlib.suppress
    """Ignore what fails in a `with` block, and let pass what comes from outside."""

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(exc, Exception):
            return False
        outside = interruption(exc)
        if outside is None or outside is exc:
            return outside is None
        raise outside from outside.__cause__


def handler_in(traceback: TracebackType | None) -> TracebackType | None:
    """Return where a traceback enters a signal handler, if it does.

    A handler alone gets the frame below it as an argument.
    """
    below: FrameType | None = None
    while traceback is not None:
        frame = traceback.tb_frame
        if below is not None:
            code = frame.f_code
            # `*args` stands behind the named arguments.
            names = code.co_varnames[: code.co_argcount + 2]
            for value in (frame.f_locals.get(name) for name in names):
                # By identity: what stands in a variable may compare in any way, and raise.
                parts = cast("tuple[object, ...]", value) if type(value) is tuple else (value,)
                if any(part is below for part in parts):
                    return traceback
        below = frame
        traceback = traceback.tb_next
    return None


def _is_stranger(error: BaseException) -> bool:
    """Whether an exception's class comes from Python code that takes no part in its traceback."""
    module = sys.modules.get(type(error).__module__)
    package = type(error).__module__.partition(".")[0]
    if package in sys.stdlib_module_names:
        return False
    # A compiled module has no frames of its own.
    if package != "__main__" and not str(getattr(module, "__file__", "")).endswith(".py"):
        return False
    traceback = error.__traceback__
    while traceback is not None:
        name: str = traceback.tb_frame.f_globals.get("__name__", "")
        if name.partition(".")[0] == package:
            return False
        traceback = traceback.tb_next
    return True
