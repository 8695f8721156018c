"""Streams."""

from mirascope.core import BaseAsyncStream, BaseStream

from ._call_response_chunk import AcmeCallResponseChunk


class AcmeStream(BaseStream[AcmeCallResponseChunk]):
    """A stream from Acme."""


class AcmeAsyncStream(BaseAsyncStream[AcmeCallResponseChunk]):
    """An asynchronous stream from Acme."""
