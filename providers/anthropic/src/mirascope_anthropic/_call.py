"""The decorators for Anthropic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from mirascope.core import AsyncCall, BaseDynamicConfig, BaseTool, Call, MessageParam
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from ._call_response import AnthropicCallResponse
from ._provider import AnthropicProvider
from ._stream import AnthropicAsyncStream, AnthropicStream

if TYPE_CHECKING:
    from anthropic import Anthropic, AsyncAnthropic, types

    AnthropicMessageParam = types.MessageParam
    """A message as the SDK types it; at run time any mapping, so that no SDK is imported for it."""
    _Client = Anthropic | AsyncAnthropic | None
else:
    # The SDK itself would take longer to import than the rest of this package.
    _Client = Any
    AnthropicMessageParam = MessageParam

PROVIDER = AnthropicProvider()

call = Call[AnthropicCallResponse, AnthropicStream, AnthropicAsyncStream](PROVIDER)
"""`@anthropic.call("claude-sonnet-5", stream=True)` for functions and `async def` functions."""
call_async = AsyncCall[AnthropicCallResponse, AnthropicAsyncStream](PROVIDER)
"""`@anthropic.call_async("claude-sonnet-5", stream=True)` for `async def` functions."""


@with_config(ConfigDict(extra="allow"))
class AnthropicCallParams(TypedDict, total=False):
    """The most used parameters of the API; any other one is accepted as well.

    https://docs.anthropic.com/en/api/messages
    """

    betas: Sequence[str]
    cache_control: Mapping[str, Any] | None
    container: str | Mapping[str, Any] | None
    extra_body: Mapping[str, Any]
    extra_headers: Mapping[str, str]
    inference_geo: str | None
    max_tokens: int
    metadata: Mapping[str, Any]
    output_config: Mapping[str, Any]
    service_tier: Literal["auto", "standard_only"]
    stop_sequences: Sequence[str]
    system: str | Sequence[Mapping[str, Any]]
    temperature: float
    thinking: Mapping[str, Any]
    tool_choice: str | Callable[..., Any] | Mapping[str, Any]
    tools: Sequence[Mapping[str, Any]]
    top_k: int
    top_p: float


class AnthropicDynamicConfig(BaseDynamicConfig, total=False):
    """What a function decorated with `anthropic.call` may return."""

    client: _Client


AnthropicTool = BaseTool
"""A tool call."""
AsyncAnthropicDynamicConfig = AnthropicDynamicConfig
"""What an `async def` may return: the same, for `client` takes clients of both kinds."""
anthropic_call = call
"""`call`, by a name that needs no module before it."""
