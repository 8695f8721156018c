"""The decorators for Gemini."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mirascope.core import AsyncCall, BaseDynamicConfig, BaseTool, Call, MessageParam
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from ._call_response import GoogleCallResponse
from ._provider import GoogleProvider
from ._stream import GoogleAsyncStream, GoogleStream

if TYPE_CHECKING:
    from google.genai import Client
    from google.genai.client import AsyncClient
    from google.genai.types import Content, GenerateContentConfig

    GoogleMessageParam = Content | MessageParam
    """A message as the SDK types it; at run time any mapping, so that no SDK is imported for it."""
    _Client = Client | AsyncClient | None
    _Config = GenerateContentConfig | Mapping[str, Any] | None
else:
    # The SDK itself would take longer to import than the rest of this package.
    _Client = _Config = Any
    GoogleMessageParam = MessageParam

PROVIDER = GoogleProvider()

call = Call[GoogleCallResponse, GoogleStream, GoogleAsyncStream](PROVIDER)
"""`@google.call("gemini-2.5-flash", stream=True)` for functions and `async def` functions."""
call_async = AsyncCall[GoogleCallResponse, GoogleAsyncStream](PROVIDER)
"""`@google.call_async("gemini-2.5-flash", stream=True)` for `async def` functions."""


@with_config(ConfigDict(extra="allow"))
class GoogleCallParams(TypedDict, total=False):
    """The most used parameters of the API; any other field of the config is accepted as well.

    https://googleapis.github.io/python-genai/genai.html#genai.types.GenerateContentConfig
    """

    cached_content: str | None
    candidate_count: int | None
    config: _Config
    frequency_penalty: float | None
    http_options: Mapping[str, Any] | None
    labels: Mapping[str, str] | None
    max_output_tokens: int | None
    presence_penalty: float | None
    response_json_schema: Any
    response_logprobs: bool | None
    response_mime_type: str | None
    response_modalities: Sequence[str] | None
    safety_settings: Sequence[Mapping[str, Any]] | None
    seed: int | None
    stop_sequences: Sequence[str] | None
    system_instruction: Any
    temperature: float | None
    thinking_config: Mapping[str, Any] | None
    tool_choice: str | Callable[..., Any]
    tool_config: Mapping[str, Any] | None
    top_k: float | None
    top_p: float | None


class GoogleDynamicConfig(BaseDynamicConfig, total=False):
    """What a function decorated with `google.call` may return."""

    client: _Client


GoogleTool = BaseTool
"""A tool call."""
AsyncGoogleDynamicConfig = GoogleDynamicConfig
"""What an `async def` may return: the same, for `client` takes clients of both kinds."""
google_call = call
"""`call`, by a name that needs no module before it."""
