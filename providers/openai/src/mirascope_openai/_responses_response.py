"""Responses from OpenAI's Responses API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirascope.core import BaseCallResponse

from ._responses_result import OpenAIResponsesCallResult

if TYPE_CHECKING:
    from openai.types.responses import Response  # noqa: F401 - named in a base class, as text


class OpenAIResponsesCallResponse(OpenAIResponsesCallResult, BaseCallResponse["Response"]):
    """A whole answer; `response` is the SDK's `Response`."""
