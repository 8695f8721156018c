"""What an exception was caused by, as far as the call goes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Final, cast

_PACKAGE: Final = __name__.rpartition(".")[0] + "."


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it was caused by, without what its caller was handling."""
    running = set(running_frames())
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        found = todo.pop()
        if found is None or id(found) in seen:
            continue
        begun = found.__traceback__
        if found is not error and begun is not None and _is_callers(begun, running):
            continue
        seen.add(id(found))
        yield found
        todo += [found.__context__, found.__cause__]
        if isinstance(found, BaseExceptionGroup):
            todo += cast("BaseExceptionGroup[BaseException]", found).exceptions


def running_frames() -> Iterator[FrameType]:
    """Yield the frames of this thread that have not ended, the innermost first."""
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_callers(traceback: TracebackType, running: set[FrameType]) -> bool:
    """Whether the frame that caught an exception is running and not of this package.

    Such an exception was being handled when the call was made; it is none of its causes.
    """
    frame = traceback.tb_frame
    return frame in running and not str(frame.f_globals.get("__name__")).startswith(_PACKAGE)
