"""The end of the process, for streams that are still open then."""

from __future__ import annotations

import atexit
import weakref
from typing import Final, Protocol

from .._interruptions import suppress_failures


class _Open(Protocol):
    def end_of_process(self) -> None: ...


_streams: Final[weakref.WeakSet[_Open]] = weakref.WeakSet()


def close_at_exit(stream: _Open) -> None:
    """End a stream with the process, if it still exists then.

    The interpreter empties its modules before it drops what others hold, such as an iterator in a
    module of the user's own. The HTTP client can't close a response there any more, and prints an
    error; and a recording would have no end.
    """
    _streams.add(stream)


@atexit.register
def _close_all() -> None:
    for stream in list(_streams):
        with suppress_failures():
            stream.end_of_process()
