"""The response of a call that was not streamed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from typing_extensions import TypeVar, override

from .._provider._accumulate import Accumulator
from .._request._prepared import PreparedCall
from .._tools._base_tool import BaseTool
from ._call_result import CallResult

ResponseObjectT = TypeVar("ResponseObjectT", default=Any, covariant=True)


class BaseCallResponse(CallResult, Generic[ResponseObjectT]):
    """An answer, what it cost, and the provider's own response object."""

    def __init__(
        self,
        call: PreparedCall,
        answer: Accumulator,
        response: Callable[[], ResponseObjectT],
        *,
        tools: list[BaseTool],
        start_time: float,
        end_time: float,
        completed: bool = True,
    ) -> None:
        self._call = call
        self._answer = answer
        self._response = response
        self._tools = tools
        self._start_time = start_time
        self._end_time = end_time
        self._is_completed = completed
        self._cost = None
        self._cost_known = False

    def __str__(self) -> str:
        return self.content

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.provider}/{self.model} {self.content!r}>"

    @property
    def response(self) -> ResponseObjectT:
        """The provider's own response object."""
        return self._response()

    @property
    def tool(self) -> BaseTool | None:
        """The first tool call, or None."""
        return self._tools[0] if self._tools else None

    @override
    def _ended(self, what: str) -> Accumulator:
        return self._answer

    @property
    @override
    def _completed(self) -> bool:
        return self._is_completed
