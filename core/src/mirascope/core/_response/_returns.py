"""What a call returns: its response or its stream, or what a decorator wants of them."""

from __future__ import annotations

from typing import Any

from .._request._response_options import ResponseOptions
from ._async_stream import BaseAsyncStream
from ._async_structured_stream import AsyncStructuredStream
from ._call_response import BaseCallResponse
from ._stream import BaseStream
from ._structured_result import answered
from ._structured_stream import StructuredStream


def returned(options: ResponseOptions, response: BaseCallResponse[Any]) -> Any:
    """Return the result of a call that was not streamed.

    Raises:
        ResponseModelError: the answer is not a value of the response model.
    """
    if options.model is not None:
        return answered(response, options.model, options.mode)
    return response if options.parser is None else options.parser(response)


def streamed(options: ResponseOptions, stream: BaseStream[Any]) -> Any:
    """Return the result of a call with `stream=True`."""
    if options.model is None:
        return stream
    return StructuredStream(stream, options.model, options.mode)


def streamed_async(options: ResponseOptions, stream: BaseAsyncStream[Any]) -> Any:
    """The same of an asynchronous call."""
    if options.model is None:
        return stream
    return AsyncStructuredStream(stream, options.model, options.mode)
