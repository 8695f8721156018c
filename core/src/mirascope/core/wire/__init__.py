"""Bytes to events, for the framings that providers use; nothing here knows a provider."""

from ._framer import STRAY, Event, Framer, WireError
from ._lines import LineFramer
from ._sse import SSEFramer

__all__ = ["STRAY", "Event", "Framer", "LineFramer", "SSEFramer", "WireError"]
