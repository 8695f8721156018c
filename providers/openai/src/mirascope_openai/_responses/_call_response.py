"""Responses from OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from mirascope.core import BaseCallResponse, BaseTool, CallResult, MessageParam
from typing_extensions import override

from ._answer import OpenAIResponsesMessageParam, custom_call_ids

if TYPE_CHECKING:
    from openai.types.responses import (
        Response,  # noqa: F401 - named in a base class, as text
        ResponseInputItemParam,
        ResponseUsage,
    )


class OpenAIResponsesCallResult(CallResult):
    """`usage`, `message_param` and `user_message_param` as OpenAI's SDK types them."""

    @property
    @override
    def usage(self) -> ResponseUsage | None:
        return cast("ResponseUsage | None", super().usage)

    @property
    @override
    def message_param(self) -> OpenAIResponsesMessageParam:
        return cast("OpenAIResponsesMessageParam", super().message_param)

    @property
    @override
    def user_message_param(self) -> ResponseInputItemParam | None:
        return cast("ResponseInputItemParam | None", super().user_message_param)

    @override
    def tool_message_params(self, results: Sequence[tuple[BaseTool, Any]]) -> list[MessageParam]:
        custom = custom_call_ids(self._answer)
        return [
            {**item, "type": "custom_tool_call_output"} if item["call_id"] in custom else item
            for item in super().tool_message_params(results)
        ]


class OpenAIResponsesCallResponse(OpenAIResponsesCallResult, BaseCallResponse["Response"]):
    """A whole answer; `response` is the SDK's `Response`."""
