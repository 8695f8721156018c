"""Responses from Gemini."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from mirascope.core import BaseCallResponse, BaseTool, CallResult, FinishReason
from typing_extensions import override

if TYPE_CHECKING:
    from google.genai.types import (
        GenerateContentResponse,  # noqa: F401 - named in a base class, as text
        GenerateContentResponseUsageMetadata,
    )


class GoogleCallResult(CallResult):
    """`usage` as the SDK types it, messages in Gemini's form, and why the model stopped."""

    @property
    @override
    def usage(self) -> GenerateContentResponseUsageMetadata | None:
        return cast("GenerateContentResponseUsageMetadata | None", super().usage)

    @property
    @override
    def message_param(self) -> dict[str, Any]:
        """The answer as a content of the next request: `{"role": "model", "parts": [...]}`.

        It is the API's own JSON, so it can be stored. Parts keep their order and their thought
        signatures (base64, as they were sent); the SDK takes it as a content as it is.
        """
        return cast("dict[str, Any]", super().message_param)

    @property
    @override
    def user_message_param(self) -> dict[str, Any] | None:
        """The user's content, `{"role": "user", "parts": [{"text": "…"}]}`, or None."""
        return cast("dict[str, Any] | None", super().user_message_param)

    @property
    @override
    def finish_reason(self) -> FinishReason | None:
        """The unified finish reason.

        Gemini gives a prompt that it blocks no finish reason at all; here it is
        `"content_filter"` (`chunk.chunk.prompt_feedback` has the details).

        Raises:
            StreamNotExhaustedError: the stream has not ended.
        """
        reason = super().finish_reason
        is_blocked = reason is None and "block_reason" in self._answer.facts
        return "content_filter" if is_blocked else reason

    @override
    def tool_message_params(self, results: Sequence[tuple[BaseTool, Any]]) -> list[dict[str, Any]]:
        return super().tool_message_params(results)


class GoogleCallResponse(GoogleCallResult, BaseCallResponse["GenerateContentResponse"]):
    """A whole answer; `response` is the SDK's `GenerateContentResponse`."""
