"""Responses from compatible servers."""

from __future__ import annotations

from mirascope.core import BaseCallResponse, JSONObject


class CompatibleCallResponse(BaseCallResponse[JSONObject]):
    """A whole answer; `response` is the completion's JSON object."""
