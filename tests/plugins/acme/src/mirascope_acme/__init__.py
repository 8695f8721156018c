"""Acme's language models."""

from mirascope.core import AsyncCall, BaseCallResponse, Call, JSONObject

from ._call_response_chunk import AcmeCallResponseChunk
from ._decode import AcmeDecoder
from ._provider import AcmeProvider
from ._stream import AcmeAsyncStream, AcmeStream

__all__ = [
    "AcmeAsyncStream",
    "AcmeCallResponseChunk",
    "AcmeDecoder",
    "AcmeProvider",
    "AcmeStream",
    "call",
    "call_async",
]

PROVIDER = AcmeProvider()

call = Call[BaseCallResponse[JSONObject], AcmeStream, AcmeAsyncStream](PROVIDER)
"""`@acme.call("acme-large", stream=True)`."""
call_async = AsyncCall[BaseCallResponse[JSONObject], AcmeAsyncStream](PROVIDER)
"""The same for `async def` functions."""
