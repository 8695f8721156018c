"""The decorators for the embedded model."""

from __future__ import annotations

from mirascope.core import AsyncCall, Call

from ._call_response import LocalCallResponse
from ._provider import LocalProvider
from ._stream import LocalAsyncStream, LocalStream

PROVIDER = LocalProvider()

call = Call[LocalCallResponse, LocalStream, LocalAsyncStream](PROVIDER)
"""`@local.call("smollm2-135m", stream=True)`, or the path of a GGUF file as the model."""
call_async = AsyncCall[LocalCallResponse, LocalAsyncStream](PROVIDER)
"""The same for `async def` functions."""
