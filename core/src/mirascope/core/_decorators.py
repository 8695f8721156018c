"""The types of decorators, and of what they make of a function."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Concatenate, Generic, Literal, Never, ParamSpec, Protocol, overload

from typing_extensions import TypeVar

from ._recording._recorder import RecordTypes
from ._request._timeouts import TimeoutTypes
from ._tools._base_tool import ToolLike

P = ParamSpec("P")
Q = ParamSpec("Q")
SelfT = TypeVar("SelfT")
OwnerT = TypeVar("OwnerT", bound=type)
ResultT = TypeVar("ResultT", covariant=True)
ResponseT = TypeVar("ResponseT", covariant=True)
StreamT = TypeVar("StreamT", covariant=True)
AsyncStreamT = TypeVar("AsyncStreamT", covariant=True)
ApiT = TypeVar("ApiT", bound=str, contravariant=True)
Api2T = TypeVar("Api2T", bound=str, contravariant=True)
Response2T = TypeVar("Response2T", covariant=True)
Stream2T = TypeVar("Stream2T", covariant=True)
AsyncStream2T = TypeVar("AsyncStream2T", covariant=True)


class Decorated(ABC, Generic[P, ResultT, ResponseT, AsyncStreamT]):
    """What type checkers see of a decorated function, which at run time is a function.

    Calling it returns `ResponseT`, or a coroutine of `AsyncStreamT` where the function that was
    decorated is asynchronous. In a class it is a method.

    Type parameters: the function's parameters, what it returns itself, and what a call returns
    without and with `async def`.
    """

    __name__: str

    # An overload of the decorator could tell the two kinds of functions apart as well, but mypy
    # gives up where the result of a function has no type: it would match both. The type of `self`
    # is not asked that question, and of all types Any alone is taken for Never.
    @overload
    def __call__(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
        self: Decorated[P, Never, ResponseT, AsyncStreamT],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> ResponseT: ...
    @overload
    def __call__(
        self: Decorated[P, Awaitable[Any], ResponseT, AsyncStreamT],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Coroutine[Any, Any, AsyncStreamT]: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> ResponseT: ...
    @abstractmethod
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model."""

    @overload
    def __get__(
        self, instance: None, owner: Any, /
    ) -> Decorated[P, ResultT, ResponseT, AsyncStreamT]: ...
    @overload  # a class method, which pyright asks of the decorated function itself
    def __get__(
        self: Decorated[Concatenate[OwnerT, Q], ResultT, ResponseT, AsyncStreamT],
        instance: Any,
        owner: OwnerT,
        /,
    ) -> Decorated[Q, ResultT, ResponseT, AsyncStreamT]: ...
    @overload
    def __get__(
        self: Decorated[Concatenate[SelfT, Q], ResultT, ResponseT, AsyncStreamT],
        instance: SelfT,
        owner: Any,
        /,
    ) -> Decorated[Q, ResultT, ResponseT, AsyncStreamT]: ...
    @abstractmethod
    def __get__(self, instance: Any, owner: Any, /) -> Any:
        """Bind it to an instance, as functions are bound."""

    @property
    @abstractmethod
    def __wrapped__(self) -> Callable[P, ResultT]:
        """The function that was decorated."""


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
        stream: Literal[True],
        api: Api2T,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        response_model: None = None,
        json_mode: Literal[False] = False,
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
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: Literal[False] = False,
        output_parser: None = None,
        **params: Any,
    ) -> SyncOrAsyncDecorator[Response2T, Response2T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True],
        api: ApiT | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        response_model: None = None,
        json_mode: Literal[False] = False,
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
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: Literal[False] = False,
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
        stream: Literal[True],
        api: Api2T,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        response_model: None = None,
        json_mode: Literal[False] = False,
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
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: Literal[False] = False,
        output_parser: None = None,
        **params: Any,
    ) -> AsyncDecorator[Response2T]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True],
        api: ApiT | None = None,
        tools: Sequence[ToolLike] = (),
        client: Any = None,
        call_params: Mapping[str, Any] | None = None,
        timeout: TimeoutTypes = None,
        sdk_iteration: bool = False,
        record: RecordTypes = None,
        response_model: None = None,
        json_mode: Literal[False] = False,
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
        sdk_iteration: Literal[False] = False,
        record: None = None,
        response_model: None = None,
        json_mode: Literal[False] = False,
        output_parser: None = None,
        **params: Any,
    ) -> AsyncDecorator[ResponseT]: ...
