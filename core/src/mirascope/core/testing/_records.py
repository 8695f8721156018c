"""What a server remembers: the requests that arrived, and how long each connection lived."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it arrived.

    Attributes:
        method: in capitals.
        path: with its query.
        headers: by their names in lower case; values of a repeated name are joined by a comma.
        body: its bytes, after any transfer coding.
        connection: the number of the connection that it came on, from 0.
        at: when the last byte of it was there, as `time.monotonic()` counts.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    at: float

    @property
    def json(self) -> Any:
        """The body as JSON, read anew each time.

        Raises:
            ValueError: it is not JSON.
        """
        return json.loads(self.body)


@dataclass(slots=True)
class ServedConnection:
    """One connection and how long it lived; times are as `time.monotonic()` counts.

    Attributes:
        number: its place in the order of arrival, from 0.
        opened_at: when it was accepted.
        requests: how many requests came on it.
        closed_at: when its end was noticed, or None while it is open.
        closed_by: whose act the end was, or None while it is open.
    """

    number: int
    opened_at: float
    requests: int = 0
    closed_at: float | None = None
    closed_by: Literal["client", "server"] | None = None
