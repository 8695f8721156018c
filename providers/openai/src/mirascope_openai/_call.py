"""The decorators for OpenAI."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from mirascope.core import (
    APICall,
    AsyncAPICall,
    AsyncCall,
    BaseDynamicConfig,
    BaseTool,
    Call,
    MessageParam,
)
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from ._call_response import OpenAICallResponse
from ._provider import OpenAIProvider
from ._responses._call_response import OpenAIResponsesCallResponse
from ._responses._provider import OpenAIResponsesProvider
from ._responses._stream import OpenAIResponsesAsyncStream, OpenAIResponsesStream
from ._stream import OpenAIAsyncStream, OpenAIStream

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI
    from openai.types.chat import ChatCompletionMessageParam

    OpenAIMessageParam = ChatCompletionMessageParam
    """A message as the SDK types it; at run time any mapping, so that no SDK is imported for it."""
    _Client = OpenAI | AsyncOpenAI | None
else:
    # The SDK itself would take longer to import than the rest of this package.
    _Client = Any
    OpenAIMessageParam = MessageParam

PROVIDER = OpenAIProvider()
RESPONSES_PROVIDER = OpenAIResponsesProvider()
_APIS = {"responses": lambda: RESPONSES_PROVIDER}

call = cast(
    """APICall[
        Literal["chat"],
        OpenAICallResponse, OpenAIStream, OpenAIAsyncStream,
        Literal["responses"],
        OpenAIResponsesCallResponse, OpenAIResponsesStream, OpenAIResponsesAsyncStream,
    ]""",
    Call[Any, Any, Any](PROVIDER, _APIS),
)
"""`@openai.call("gpt-4o", stream=True)` for functions and `async def` functions.

Calls speak chat completions; `api="responses"` chooses the Responses API.
"""
call_async = cast(
    """AsyncAPICall[
        Literal["chat"],
        OpenAICallResponse, OpenAIAsyncStream,
        Literal["responses"],
        OpenAIResponsesCallResponse, OpenAIResponsesAsyncStream,
    ]""",
    AsyncCall[Any, Any](PROVIDER, _APIS),
)
"""`@openai.call_async("gpt-4o", stream=True)` for `async def` functions."""


@with_config(ConfigDict(extra="allow"))
class OpenAICallParams(TypedDict, total=False):
    """The most used parameters of the API; any other one is accepted as well.

    https://platform.openai.com/docs/api-reference/chat/create
    """

    frequency_penalty: float | None
    logit_bias: Mapping[str, int] | None
    logprobs: bool | None
    max_completion_tokens: int | None
    max_tokens: int | None
    n: int | None
    parallel_tool_calls: bool
    presence_penalty: float | None
    reasoning_effort: str | None
    response_format: Mapping[str, Any]
    seed: int | None
    service_tier: Literal["auto", "default", "flex", "priority"] | None
    stop: str | Sequence[str] | None
    stream_options: Mapping[str, Any] | None
    temperature: float | None
    tool_choice: str | Callable[..., Any] | Mapping[str, Any]
    top_logprobs: int | None
    top_p: float | None
    user: str


class OpenAIDynamicConfig(BaseDynamicConfig, total=False):
    """What a function decorated with `openai.call` may return."""

    client: _Client


OpenAITool = BaseTool
"""A tool call."""
AsyncOpenAIDynamicConfig = OpenAIDynamicConfig
"""What an `async def` may return: the same, for `client` takes clients of both kinds."""
openai_call = call
"""`call`, by a name that needs no module before it."""
