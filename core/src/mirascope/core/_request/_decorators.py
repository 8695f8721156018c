"""The types of decorators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

from typing_extensions import TypeForm, TypeVar

from .._recording._recorder import RecordTypes
from .._structured._answer import ResponseMode
from .._tools._base_tool import ToolLike
from ._decorated import AsyncStreamT, Decorated, P, ResponseT, ResultT
from ._stream_config import StreamConfig
from ._timeouts import TimeoutTypes

if TYPE_CHECKING:
    from .._response._async_structured_stream import AsyncStructuredStream
    from .._response._structured_stream import StructuredStream

T = TypeVar("T")
StreamT = TypeVar("StreamT", covariant=True)
ApiT = TypeVar("ApiT", bound=str, contravariant=True)
Api2T = TypeVar("Api2T", bound=str, contravariant=True)
Response2T = TypeVar("Response2T", covariant=True)
Stream2T = TypeVar("Stream2T", covariant=True)
AsyncStream2T = TypeVar("AsyncStream2T", covariant=True)


class SyncOrAsyncDecorator(Protocol[ResponseT, StreamT]):
    """Decorates a function, or an `async def`, whose calls return `ResponseT` or `StreamT`."""

    def __call__(
        self, fn: Callable[P, ResultT], /
    ) -> Decorated[P, ResultT, ResponseT, StreamT]: ...


class AsyncDecorator(Protocol[AsyncStreamT]):
    """Decorates an `async def` whose awaited calls return `AsyncStreamT`."""

    def __call__(
        self, fn: Callable[P, Awaitable[Any]], /
    ) -> Callable[P, Coroutine[Any, Any, AsyncStreamT]]: ...


class APICall(
    Protocol[ApiT, ResponseT, StreamT, AsyncStreamT, Api2T, Response2T, Stream2T, AsyncStream2T]
):
    """What type checkers see of a `call` whose `api=` chooses between two wire APIs.

    `Call(provider, {"responses": …})` is one at run time. A provider with more APIs gives each a
    `Call` of its own.

    Type parameters, for the default API and then for the other one: its name as a `Literal`, and
    what a call returns without `stream=True`, with it, and with it on an `async def`.
    """

    @overload
    def __call__(
        self,
        model: str,
        *,
        response_model: TypeForm[T],
        stream: Literal[True],
        response_mode: ResponseMode | None = None,
        json_mode: bool = False,
        output_parser: None = None,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        **params: Any,
    ) -> SyncOrAsyncDecorator[StructuredStream[T], AsyncStructuredStream[T]]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        response_model: TypeForm[T],
        stream: Literal[False] = False,
        response_mode: ResponseMode | None = None,
        json_mode: bool = False,
        output_parser: None = None,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        **params: Any,
    ) -> SyncOrAsyncDecorator[T, T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        output_parser: Callable[[Response2T], T],
        stream: Literal[False] = False,
        api: Api2T,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: bool = False,
        **params: Any,
    ) -> SyncOrAsyncDecorator[T, T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        output_parser: Callable[[ResponseT], T],
        stream: Literal[False] = False,
        api: ApiT | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: bool = False,
        **params: Any,
    ) -> SyncOrAsyncDecorator[T, T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True] | StreamConfig,
        api: Api2T,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        response_model: None = None,
        json_mode: bool = False,
        output_parser: None = None,
        **params: Any,
    ) -> SyncOrAsyncDecorator[Stream2T, AsyncStream2T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        api: Api2T,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: bool = False,
        output_parser: None = None,
        **params: Any,
    ) -> SyncOrAsyncDecorator[Response2T, Response2T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True] | StreamConfig,
        api: ApiT | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        response_model: None = None,
        json_mode: bool = False,
        output_parser: None = None,
        **params: Any,
    ) -> SyncOrAsyncDecorator[StreamT, AsyncStreamT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        api: ApiT | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: bool = False,
        output_parser: None = None,
        **params: Any,
    ) -> SyncOrAsyncDecorator[ResponseT, ResponseT]: ...


class AsyncAPICall(Protocol[ApiT, ResponseT, AsyncStreamT, Api2T, Response2T, AsyncStream2T]):
    """The same of a `call_async`, whose synchronous streams are left out."""

    @overload
    def __call__(
        self,
        model: str,
        *,
        response_model: TypeForm[T],
        stream: Literal[True],
        response_mode: ResponseMode | None = None,
        json_mode: bool = False,
        output_parser: None = None,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        **params: Any,
    ) -> AsyncDecorator[AsyncStructuredStream[T]]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        response_model: TypeForm[T],
        stream: Literal[False] = False,
        response_mode: ResponseMode | None = None,
        json_mode: bool = False,
        output_parser: None = None,
        api: str | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        **params: Any,
    ) -> AsyncDecorator[T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        output_parser: Callable[[Response2T], T],
        stream: Literal[False] = False,
        api: Api2T,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: bool = False,
        **params: Any,
    ) -> AsyncDecorator[T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        output_parser: Callable[[ResponseT], T],
        stream: Literal[False] = False,
        api: ApiT | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: bool = False,
        **params: Any,
    ) -> AsyncDecorator[T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True] | StreamConfig,
        api: Api2T,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        response_model: None = None,
        json_mode: bool = False,
        output_parser: None = None,
        **params: Any,
    ) -> AsyncDecorator[AsyncStream2T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        api: Api2T,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: bool = False,
        output_parser: None = None,
        **params: Any,
    ) -> AsyncDecorator[Response2T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True] | StreamConfig,
        api: ApiT | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        response_model: None = None,
        json_mode: bool = False,
        output_parser: None = None,
        **params: Any,
    ) -> AsyncDecorator[AsyncStreamT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        api: ApiT | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        max_bytes: int | None = None,
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: bool = False,
        output_parser: None = None,
        **params: Any,
    ) -> AsyncDecorator[ResponseT]: ...
