"""Which of Google's platforms serves a call, and where: regions of Vertex AI cost more."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from mirascope.core import OTHER_HOST, UNKNOWN_HOST, Connection, host_of

_VERTEX_HOST: Final = re.compile(
    r"(?:([a-z0-9-]+)-)?aiplatform\.(?:([a-z]+)\.rep\.)?googleapis\.com"
)
_DEVELOPER_HOST: Final = "generativelanguage.googleapis.com"
_UNKNOWN: Final = "?"
_TRUE: Final = frozenset({"true", "1"})


def connection_facts(connection: Connection) -> dict[str, str]:
    """Return what a call's connection means for prices, as far as its client says.

    https://cloud.google.com/vertex-ai/generative-ai/pricing
    """
    client, settings = connection.client, connection.settings
    if client is None:
        url = settings.get("base_url") or os.environ.get("GOOGLE_GEMINI_BASE_URL")
        facts = _host_facts(url) if url else {}
        is_vertex = settings.get("vertexai")
        if is_vertex is None:
            is_vertex = os.environ.get("GOOGLE_GENAI_USE_VERTEXAI", "").lower() in _TRUE
        location = settings.get("location") or os.environ.get("GOOGLE_CLOUD_LOCATION")
        # The SDK's own default, where it is told of no location.
        return {**facts, **vertex_facts(location or "global")} if is_vertex else facts
    # The client shows whether it speaks to Vertex AI; the rest only in private.
    api_client: Any = getattr(client, "_api_client", None)
    address = getattr(getattr(api_client, "_http_options", None), "base_url", None)
    facts = _host_facts(address) if address else {"host": UNKNOWN_HOST}
    if getattr(client, "vertexai", False) or getattr(api_client, "vertexai", False):
        location = getattr(api_client, "location", None)
        facts |= vertex_facts(location or settings.get("location") or "global")
    return facts


def context_platform(context: Mapping[str, Any]) -> dict[str, str]:
    """Return the same of a description of a response that was stored.

    Args:
        context: any of `base_url`, and `backend` (`"vertex"`) with `location`.
    """
    address = context.get("base_url")
    facts = _host_facts(address) if address else {}
    if context.get("backend") == "vertex":
        facts |= vertex_facts(context.get("location"))
    return facts


def vertex_facts(location: object) -> dict[str, str]:
    """Return what a location of Vertex AI means for prices: all but `global` are regional."""
    if not isinstance(location, str) or not location:
        return {"vertex": _UNKNOWN}
    return {"vertex": "global" if location == "global" else "regional"}


def _host_facts(address: object) -> dict[str, str]:
    host = host_of(address)
    if host == _DEVELOPER_HOST:
        return {}
    found = _VERTEX_HOST.fullmatch(host)
    if found is None:
        return {"host": UNKNOWN_HOST if host == UNKNOWN_HOST else OTHER_HOST}
    return vertex_facts(found[1] or found[2] or "global")
