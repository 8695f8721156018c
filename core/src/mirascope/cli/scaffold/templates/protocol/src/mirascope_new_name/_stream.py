"""Streams and their chunks."""

from mirascope.core import BaseAsyncStream, BaseCallResponseChunk, BaseStream, JSONObject


class NewNameChunk(BaseCallResponseChunk[JSONObject]):
    """One event; `chunk` is its JSON object."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """What kind of event it is."""
        return str(self.data.get("type"))


class NewNameStream(BaseStream[NewNameChunk]):
    """A stream."""


class NewNameAsyncStream(BaseAsyncStream[NewNameChunk]):
    """An asynchronous stream."""
