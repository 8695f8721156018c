"""A chunk from the embedded model."""

from __future__ import annotations

from mirascope.core import JSONObject
from mirascope_compatible import ChatChunk


class LocalCallResponseChunk(ChatChunk[JSONObject]):
    """A chunk; `chunk` is the dict that llama.cpp made."""

    __slots__ = ()
