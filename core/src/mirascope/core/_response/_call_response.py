"""The response of a call that was not streamed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
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
        super().__init__(call, answer, tools, start_time=start_time, end_time=end_time)
        self._build_response = response
        self._is_completed = completed

    def __str__(self) -> str:
        return self.content

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.provider}/{self.model} {self.content!r}>"

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
    def _completed(self) -> bool:
        return self._is_completed
