"""The hooks that a plugin may implement.

A hook implementation may take fewer arguments than its specification. Hooks are called once for a
stream at most, never for a chunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import pluggy

from .._errors import MirascopeError
from .._prices._cost import Cost
from .._prices._usage import Usage
from ._spec import ProviderSpec

if TYPE_CHECKING:
    from .._response._call_result import CallResult
    from .._response._stream_base import StreamBase

PROJECT: Final = "mirascope"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook of its name."""


class ProviderHooks:
    """The specifications."""

    @hookspec
    def mirascope_provider(self) -> ProviderSpec:
        """Describe the one provider that this plugin adds."""
        raise NotImplementedError  # a specification is never called

    @hookspec(firstresult=True)
    def mirascope_cost(self, provider: str, model: str, usage: Usage) -> Cost | None:
        """Price a response instead of the provider's own table, or return None."""

    @hookspec(historic=True)
    def mirascope_configure(self, settings: Mapping[str, Any]) -> None:
        """See the application's settings; a plugin that is loaded later sees them too."""

    @hookspec
    def mirascope_stream_started(self, stream: StreamBase[Any]) -> None:
        """A stream's request is about to be sent."""

    @hookspec
    def mirascope_stream_finished(self, stream: StreamBase[Any]) -> None:
        """A stream has ended without an error; `stream.state` has the ending."""

    @hookspec
    def mirascope_stream_failed(self, stream: StreamBase[Any], error: MirascopeError) -> None:
        """A stream has ended with an error."""

    @hookspec
    def mirascope_call_finished(self, result: CallResult) -> None:
        """A call has its answer, streamed or not: its usage and its cost can be read.

        Streams come here however they ended, once the provider had begun to answer; what never had
        an answer does not.
        """
