"""A chunk of an answer from Gemini."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirascope.core import BaseCallResponseChunk, JSONObject, Usage
from typing_extensions import override

from ._sdk_objects import build, build_response
from ._usage import normalize

if TYPE_CHECKING:
    from google.genai.types import (
        GenerateContentResponse,  # noqa: F401 - named in a base class, as text
        GenerateContentResponseUsageMetadata,
    )


class GoogleCallResponseChunk(BaseCallResponseChunk["GenerateContentResponse"]):
    """A chunk; `chunk` is the `GenerateContentResponse` that the SDK yielded.

    Where there is no SDK's object, as in a recording, it is built on first read.
    """

    __slots__ = ()

    @property
    @override
    def id(self) -> str | None:
        return self.data.get("responseId") or None

    @property
    @override
    def model(self) -> str | None:
        return self.data.get("modelVersion") or None

    @property
    @override
    def usage(self) -> GenerateContentResponseUsageMetadata | None:
        """The usage in this chunk: a running total, never to be added up."""
        from google.genai.types import GenerateContentResponseUsageMetadata

        usage = self._raw_usage()
        return None if usage is None else build(GenerateContentResponseUsageMetadata, usage)

    @override
    def _normalize(self, usage: JSONObject) -> Usage:
        return normalize(usage, {})

    @override
    def _build(self, data: JSONObject, raw: bytes | None) -> Any:
        return build_response(data)
