"""A chunk of a chat completion."""

from __future__ import annotations

from mirascope.core import BaseCallResponseChunk, JSONObject
from mirascope.core.json import as_text
from typing_extensions import TypeVar, override

ChunkObjectT = TypeVar("ChunkObjectT", default=JSONObject, covariant=True)


class ChatChunk(BaseCallResponseChunk[ChunkObjectT]):
    """A chunk of a chat completion from any provider of the protocol."""

    __slots__ = ()

    @property
    @override
    def id(self) -> str | None:
        return as_text(self.data.get("id"))

    @property
    @override
    def model(self) -> str | None:
        return as_text(self.data.get("model"))


class CompatibleCallResponseChunk(ChatChunk[JSONObject]):
    """A chunk from a compatible server; `chunk` is the event's JSON object."""

    __slots__ = ()
