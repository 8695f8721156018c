"""Work that an event loop does by itself, with nobody waiting for it."""

from __future__ import annotations

import asyncio
from typing import Any, Final, TypeVar

T = TypeVar("T")

_background: Final[set[asyncio.Future[Any]]] = set()


def keep(future: asyncio.Future[T]) -> asyncio.Future[T]:
    """Hold a future until it is done; the event loop alone holds only a weak reference."""
    _background.add(future)
    future.add_done_callback(_background.discard)
    return future
