"""The SDK's types on what streams and responses share."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mirascope.core import CallResult
from typing_extensions import override

if TYPE_CHECKING:
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletionAssistantMessageParam, ChatCompletionMessageParam


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
