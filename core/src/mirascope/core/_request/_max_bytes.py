"""The bound on a response's size, as the user of a call gives it."""

from __future__ import annotations

from .._errors import UsageError
from .._transport._bounds import MAX_RESPONSE_BYTES, MAX_STREAM_BYTES


def parse_max_bytes(given: object, *, stream: bool) -> int:
    """Return the bound that `max_bytes=` means; None means the default.

    Raises:
        UsageError: it is not a positive whole number.
    """
    if given is None:
        return MAX_STREAM_BYTES if stream else MAX_RESPONSE_BYTES
    if isinstance(given, bool) or not isinstance(given, int) or given <= 0:
        raise UsageError(f"max_bytes must be a positive whole number of bytes, not {given!r}")
    return given
