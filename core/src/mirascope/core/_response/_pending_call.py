"""A call of an `async def` until it is awaited: who forgot the `await` is told so here."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Coroutine, Generator
from types import FunctionType
from typing import Any, NoReturn, cast

from typing_extensions import override

from ._useless_retry import warn_of_useless_retry


class PendingCall(Coroutine[Any, Any, Any]):
    """The coroutine of a call, which refuses what only its result can do.

    Args:
        coroutine: the call.
        name: the decorated function's name.
        stream: whether the result is a stream.
    """

    __slots__ = ("__weakref__", "_coroutine", "_name", "_stream")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], name: str, *, stream: bool) -> None:
        self._coroutine = coroutine
        self._name = name
        self._stream = stream

    @override
    def send(self, value: Any, /) -> Any:
        return self._coroutine.send(value)

    @override
    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)

    @override
    def close(self) -> None:
        self._coroutine.close()

    @override
    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()

    def __repr__(self) -> str:
        return f"<call of {self._name!r} that was not awaited>"

    def __aiter__(self) -> NoReturn:
        self._refuse()

    def __iter__(self) -> NoReturn:
        self._refuse()

    def __enter__(self) -> NoReturn:
        self._refuse()

    def __exit__(self, *_: object) -> None:
        """Only looked up: `__enter__` raises."""

    async def __aenter__(self) -> NoReturn:
        self._refuse()

    async def __aexit__(self, *_: object) -> None:
        """Only looked up: `__aenter__` raises."""

    def __getattr__(self, name: str) -> Any:
        # asyncio and debuggers ask a coroutine where it stands.
        if name.startswith(("cr_", "__")):
            return getattr(self._coroutine, name)
        raise AttributeError(
            f"the call of {self._name!r} has no {name!r} before it is awaited: write "
            f"(await {self._name}(…)).{name}",
            name=name,
        )

    def _refuse(self) -> NoReturn:
        # It is told here; Python would warn of the same once more.
        self._coroutine.close()
        loop = "async for chunk, tool in " if self._stream else ""
        raise TypeError(
            f"the call of {self._name!r} was not awaited: write '{loop}await {self._name}(…)'"
        )


def pending(
    call: Callable[..., Coroutine[Any, Any, Any]], name: str, *, stream: bool
) -> Callable[..., Any]:
    """Return a coroutine function whose coroutines are pending calls.

    Args:
        call: the coroutine function to call.
        name: the decorated function's name.
        stream: whether it returns a stream.
    """

    @functools.wraps(call)
    def call_model_pending(*args: Any, **kwargs: Any) -> PendingCall:
        if stream:
            warn_of_useless_retry(name)
        return PendingCall(call(*args, **kwargs), name, stream=stream)

    # The user's own function, and not what stands between.
    call_model_pending.__wrapped__ = getattr(call, "__wrapped__", call)
    # Frameworks ask whether a function is to be awaited before they call it.
    if sys.version_info >= (3, 12):
        return inspect.markcoroutinefunction(call_model_pending)
    made = cast("FunctionType", call_model_pending)
    # What Python 3.12 has a function for; 3.11 makes a coroutine where the code begins with an
    # instruction of its own, and reads this flag for `inspect` alone.
    made.__code__ = made.__code__.replace(co_flags=made.__code__.co_flags | inspect.CO_COROUTINE)
    return made
