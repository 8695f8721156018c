"""Responses from the embedded model."""

from __future__ import annotations

from mirascope.core import BaseCallResponse, JSONObject


class LocalCallResponse(BaseCallResponse[JSONObject]):
    """A whole answer; `response` is the completion's JSON object."""
