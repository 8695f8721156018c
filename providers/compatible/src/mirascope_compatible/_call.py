"""The decorators for compatible servers."""

from __future__ import annotations

from mirascope.core import AsyncCall, BaseDynamicConfig, BaseTool, Call, MessageParam

from ._call_response import CompatibleCallResponse
from ._provider import CompatibleProvider
from ._stream import CompatibleAsyncStream, CompatibleStream

PROVIDER = CompatibleProvider()

call = Call[CompatibleCallResponse, CompatibleStream, CompatibleAsyncStream](PROVIDER)
"""`@compatible.call("model", base_url="http://127.0.0.1:8080/v1", stream=True)`."""
call_async = AsyncCall[CompatibleCallResponse, CompatibleAsyncStream](PROVIDER)
"""The same for `async def` functions."""
CompatibleMessageParam = MessageParam
"""A message of a call."""
CompatibleDynamicConfig = BaseDynamicConfig
"""What a function decorated with `compatible.call` may return."""
CompatibleTool = BaseTool
"""A tool call."""
AsyncCompatibleDynamicConfig = CompatibleDynamicConfig
"""What an `async def` may return: the same, for `client` takes clients of both kinds."""
compatible_call = call
"""`call`, by a name that needs no module before it."""
