"""What is left of a body after its end: read within bounds, for two reasons.

A complete body is read to its end so that the next call reuses the connection; after an error of
the provider's, usage and the like may still follow.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeAlias

from .._interruptions import suppress_failures
from ._source import Piece, Source
from ._watchdog import WATCHDOG

# Enough for an end marker and a usage event, which are sent at once. A server that keeps the body
# open costs the caller no more than this, and its connection.
_SECONDS = 0.2
_BYTES = 64 * 1024

Take: TypeAlias = Callable[[Piece | None], None]
"""What is done with a piece that is left; None stands for the end of the body."""


def drain(pieces: Iterator[Piece], source: Source, take: Take) -> None:
    """Read what is left of a response."""
    alarm = WATCHDOG.at(time.monotonic() + _SECONDS, source.abort)
    left = _BYTES
    try:
        with suppress_failures():
            for piece in pieces:
                take(piece)
                left -= _size(piece)
                if left <= 0:
                    break
            else:
                take(None)
    finally:
        alarm.cancel()


async def drain_async(pieces: AsyncIterator[Piece], take: Take) -> None:
    """Read what is left of a response, asynchronously."""
    left = _BYTES
    with suppress_failures():
        async with asyncio.timeout(_SECONDS):
            async for piece in pieces:
                take(piece)
                left -= _size(piece)
                if left <= 0:
                    return
        take(None)


def _size(piece: Piece) -> int:
    """Return the bytes of a piece; those of an SDK's object are not known, and guessed."""
    return len(piece) if isinstance(piece, bytes) else 1024
