"""Streams and their chunks."""

from mirascope.core import BaseAsyncStream, BaseCallResponseChunk, BaseStream, JSONObject


class AcmeChunk(BaseCallResponseChunk[JSONObject]):
    """One record of Acme's; `chunk` is the record's fields."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """The record's letter."""
        return str(self.data["kind"])


class AcmeStream(BaseStream[AcmeChunk]):
    """A stream from Acme."""


class AcmeAsyncStream(BaseAsyncStream[AcmeChunk]):
    """An asynchronous stream from Acme."""
