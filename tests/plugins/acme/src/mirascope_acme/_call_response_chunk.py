"""A chunk of a stream."""

from __future__ import annotations

from mirascope.core import BaseCallResponseChunk, JSONObject


class AcmeCallResponseChunk(BaseCallResponseChunk[JSONObject]):
    """One record of Acme's; `chunk` is the record's fields."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """The record's letter."""
        return str(self.data["kind"])
