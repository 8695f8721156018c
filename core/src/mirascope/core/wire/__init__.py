"""Bytes to events, for the framings that providers use; nothing here knows a provider."""

from .._public import publish as _publish
from ._framer import STRAY, Event, Framer, WireError
from ._json_array import JSONArrayFramer
from ._lines import LineFramer
from ._sse import SSEFramer

__all__ = ["STRAY", "Event", "Framer", "JSONArrayFramer", "LineFramer", "SSEFramer", "WireError"]

_publish(globals())
