"""A chunk of a message from Anthropic."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mirascope.core import BaseCallResponseChunk
from typing_extensions import override

if TYPE_CHECKING:
    from anthropic.types import (
        MessageDeltaUsage,
        RawMessageStreamEvent,  # noqa: F401 - named in a base class, as text
        Usage,
    )


class AnthropicCallResponseChunk(BaseCallResponseChunk["RawMessageStreamEvent"]):
    """A chunk; `chunk` is the event as the SDK's stream yields it, built on first read."""

    __slots__ = ()

    @property
    @override
    def usage(self) -> Usage | MessageDeltaUsage | None:
        """The usage in this chunk: all of it at the beginning, what has changed at the end."""
        return cast("Usage | MessageDeltaUsage | None", super().usage)

    @property
    @override
    def input_tokens(self) -> int | None:
        """Tokens of the prompt (cache reads and writes included), where this chunk has them."""
        return super().input_tokens if "input_tokens" in (self._raw_usage() or ()) else None

    @property
    @override
    def cached_tokens(self) -> int | None:
        """Tokens of the prompt that a cache served, where this chunk has them."""
        has_them = "cache_read_input_tokens" in (self._raw_usage() or ())
        return super().cached_tokens if has_them else None
