"""The SDK's types on what streams and responses share."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mirascope.core import CallResult
from typing_extensions import override

if TYPE_CHECKING:
    from anthropic.types import MessageParam, Usage


class AnthropicCallResult(CallResult):
    """`usage`, `message_param` and `user_message_param` as Anthropic's SDK types them."""

    @property
    @override
    def usage(self) -> Usage | None:
        return cast("Usage | None", super().usage)

    @property
    @override
    def message_param(self) -> MessageParam:
        return cast("MessageParam", super().message_param)

    @property
    @override
    def user_message_param(self) -> MessageParam | None:
        return cast("MessageParam | None", super().user_message_param)
