"""Responses from Anthropic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from mirascope.core import BaseCallResponse, BaseTool, CallResult
from typing_extensions import override

if TYPE_CHECKING:
    from anthropic.types import (
        Message,  # noqa: F401 - named in a base class, as text
        MessageParam,
        Usage,
    )


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

    @override
    def tool_message_params(self, results: Sequence[tuple[BaseTool, Any]]) -> list[MessageParam]:
        return super().tool_message_params(results)


class AnthropicCallResponse(AnthropicCallResult, BaseCallResponse["Message"]):
    """A whole answer; `response` is the SDK's `Message`."""
