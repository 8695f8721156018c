"""A chunk of a response from OpenAI's Responses API."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mirascope.core import BaseCallResponseChunk
from mirascope.core.json import as_object, as_text
from typing_extensions import override

if TYPE_CHECKING:
    from openai.types.responses import (
        ResponseStreamEvent,  # noqa: F401 - named in a base class, as text
        ResponseUsage,
    )


class OpenAIResponsesCallResponseChunk(BaseCallResponseChunk["ResponseStreamEvent"]):
    """A chunk; `chunk` is the SDK's event class for its `type`, built on first read."""

    __slots__ = ()

    @property
    @override
    def id(self) -> str | None:
        return self._fact("id")

    @property
    @override
    def model(self) -> str | None:
        return self._fact("model")

    @property
    @override
    def usage(self) -> ResponseUsage | None:
        """The usage in this chunk: only the last one has it."""
        return cast("ResponseUsage | None", super().usage)

    def _fact(self, name: str) -> str | None:
        return as_text(as_object(self.data.get("response")).get(name))
