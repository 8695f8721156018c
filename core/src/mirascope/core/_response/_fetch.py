"""Calls that are not streamed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from .. import _observers
from .._errors import (
    APIError,
    MirascopeError,
    PluginError,
    ProviderTimeoutError,
    StreamDecodeError,
    describe,
    error_from_status,
)
from .._provider._accumulate import Accumulator
from .._provider._faults import new_decoder
from .._provider._halves import Halves
from .._request._prepared import PreparedCall
from .._scrub import forget
from .._tools._base_tool import ToolCall
from .._transport._blocked_loop import warn_of_blocked_loop
from .._transport._in_thread import load
from .._transport._opening import Attempt, DeadlinePassed, Opening, OpeningFailed
from .._transport._own_task import in_own_task
from .._types import JSONObject
from ._call_response import BaseCallResponse
from ._failures import fetching_failure, shown
from ._picture import StreamPicture


def fetch(call: PreparedCall) -> BaseCallResponse[Any]:
    """Send a call and return the whole answer.

    Raises:
        APIError: the request failed, or its response can't be read.
    """
    warn_of_blocked_loop(
        "a synchronous call is made inside a running event loop, and no other task runs while it "
        "waits: decorate an 'async def' and await it"
    )
    start = time.time()
    seconds = call.timeouts.get("total")
    found: BaseCallResponse[Any] | BaseException
    attempt = Attempt[tuple[Any, JSONObject]](discard=lambda _: None)
    try:
        # In a thread of its own, deadline or not: an SDK takes what a signal handler raises for a
        # fault of the connection, and sends its request again.
        obj, data = attempt.run(call.fetch, None if seconds is None else time.monotonic() + seconds)
    except DeadlinePassed:
        found = _too_late(call, seconds)
    except OpeningFailed as failed:
        found = fetching_failure(call, failed.error)
    except BaseException as error:
        # Ctrl-C, or what a signal handler raised while this waited: it passes unchanged.
        forget(error)
        raise
    else:
        found = _response(call, obj, data, attempt.opening.start_time(start))
        # What the server sent may be what an error hides.
        del obj, data
    if isinstance(found, BaseException):
        # Outside of the handler, where it would get the raw exception as its context.
        raise found
    return found


async def fetch_async(call: PreparedCall) -> BaseCallResponse[Any]:
    """Send a call and return the whole answer, asynchronously.

    Raises:
        APIError: the request failed, or its response can't be read.
    """
    start = time.time()
    seconds = call.timeouts.get("total")
    found: BaseCallResponse[Any] | BaseException
    scope = asyncio.timeout(seconds)
    opening = Opening()
    try:
        async with scope:
            await load(call.provider)
            obj, data = await in_own_task(call.fetch_async, opening)
    except Exception as error:
        if scope.expired() and type(error) is TimeoutError:
            found = _too_late(call, seconds)
        else:
            found = fetching_failure(call, error)
    except BaseException as error:
        # The task was cancelled, or Ctrl-C.
        forget(error)
        raise
    else:
        found = _response(call, obj, data, opening.start_time(start))
        del obj, data
    if isinstance(found, BaseException):
        raise found
    return found


def take_whole(call: PreparedCall, data: JSONObject, answer: Accumulator) -> list[ToolCall]:
    """Take in an answer that was not streamed, and return the tool calls in it.

    Raises:
        PluginError: the provider's decoder can't be made.
        Exception: whatever the decoder makes of an answer that it can't read.
    """
    deltas = new_decoder(call.provider, call.model).decode_response(data)
    calls = answer.add(Halves().join(deltas)) or []
    return calls + answer.end_calls()


def _too_late(call: PreparedCall, seconds: float | None) -> ProviderTimeoutError:
    return ProviderTimeoutError(
        f"no answer came within {seconds:g} s (timeout 'total')",
        provider=call.provider.name,
        model=call.model,
    )


def _response(
    call: PreparedCall, obj: Any, data: JSONObject, start: float
) -> BaseCallResponse[Any] | MirascopeError:
    """Return the response, or why there is none."""
    answer = Accumulator()
    failure: APIError | None = None
    calls: list[ToolCall] = []
    try:
        if type(data) is not dict:
            raise TypeError(f"it is a {type(data).__name__!r}, not a JSON object")
        calls = take_whole(call, data, answer)
        # A reader of events would have said that the answer never came to its end.
        if not (answer.ended or answer.finished or answer.blocks or answer.error):
            raise ValueError("there is no answer in it")
    except PluginError as error:
        failure = error
    except Exception as error:
        failure = StreamDecodeError(
            f"the response can't be read: {describe(error)}",
            provider=call.provider.name,
            model=call.model,
        )
        failure.__cause__ = error
        failure.stream = StreamPicture.of_call(call, answer)
    if failure is None and answer.error is not None:
        failure = error_from_status(
            answer.error.status or 500,
            answer.error.message,
            code=answer.error.code,
            provider=call.provider.name,
            model=call.model,
        )
    if failure is not None:
        return shown(call, failure)
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
