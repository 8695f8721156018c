"""What is left of a body after its end: read within bounds, for two reasons.

A complete body is read to its end so that the next call reuses the connection; after an error of
the provider's, usage and the like may still follow.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ._machine import Machine
from ._source import Piece, Source
from ._watchdog import WATCHDOG

_SECONDS = 0.2
_BYTES = 64 * 1024


def drain(pieces: Iterator[Piece], source: Source, machine: Machine[Any]) -> None:
    """Read what is left of a response."""
    alarm = WATCHDOG.at(time.monotonic() + _SECONDS, source.abort)
    left = _BYTES
    with contextlib.suppress(Exception):
        for piece in pieces:
            left -= _trail(machine, piece)
            if left <= 0:
                break
        else:
            _exhaust(machine.end())
    alarm.cancel()


async def drain_async(pieces: AsyncIterator[Piece], machine: Machine[Any]) -> None:
    """Read what is left of a response, asynchronously."""
    left = _BYTES
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_SECONDS):
            async for piece in pieces:
                left -= _trail(machine, piece)
                if left <= 0:
                    return
        _exhaust(machine.end())


def _trail(machine: Machine[Any], piece: Piece) -> int:
    """Take a piece that came after the end, where it may still matter; return its size in bytes."""
    if machine.trailing:
        _exhaust(machine.feed(piece))
    return len(piece) if isinstance(piece, bytes) else 1024


def _exhaust(items: Iterator[object]) -> None:
    for _ in items:
        pass
