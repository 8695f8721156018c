"""What type checkers see of a decorated function."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, Generic, Never, ParamSpec, overload

from typing_extensions import TypeVar

P = ParamSpec("P")
Q = ParamSpec("Q")
SelfT = TypeVar("SelfT")
OwnerT = TypeVar("OwnerT", bound=type)
ResultT = TypeVar("ResultT", covariant=True)
ResponseT = TypeVar("ResponseT", covariant=True)
AsyncStreamT = TypeVar("AsyncStreamT", covariant=True)


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
