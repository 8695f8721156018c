"""Responses from Gemini."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirascope.core import BaseCallResponse

from ._call_result import GoogleCallResult

if TYPE_CHECKING:
    from google.genai.types import (
        GenerateContentResponse,  # noqa: F401 - named in a base class, as text
    )


class GoogleCallResponse(GoogleCallResult, BaseCallResponse["GenerateContentResponse"]):
    """A whole answer; `response` is the SDK's `GenerateContentResponse`."""
