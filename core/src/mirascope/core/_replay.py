"""Recorded responses as streams, through the provider's real decoder; nothing is sent."""

from __future__ import annotations

import asyncio
import copy
import math
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast, overload

from pydantic_core import from_json
from typing_extensions import TypeForm, override

from ._errors import APIError, MissingFileError, UnreadableFileError, UsageError, describe
from ._provider._accumulate import Accumulator
from ._provider._provider import Provider, Request
from ._recording._format import Recording
from ._request._prepared import PreparedCall
from ._request._stream_config import check_partial_tools
from ._response._async_stream import BaseAsyncStream
from ._response._async_structured_stream import AsyncStructuredStream
from ._response._fetch import take_whole
from ._response._stream import BaseStream
from ._response._structured_stream import StructuredStream
from ._structured._response_model import ResponseModel
from ._tools._base_tool import ToolLike
from ._tools._toolset import Toolset
from ._transport._connection import Connection
from ._transport._source import AsyncSource, Piece, Source
from ._types import JSONObject
from .plugins._in_use import use_plugins

T = TypeVar("T")


class ReplaySource:
    """A source over a recording, at its own pace or at another one.

    Args:
        recording: the recording.
        speed: how many times as fast as it came; 0 is without waiting.
    """

    def __init__(self, recording: Recording, speed: float = 0) -> None:
        self.request_id = recording.request_id
        self._recording = recording
        self._speed = speed
        self._aborted = threading.Event()
        self.begun = False
        """Whether it was asked for."""

    @property
    def body(self) -> bytes:
        """The body as it was recorded."""
        return self._recording.body

    def __iter__(self) -> Iterator[Piece]:
        start = time.monotonic()
        for t, what in self._schedule():
            delay = start + t - time.monotonic()
            if self._aborted.is_set() or (delay > 0 and self._aborted.wait(delay)):
                return
            yield _piece(what)

    async def __aiter__(self) -> AsyncIterator[Piece]:
        start = time.monotonic()
        for t, what in self._schedule():
            # Also without a wait other tasks get their turn, as they do on a real response.
            await asyncio.sleep(max(0.0, start + t - time.monotonic()))
            yield _piece(what)

    def abort(self) -> None:
        """End a wait in another thread."""
        self._aborted.set()

    def close(self) -> None:
        """Nothing to release."""

    async def aclose(self) -> None:
        """Nothing to release."""

    def _schedule(self) -> Iterator[tuple[float, Any]]:
        """Yield the reads, and the error behind them, each with the seconds to wait for it."""
        recording = self._recording
        pace = 1 / self._speed if self._speed else 0.0
        for read in recording.reads:
            yield read.t * pace, read.piece
        error = recording.ending_error()
        if error is not None:
            # A stream that its reader had left may have been closed much later.
            waited = recording.end is not None and recording.end.error is not None
            yield (recording.end.t * pace if recording.end is not None and waited else 0.0), error


def _piece(what: Any) -> Piece:
    if isinstance(what, APIError):
        raise what
    # Its own copy for each replay, because whoever reads a chunk may change what is in it.
    return what if isinstance(what, bytes) else (None, copy.deepcopy(what))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall(PreparedCall):
    """A call whose response is there already.

    Attributes:
        response: the response.
        recorded_facts: what the recording says of how the request was served.
    """

    is_replay = True
    response: ReplaySource
    recorded_facts: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    @override
    def facts(self) -> Mapping[str, str]:
        return self.recorded_facts

    @override
    def send(self) -> Source:
        self.response.begun = True
        return self.response

    @override
    async def send_async(self) -> AsyncSource:
        self.response.begun = True
        return self.response

    @override
    def fetch(self) -> tuple[Any, JSONObject]:
        self.response.begun = True
        data: JSONObject = from_json(self.response.body)
        answer = Accumulator()
        try:
            take_whole(self, data, answer)
        except Exception:
            # Whoever reads it next says what is wrong with it.
            return data, data
        # What was recorded is the JSON: the SDK's object is made as that of a stream is.
        made = self.provider.response_object(answer)
        return data if isinstance(made, dict) else made, data

    @override
    async def fetch_async(self) -> tuple[Any, JSONObject]:
        return self.fetch()


@overload
def stream_from(
    recording: Recording | bytes | str | os.PathLike[str],
    *,
    response_model: TypeForm[T],
    speed: float = 0,
    tools: Sequence[ToolLike] = (),
    provider: str | Provider | None = None,
    api: str | None = None,
) -> StructuredStream[T]: ...
@overload
def stream_from(
    recording: Recording | bytes | str | os.PathLike[str],
    *,
    speed: float = 0,
    tools: Sequence[ToolLike] = (),
    partial_tools: bool = False,
    provider: str | Provider | None = None,
    api: str | None = None,
    response_model: None = None,
) -> BaseStream[Any]: ...
def stream_from(
    recording: Recording | bytes | str | os.PathLike[str],
    *,
    speed: float = 0,
    tools: Sequence[ToolLike] = (),
    partial_tools: bool = False,
    provider: str | Provider | None = None,
    api: str | None = None,
    response_model: Any = None,
) -> Any:
    """Return a stream that reads a recording through its provider's real decoder.

    It is the provider's own stream class, with the recorded request's properties, and it ends as
    the recorded stream ended. A recording that was cut, or whose stream was left by its reader,
    ends with a `StreamTruncatedError` unless the provider's own end is in it.

    Args:
        recording: a recording, its bytes, or the path of its file; also a bare response body.
        speed: how many times as fast as it came: 1 is the original pace, 0 is without waiting.
        tools: the tools that the call had; without them, tool calls are of unknown tools.
        partial_tools: whether tools are yielded while their arguments arrive; not with a
            `response_model`.
        provider: whose response it is, by name or itself; by default the one that the recording
            names. A bare body names none.
        api: one of the provider's wire APIs, by default the recorded one.
        response_model: the type of the value that the answer is; then the stream is a
            `StructuredStream` of it. The value is the text, or the arguments of a call of the tool
            that is named like the type.

    Raises:
        UnreadableFileError: the file can't be read; `MissingFileError` where it does not exist.
        UsageError: this version can't read the recording, it is a bare body without a provider,
            `speed` is negative, or `partial_tools` is given with a `response_model`.
        ProviderError: the provider's plugin can't be used.
    """
    check_partial_tools(partial_tools, response_model)
    call = _recorded_call(recording, speed, tools, provider, api, partial_tools=partial_tools)
    stream = call.provider.stream_class(call)
    return stream if response_model is None else StructuredStream(stream, _model(response_model))


