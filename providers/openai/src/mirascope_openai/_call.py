"""The decorators for OpenAI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from mirascope.core import AsyncCall, BaseDynamicConfig, Call

from ._call_response import OpenAICallResponse
from ._provider import OpenAIProvider
from ._stream import OpenAIAsyncStream, OpenAIStream

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

PROVIDER = OpenAIProvider()

call = Call[OpenAICallResponse, OpenAIStream, OpenAIAsyncStream](PROVIDER)
"""`@openai.call("gpt-4o", stream=True)` for functions and `async def` functions."""
call_async = AsyncCall[OpenAICallResponse, OpenAIAsyncStream](PROVIDER)
"""`@openai.call_async("gpt-4o", stream=True)` for `async def` functions."""


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
    tool_choice: str | Mapping[str, Any]
    top_logprobs: int | None
    top_p: float | None
    user: str


class OpenAIDynamicConfig(BaseDynamicConfig, total=False):
    """What a function decorated with `openai.call` may return."""

    client: OpenAI | AsyncOpenAI | None
