"""What `stream=` takes besides True and False."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from .._errors import UsageError


@with_config(ConfigDict(extra="forbid"))
class StreamConfig(TypedDict, total=False):
    """How a call is streamed: `stream={"partial_tools": True}`."""

    partial_tools: bool
    """Whether tools are yielded while their arguments arrive, as `tool.is_partial`."""


def parse_stream(given: object) -> tuple[bool, bool]:
    """Return whether a call is streamed, and whether it yields partial tools.

    Raises:
        UsageError: it is neither True, False nor a `StreamConfig`.
    """
    if isinstance(given, bool):
        return given, False
    if not isinstance(given, Mapping):
        raise UsageError(f"stream must be True, False or {{'partial_tools': True}}, not {given!r}")
    config = cast("Mapping[str, object]", given)
    if unknown := config.keys() - StreamConfig.__annotations__.keys():
        names = ", ".join(map(repr, sorted(map(str, unknown))))
        raise UsageError(f"stream has no {names}; it takes: partial_tools")
    partial_tools = config.get("partial_tools", False)
    if not isinstance(partial_tools, bool):
        raise UsageError(f"partial_tools must be True or False, not {partial_tools!r}")
    return True, partial_tools


def check_partial_tools(partial_tools: bool, response_model: object) -> None:
    """Refuse partial tools of a stream that yields partials of a value, and no tools.

    Raises:
        UsageError: both are asked for.
    """
    if partial_tools and response_model is not None:
        raise UsageError(
            "partial_tools can't be given with a response_model, whose stream yields partials of "
            "the value and no tools: leave one of them out"
        )
