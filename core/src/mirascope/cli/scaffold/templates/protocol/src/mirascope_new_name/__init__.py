"""The models of New Name."""

from mirascope import core

from ._provider import NewNameProvider
from ._stream import (
    NewNameAsyncStream,
    NewNameChunk,
    NewNameStream,
)

__all__ = [
    "NewNameAsyncStream",
    "NewNameChunk",
    "NewNameProvider",
    "NewNameStream",
    "call",
    "call_async",
]

PROVIDER = NewNameProvider()
Response = core.BaseCallResponse[core.JSONObject]
call = core.Call[Response, NewNameStream, NewNameAsyncStream](PROVIDER)
call_async = core.AsyncCall[Response, NewNameAsyncStream](PROVIDER)
