"""A retry around a streaming call, which returns before anything is sent: its author is told."""

from __future__ import annotations

import inspect
from typing import Final

from .._caution import RetryWarning, caution, package_of

_LIBRARIES: Final = frozenset({"backoff", "retry", "retrying", "stamina", "tenacity"})


def warn_of_useless_retry(name: str) -> None:
    """Warn if a retry library calls the function that called this one.

    Args:
        name: the decorated function's name.
    """
    frame = inspect.currentframe()
    caller = frame and frame.f_back and frame.f_back.f_back
    if package_of(caller) in _LIBRARIES:
        caution(
            f"a retry around the streaming call {name!r} repeats nothing: its errors come while "
            "the stream is read, so retry a function that reads it to its end, as "
            f"{name}(…).collect() does",
            RetryWarning,
            beyond=_LIBRARIES,
        )
