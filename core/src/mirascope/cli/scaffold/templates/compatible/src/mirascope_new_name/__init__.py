"""The models of New Name: a server that speaks chat completions."""

import mirascope_compatible as compatible
from mirascope.core import AsyncCall, Call

__all__ = [
    "NewNameAsyncStream",
    "NewNameChunk",
    "NewNameProvider",
    "NewNameStream",
    "call",
    "call_async",
]


class NewNameChunk(compatible.CompatibleCallResponseChunk):
    """A chunk; properties for fields that only this server sends go here, out of `self.data`."""

    __slots__ = ()


class NewNameStream(compatible.CompatibleStream[NewNameChunk]):
    """A stream."""


class NewNameAsyncStream(compatible.CompatibleAsyncStream[NewNameChunk]):
    """An asynchronous stream."""


class NewNameProvider(compatible.CompatibleProvider):
    """The address, the key and the prices; the protocol is inherited."""

    name = "new_name"
    base_url = "https://api.new-name.example/v1"
    base_url_env = "NEW_NAME_BASE_URL"
    api_key_env = "NEW_NAME_API_KEY"
    stream_class = NewNameStream
    async_stream_class = NewNameAsyncStream
    prices_package = "mirascope_new_name"


PROVIDER = NewNameProvider()
Response = compatible.CompatibleCallResponse
call = Call[Response, NewNameStream, NewNameAsyncStream](PROVIDER)
call_async = AsyncCall[Response, NewNameAsyncStream](PROVIDER)
