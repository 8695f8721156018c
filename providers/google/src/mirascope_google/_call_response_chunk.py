"""A chunk of an answer from Gemini."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mirascope.core import BaseCallResponseChunk
from typing_extensions import override

if TYPE_CHECKING:
    from google.genai.types import (
        GenerateContentResponse,  # noqa: F401 - named in a base class, as text
        GenerateContentResponseUsageMetadata,
    )


class GoogleCallResponseChunk(BaseCallResponseChunk["GenerateContentResponse"]):
    """A chunk; `chunk` is the SDK's `GenerateContentResponse`, built on first read."""

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
        return cast("GenerateContentResponseUsageMetadata | None", super().usage)
