"""A chunk of a chat completion from OpenAI."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mirascope_compatible import ChatChunk
from typing_extensions import override

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
        return cast("CompletionUsage | None", super().usage)
