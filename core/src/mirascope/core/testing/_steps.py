"""What a scripted reply is made of: bytes, and what happens between them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from ._records import ReceivedRequest


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing for a while.

    Attributes:
        seconds: how long.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Send nothing until an event is set.

    Attributes:
        until: the event; without one, until the client closes its connection.
    """

    until: threading.Event | None = None


@dataclass(frozen=True, slots=True)
class Reset:
    """Drop the connection with a TCP reset: what a crash or a load balancer leaves behind."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close the connection in good order, here and now; with TLS, the close is announced."""


Step: TypeAlias = bytes | Pause | Hold | Reset | Hangup
"""One thing that a reply does. Bytes go out as they are, in one write."""

Reply: TypeAlias = Iterable[Step]
"""Everything that answers one request, from the status line on.

A generator is played lazily and may never end; it can be played once only.
"""

Script: TypeAlias = Reply | Callable[[ReceivedRequest], Reply]
"""A reply, or a function that makes one from the request. It runs in the connection's thread."""
