"""Calls that are not streamed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from .. import _observers
from .._errors import ProviderTimeoutError, StreamDecodeError, describe, error_from_status
from .._interruptions import interruption
from .._provider._accumulate import Accumulator
from .._provider._halves import Halves
from .._request._prepared import PreparedCall
from .._transport._opening import Attempt, DeadlinePassed, Opening, OpeningFailed
from .._types import JSONObject
from ._call_response import BaseCallResponse


def fetch(call: PreparedCall) -> BaseCallResponse[Any]:
    """Send a call and return the whole answer.

    Raises:
        APIError: the request failed, or its response can't be read.
    """
    start = time.time()
    seconds = call.timeouts.get("total")

    def send() -> tuple[Any, JSONObject]:
        return call.provider.fetch(call.request, call.connection)

    attempt = Attempt[tuple[Any, JSONObject]](discard=lambda _: None)
    try:
        if seconds is None:
            obj, data = attempt.run_here(send)
        else:
            obj, data = attempt.run(send, time.monotonic() + seconds)
    except DeadlinePassed:
        raise _too_late(call, seconds) from None
    except OpeningFailed as failed:
        failure = _failure(call, failed.error)
        raise failure from failure.__cause__
    return _response(call, obj, data, start)


async def fetch_async(call: PreparedCall) -> BaseCallResponse[Any]:
    """Send a call and return the whole answer, asynchronously.

    Raises:
        APIError: the request failed, or its response can't be read.
    """
    start = time.time()
    seconds = call.timeouts.get("total")
    scope = asyncio.timeout(seconds)
    try:
        async with scope:
            with Opening().as_current():
                obj, data = await call.provider.fetch_async(call.request, call.connection)
    except Exception as error:
        if scope.expired() and type(error) is TimeoutError:
            raise _too_late(call, seconds) from None
        failure = _failure(call, error)
        raise failure from failure.__cause__
    return _response(call, obj, data, start)


def _failure(call: PreparedCall, error: Exception) -> BaseException:
    """Return what an exception of the request means."""
    if (outside := interruption(error)) is not None:
        # A signal handler raised it while this waited: it passes unchanged.
        return outside
    return call.opening_error(error)


def _too_late(call: PreparedCall, seconds: float | None) -> ProviderTimeoutError:
    return ProviderTimeoutError(
        f"no answer came within {seconds:g} s (timeout 'total')",
        provider=call.provider.name,
        model=call.model,
    )


def _response(
    call: PreparedCall, obj: Any, data: JSONObject, start: float
) -> BaseCallResponse[Any]:
    answer = Accumulator()
    try:
        deltas = call.provider.decoder().decode_response(data)
        calls = answer.add(Halves().join(deltas)) or []
    except Exception as error:
        raise StreamDecodeError(
            f"the response can't be read: {describe(error)}",
            provider=call.provider.name,
            model=call.model,
        ) from error
    calls += answer.end_calls()
    if answer.error is not None:
        raise error_from_status(
            answer.error.status or 500,
            answer.error.message,
            code=answer.error.code,
            provider=call.provider.name,
            model=call.model,
        )
    response = call.provider.response_class(
        call,
        answer,
        lambda: obj,
        tools=[call.toolset.resolve(tool_call) for tool_call in calls],
        start_time=start,
        end_time=time.time(),
    )
    _observers.call_finished(response)
    return response
