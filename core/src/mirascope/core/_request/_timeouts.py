"""The timeouts of a call, as its user gives them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TypeAlias, cast

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from .._errors import UsageError


@with_config(ConfigDict(extra="forbid"))
class Timeouts(TypedDict, total=False):
    """How long a stream may take, in seconds; any subset may be given.

    Keep-alives, pings and comments do not count as progress; time that your own code spends
    between two chunks counts against `total` alone.
    """

    first_chunk: float
    """From sending the request to the first chunk."""
    idle: float
    """Waiting for a chunk after another one."""
    total: float
    """From sending the request to the end."""


TimeoutTypes: TypeAlias = Timeouts | float | None
"""What `timeout=` takes: a number is the total."""


def parse_timeouts(timeout: object) -> Timeouts:
    """Return the timeouts that `timeout=` means.

    Raises:
        UsageError: unknown keys, or values that are not a positive number of seconds.
    """
    if timeout is None:
        return {}
    given: Mapping[str, object] = (
        cast("Mapping[str, object]", timeout)
        if isinstance(timeout, Mapping)
        else {"total": timeout}
    )
    for name, seconds in given.items():
        if name not in Timeouts.__annotations__:
            known = ", ".join(Timeouts.__annotations__)
            raise UsageError(f"timeout has no {name!r}; it takes seconds for: {known}")
        if (
            isinstance(seconds, bool)
            or not isinstance(seconds, (int, float))
            or not 0 < seconds <= threading.TIMEOUT_MAX
        ):
            raise UsageError(
                f"timeout {name!r} must be a positive number of seconds, not {seconds!r}"
            )
    return cast("Timeouts", dict(given))
