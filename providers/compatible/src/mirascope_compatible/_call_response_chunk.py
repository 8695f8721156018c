"""A chunk of a chat completion."""

from __future__ import annotations

from typing import Any

from mirascope.core import BaseCallResponseChunk, JSONObject
from typing_extensions import TypeVar, override

ChunkObjectT = TypeVar("ChunkObjectT", default=JSONObject, covariant=True)


class ChatChunk(BaseCallResponseChunk[ChunkObjectT]):
    """A chunk of a chat completion from any provider of the protocol."""

    __slots__ = ()

    @property
    @override
    def id(self) -> str | None:
        return _text(self.data.get("id"))

    @property
    @override
    def model(self) -> str | None:
        return _text(self.data.get("model"))


class CompatibleCallResponseChunk(ChatChunk[JSONObject]):
    """A chunk from a compatible server; `chunk` is the event's JSON object."""

    __slots__ = ()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
