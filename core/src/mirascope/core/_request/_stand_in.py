"""What stands in for the sending of calls, such as recordings in a test."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import Final, TypeAlias

from ._prepared import PreparedCall

StandIn: TypeAlias = Callable[[PreparedCall, bool], PreparedCall]
"""Takes a call that is ready to be sent, and whether its answer is streamed; returns what is sent
in its place."""

# Of the whole process: a program under test may make its calls in threads of its own.
_STAND_INS: Final[list[StandIn]] = []


def stood_in(call: PreparedCall, *, streamed: bool) -> PreparedCall:
    """Return what is sent in place of a call: the call itself, unless something stands in."""
    return _STAND_INS[-1](call, streamed) if _STAND_INS else call


@contextlib.contextmanager
def standing_in(stand_in: StandIn) -> Generator[None]:
    """Let something stand in for every call that is made meanwhile."""
    _STAND_INS.append(stand_in)
    try:
        yield
    finally:
        _STAND_INS.remove(stand_in)
