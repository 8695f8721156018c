"""A chunk of a stream."""

from __future__ import annotations

from mirascope.core import BaseCallResponseChunk, JSONObject, Usage
from typing_extensions import override

from ._usage import normalize


class AcmeCallResponseChunk(BaseCallResponseChunk[JSONObject]):
    """One record of Acme's; `chunk` is the record's fields."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """The record's letter."""
        return str(self.data["kind"])

    @override
    def _normalize(self, usage: JSONObject) -> Usage:
        return normalize(usage)
