"""A synchronous call inside an event loop holds every other task up: its author is told once."""

from __future__ import annotations

import asyncio
import sys

from .._caution import caution

_warned = False


class BlockedLoopWarning(RuntimeWarning):
    """A synchronous call runs inside an event loop, which waits for the model with it."""


def warn_of_blocked_loop(what: str) -> None:
    """Warn, once in a process, if an event loop runs in this thread.

    Args:
        what: what is about to block it, and what to write in its place.
    """
    global _warned
    if _warned or asyncio._get_running_loop() is None:
        return
    # A notebook runs each cell inside its loop, which has nothing else to do meanwhile.
    if "ipykernel" in sys.modules:
        return
    _warned = True
    caution(f"{what}; or run it in asyncio.to_thread", BlockedLoopWarning)
