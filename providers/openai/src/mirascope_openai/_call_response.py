"""Responses from OpenAI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from mirascope.core import BaseCallResponse, BaseTool, CallResult
from typing_extensions import override

if TYPE_CHECKING:
    from openai.types import CompletionUsage
    from openai.types.chat import (
        ChatCompletion,  # noqa: F401 - named in a base class, as text
        ChatCompletionAssistantMessageParam,
        ChatCompletionMessageParam,
        ChatCompletionToolMessageParam,
    )


class OpenAICallResult(CallResult):
    """`usage`, `message_param` and `user_message_param` as OpenAI's SDK types them."""

    @property
    @override
    def usage(self) -> CompletionUsage | None:
        return cast("CompletionUsage | None", super().usage)

    @property
    @override
    def message_param(self) -> ChatCompletionAssistantMessageParam:
        return cast("ChatCompletionAssistantMessageParam", super().message_param)

    @property
    @override
    def user_message_param(self) -> ChatCompletionMessageParam | None:
        return cast("ChatCompletionMessageParam | None", super().user_message_param)

    @override
    def tool_message_params(
        self, results: Sequence[tuple[BaseTool, Any]]
    ) -> list[ChatCompletionToolMessageParam]:
        return super().tool_message_params(results)


class OpenAICallResponse(OpenAICallResult, BaseCallResponse["ChatCompletion"]):
    """A whole answer; `response` is the SDK's `ChatCompletion`."""
