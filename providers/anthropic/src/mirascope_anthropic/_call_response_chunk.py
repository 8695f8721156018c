"""A chunk of a message from Anthropic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirascope.core import BaseCallResponseChunk, JSONObject, Usage
from typing_extensions import override

from ._sdk_objects import build, build_event
from ._usage import normalize

if TYPE_CHECKING:
    import anthropic.types
    from anthropic.types import RawMessageStreamEvent  # noqa: F401 - named in a base class, as text


class AnthropicCallResponseChunk(BaseCallResponseChunk["RawMessageStreamEvent"]):
    """A chunk; `chunk` is the event as the SDK's stream yields it, built on first read."""

    __slots__ = ()

    @property
    @override
    def usage(self) -> anthropic.types.Usage | anthropic.types.MessageDeltaUsage | None:
        """The usage in this chunk: all of it at the beginning, what has changed at the end."""
        from anthropic.types import MessageDeltaUsage, Usage

        usage = self._raw_usage()
        if usage is None:
            return None
        if self.data.get("type") == "message_delta":
            return build(MessageDeltaUsage, usage)
        return build(Usage, usage)

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

    @override
    def _normalize(self, usage: JSONObject) -> Usage:
        return normalize(usage)

    @override
    def _build(self, data: JSONObject, raw: bytes | None) -> Any:
        return build_event(data, raw)
