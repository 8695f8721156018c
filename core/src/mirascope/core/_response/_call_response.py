"""The response of a call that was not streamed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, NoReturn, Self

from typing_extensions import TypeVar, override

from .._errors import NotCopyableError
from .._provider._accumulate import Accumulator
from .._request._prepared import PreparedCall
from .._state import StreamState
from .._tools._base_tool import BaseTool
from ._call_result import CallResult
from ._notebook import markdown
from ._picture import StreamPicture

ResponseObjectT = TypeVar("ResponseObjectT", default=Any, covariant=True)


class BaseCallResponse(CallResult, Generic[ResponseObjectT]):
    """An answer, what it cost, and the provider's own response object."""

    _is_carried = False

    def __init__(
        self,
        call: PreparedCall,
        answer: Accumulator,
        response: Callable[[], ResponseObjectT],
        *,
        tools: list[BaseTool],
        start_time: float,
        end_time: float,
        state: StreamState = StreamState.COMPLETED,
    ) -> None:
        super().__init__(call, answer, tools, start_time=start_time)
        self._ended_at = end_time
        self._build_response = response
        self._state = state

    def __str__(self) -> str:
        return self.content

    def __iter__(self) -> NoReturn:
        self._refuse_loop("for")

    def __aiter__(self) -> NoReturn:
        self._refuse_loop("async for")

    def _refuse_loop(self, loop: str) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} is a whole answer and not a stream: give the decorator "
            f"stream=True to use '{loop}', or read its content"
        )

    def __reduce_ex__(self, protocol: object) -> Any:
        if self._is_carried:
            return StreamPicture.picture, (self.picture(),)
        raise NotCopyableError(
            f"{type(self).__name__} can't be pickled or deep-copied, it belongs to its call: keep "
            "response.picture(), which has the answer as data"
        )

    def carried(self) -> Self:
        """Return the response for a value to carry: where that is copied, it becomes a picture."""
        carried = self.__copy__()
        carried._is_carried = True
        return carried

    def __copy__(self) -> Self:
        copied = object.__new__(type(self))
        vars(copied).update(vars(self))
        return copied

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.provider}/{self.model} {self.content!r}>"

    def _repr_markdown_(self) -> str:
        return markdown(self)

    def picture(self) -> StreamPicture:
        """Return the answer as data that can be pickled and copied."""
        return StreamPicture.of(self)

    @cached_property
    def response(self) -> ResponseObjectT:
        """The provider's own response object, built on first read and kept."""
        return self._made("response", self._build_response)

    @property
    def tool(self) -> BaseTool | None:
        """The first tool call, or None."""
        return self._tools[0] if self._tools else None

    @override
    def _ended(self, what: str) -> Accumulator:
        return self._answer

    @property
    @override
    def _end_time(self) -> float:
        return self._ended_at

    @property
    @override
    def state(self) -> StreamState:
        """How the answer ended: `completed`, or the state of a stream that was left or failed."""
        return self._state