@overload
def stream_from_async(
    recording: Recording | bytes | str | os.PathLike[str],
    *,
    response_model: TypeForm[T],
    speed: float = 0,
    tools: Sequence[ToolLike] = (),
    provider: str | Provider | None = None,
    api: str | None = None,
) -> AsyncStructuredStream[T]: ...
@overload
def stream_from_async(
    recording: Recording | bytes | str | os.PathLike[str],
    *,
    speed: float = 0,
    tools: Sequence[ToolLike] = (),
    partial_tools: bool = False,
    provider: str | Provider | None = None,
    api: str | None = None,
    response_model: None = None,
) -> BaseAsyncStream[Any]: ...
def stream_from_async(
    recording: Recording | bytes | str | os.PathLike[str],
    *,
    speed: float = 0,
    tools: Sequence[ToolLike] = (),
    partial_tools: bool = False,
    provider: str | Provider | None = None,
    api: str | None = None,
    response_model: Any = None,
) -> Any:
    """Return an asynchronous stream that reads a recording; see `stream_from`.

    A file is read at once, here; give a `Recording` that was read before to an event loop that
    must not wait for a disk.
    """
    check_partial_tools(partial_tools, response_model)
    call = _recorded_call(recording, speed, tools, provider, api, partial_tools=partial_tools)
    stream = call.provider.async_stream_class(call)
    if response_model is None:
        return stream
    return AsyncStructuredStream(stream, _model(response_model))


def _model(response_model: Any) -> ResponseModel[Any]:
    model = ResponseModel[Any](response_model)
    if model.filled:
        raise UsageError(
            f"response_model={model.shown} has fields that are FromCallArgs(), and a recording has "
            "no arguments of a call: read it as a model without them"
        )
    return model


def provider_of(
    recording: Recording, provider: str | Provider | None = None, api: str | None = None
) -> Provider:
    """Return whose decoder reads a recording; see `stream_from`.

    Raises:
        UsageError: neither the recording nor the caller names a provider.
        ProviderError: the provider's plugin can't be used.
    """
    if isinstance(provider, Provider):
        return provider
    if provider is None and recording.provider is None:
        what = repr(recording.name) if recording.name else "this"
        raise UsageError(
            f"{what} is not a recording: if it is a bare response body, name its provider "
            "(provider=)"
        )
    from .plugins import load_provider

    name = provider or recording.provider or ""
    if api is None and name == recording.provider:
        api = recording.api
    return load_provider(name, api)


def _read(path: object) -> Recording:
    if not isinstance(path, (str, os.PathLike)):
        raise UsageError(
            f"a recording is a path, the bytes of a file, or a Recording, not {path!r}"
        )
    given = cast("str | os.PathLike[str]", path)
    try:
        return Recording.read(given)
    except OSError as error:
        reason = error.strerror or describe(error)
        missing = isinstance(error, FileNotFoundError)
        error_class = MissingFileError if missing else UnreadableFileError
        raise error_class(
            f"the recording {os.fspath(given)!r} can't be read: {reason}; give the path of a file "
            "that record= or 'mirascope run --record' has written"
        ) from error


def _recorded_call(
    recording: Recording | bytes | str | os.PathLike[str],
    speed: float,
    tools: Sequence[ToolLike],
    provider: str | Provider | None,
    api: str | None,
    *,
    partial_tools: bool,
) -> RecordedCall:
    if isinstance(speed, bool) or not (math.isfinite(speed) and speed >= 0):
        raise UsageError(f"speed must be 0 or a positive number, not {speed!r}")
    if isinstance(recording, bytes):
        recording = Recording.parse(recording)
    elif not isinstance(recording, Recording):
        recording = _read(recording)
    kwargs = copy.deepcopy(dict(recording.request))
    messages = recording.messages
    whose = provider_of(recording, provider, api)
    use_plugins(whose.name)
    return RecordedCall(
        provider=whose,
        model=recording.model,
        request=Request(messages=copy.deepcopy(messages), kwargs=kwargs),
        connection=Connection(),
        toolset=Toolset(tools),
        partial_tools=partial_tools,
        call_params={},
        timeouts={},
        fn_args={},
        prompt_template=None,
        metadata=copy.deepcopy(dict(recording.metadata)),
        sent_at=None if recording.date is None else recording.date.timestamp(),
        response=ReplaySource(recording, speed),
        recorded_facts=recording.facts,
    )
