"""Responses from OpenAI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirascope.core import BaseCallResponse

from ._call_result import OpenAICallResult

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion  # noqa: F401 - named in a base class, as text


class OpenAICallResponse(OpenAICallResult, BaseCallResponse["ChatCompletion"]):
    """A whole answer; `response` is the SDK's `ChatCompletion`."""
