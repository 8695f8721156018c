"""A chunk of a chat completion from OpenAI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirascope.core import JSONObject
from mirascope_compatible import ChatChunk
from typing_extensions import override

from ._sdk_objects import build

if TYPE_CHECKING:
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletionChunk  # noqa: F401 - named in a base class, as text


class OpenAICallResponseChunk(ChatChunk["ChatCompletionChunk"]):
    """A chunk; `chunk` is the SDK's `ChatCompletionChunk`, built on first read."""

    __slots__ = ()

    @property
    @override
    def usage(self) -> CompletionUsage | None:
        """The usage in this chunk."""
        from openai.types import CompletionUsage

        usage = self._raw_usage()
        return None if usage is None else build(CompletionUsage, usage)

    @override
    def _build(self, data: JSONObject, raw: bytes | None) -> Any:
        from openai.types.chat import ChatCompletionChunk

        return build(ChatCompletionChunk, data, raw)
