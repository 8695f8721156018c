"""Responses from Anthropic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirascope.core import BaseCallResponse

from ._call_result import AnthropicCallResult

if TYPE_CHECKING:
    from anthropic.types import Message  # noqa: F401 - named in a base class, as text


class AnthropicCallResponse(AnthropicCallResult, BaseCallResponse["Message"]):
    """A whole answer; `response` is the SDK's `Message`."""
