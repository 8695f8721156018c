"""Warnings that blame a line of the user's program, whatever stands between it and the cause."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Collection
from types import FrameType
from typing import Final

_OWN: Final = __name__.partition(".")[0]


class PromptWarning(UserWarning):
    """A prompt goes out with something in it that is hardly meant for the model."""


class RetryWarning(RuntimeWarning):
    """A retry stands where none of a stream's errors passes."""


def caution(text: str, category: type[Warning], *, beyond: Collection[str] = ()) -> None:
    """Warn, and name the first line outside of this library as the place.

    Args:
        text: what is wrong and what to do.
        category: the warning's class.
        beyond: the names of packages that are passed over like this library.
    """
    level, frame = 0, inspect.currentframe()
    while frame is not None and ((package := package_of(frame)) == _OWN or package in beyond):
        level, frame = level + 1, frame.f_back
    # This function's own frame counts for the one that warns.
    warnings.warn(text, category, stacklevel=level + 1)


def package_of(frame: FrameType | None) -> str:
    """Return the name of the package whose code a frame runs."""
    module = None if frame is None else frame.f_globals.get("__name__")
    return module.partition(".")[0] if isinstance(module, str) else ""
