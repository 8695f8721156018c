"""What `chunk.chunk` is for a response that was read as bytes: what the SDK would have yielded.

The SDK translates each event, keeps the fields of the platform that it speaks to, and adds the
response's headers. Most events are the same before and after its translation; the others go
through it: `_GenerateContentResponse_from_mldev` and `_GenerateContentResponse_from_vertex` of
`google.genai.models`, and `GenerateContentResponse._from_response`. These are private, and as here
in google-genai 3.6; where one is missing or refuses an event, `build_response` makes the object.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from mirascope.core import JSONObject

from ._sdk_objects import build_response

if TYPE_CHECKING:
    from google.genai.types import GenerateContentResponse

_OF_CONFIG: Final = ("response_schema", "response_json_schema", "include_all_fields")
"""The parameters by which the SDK changes what it makes of an event."""

_RESPONSE: Final = frozenset(
    {"candidates", "modelVersion", "promptFeedback", "responseId", "usageMetadata"}
)
_CANDIDATE: Final = frozenset(
    {
        *("content", "tokenCount", "finishReason", "groundingMetadata", "avgLogprobs", "index"),
        *("logprobsResult", "safetyRatings", "urlContextMetadata", "continuationToken"),
    }
)


class ChunkObjects:
    """Makes the objects of one response.

    Args:
        headers: the response's headers, as the SDK has them.
        is_vertex: whether Vertex AI sends it.
        config: the request's configuration.
    """

    __slots__ = ("_config", "_headers", "_http_response", "_is_plain", "_is_vertex")

    def __init__(
        self, headers: Mapping[str, str], *, is_vertex: bool, config: Mapping[str, Any]
    ) -> None:
        self._headers = headers
        self._is_vertex = is_vertex
        self._config = config
        self._is_plain = all(config.get(name) is None for name in _OF_CONFIG)
        self._http_response: Any = None

    def __call__(self, data: JSONObject, _raw: bytes | None) -> GenerateContentResponse:
        """Return the object of one event."""
        from google.genai.types import GenerateContentResponse, HttpResponse
        from pydantic import ValidationError

        if self._http_response is None:
            self._http_response = HttpResponse(headers=dict(self._headers))
        if self._is_plain and _is_the_same(data):
            # One call of the SDK's own class; a field that it does not know is the exception.
            try:
                return GenerateContentResponse.model_validate(
                    {**data, "sdkHttpResponse": self._http_response}
                )
            except (ValidationError, AttributeError):
                pass
        made = self._translated(data) or build_response(data)
        made.sdk_http_response = self._http_response
        return made

    def _translated(self, data: JSONObject) -> GenerateContentResponse | None:
        from google.genai import models
        from google.genai.types import GenerateContentConfig, GenerateContentResponse

        platform = "vertex" if self._is_vertex else "mldev"
        translate: Any = getattr(models, f"_GenerateContentResponse_from_{platform}", None)
        build: Any = getattr(GenerateContentResponse, "_from_response", None)
        options: dict[str, Any] = {}
        if not self._is_plain:
            config = GenerateContentConfig.model_validate(self._config)
            options = {"config": {name: getattr(config, name, None) for name in _OF_CONFIG}}
        try:
            # It changes what it is given.
            found: GenerateContentResponse = build(
                response=translate(copy.deepcopy(data), None), kwargs=options
            )
        except (ValueError, TypeError, AttributeError, LookupError):
            return None
        return found


def _is_the_same(data: JSONObject) -> bool:
    """Whether the SDK's translation changes nothing in an event, on either platform."""
    if not data.keys() <= _RESPONSE:
        return False
    try:
        return all(c.keys() <= _CANDIDATE for c in data.get("candidates") or ())
    except (AttributeError, TypeError):
        return False
