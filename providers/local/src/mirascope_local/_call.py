"""The decorators for the embedded model."""

from __future__ import annotations

from mirascope.core import AsyncCall, BaseDynamicConfig, BaseTool, Call, MessageParam

from ._call_response import LocalCallResponse
from ._provider import LocalProvider
from ._stream import LocalAsyncStream, LocalStream

PROVIDER = LocalProvider()

call = Call[LocalCallResponse, LocalStream, LocalAsyncStream](PROVIDER)
"""`@local.call("smollm2-135m", stream=True)`, or the path of a GGUF file as the model."""
call_async = AsyncCall[LocalCallResponse, LocalAsyncStream](PROVIDER)
"""The same for `async def` functions."""
LocalMessageParam = MessageParam
"""A message of a call."""
LocalDynamicConfig = BaseDynamicConfig
"""What a function decorated with `local.call` may return."""
LocalTool = BaseTool
"""A tool call."""
AsyncLocalDynamicConfig = LocalDynamicConfig
"""What an `async def` may return: the same, for `client` takes clients of both kinds."""
local_call = call
"""`call`, by a name that needs no module before it."""
