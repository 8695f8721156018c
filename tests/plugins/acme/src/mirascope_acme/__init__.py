"""Acme's language models."""

from mirascope import core

from ._provider import AcmeProvider
from ._stream import AcmeAsyncStream, AcmeChunk, AcmeStream

__all__ = ["AcmeAsyncStream", "AcmeChunk", "AcmeProvider", "AcmeStream", "call", "call_async"]

PROVIDER = AcmeProvider()

call = core.Call[core.BaseCallResponse[core.JSONObject], AcmeStream, AcmeAsyncStream](PROVIDER)
"""`@acme.call("acme-large", stream=True)`."""
call_async = core.AsyncCall[core.BaseCallResponse[core.JSONObject], AcmeAsyncStream](PROVIDER)
"""The same for `async def` functions."""
