"""The decorators for compatible servers."""

from __future__ import annotations

from mirascope.core import AsyncCall, Call

from ._call_response import CompatibleCallResponse
from ._provider import CompatibleProvider
from ._stream import CompatibleAsyncStream, CompatibleStream

PROVIDER = CompatibleProvider()

call = Call[CompatibleCallResponse, CompatibleStream, CompatibleAsyncStream](PROVIDER)
"""`@compatible.call("model", base_url="http://127.0.0.1:8080/v1", stream=True)`."""
call_async = AsyncCall[CompatibleCallResponse, CompatibleAsyncStream](PROVIDER)
"""The same for `async def` functions."""
