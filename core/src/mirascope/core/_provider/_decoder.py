"""The seam between a provider's wire format and core: events to deltas."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, cast

from pydantic_core import from_json

from .._types import JSONObject
from ._deltas import Delta


class Decoder(ABC):
    """Turns the events of one response into deltas; one instance reads one response.

    A decoder is pure: it takes JSON objects and returns deltas, keeps at most the state that one
    response needs, and knows no clock and no connection. The same decoder serves streams from
    bytes, streams from an SDK's objects, and whole responses.
    """

    done_sentinel: ClassVar[bytes | None] = None
    """Event data that marks the protocol's end and is not JSON, such as `b"[DONE]"`."""

    done_sentinel_ends: ClassVar[bool] = True
    """Whether the sentinel means that the response is complete; if not, only its body ends."""

    finish_reason_ends: ClassVar[bool] = False
    """Whether a finish reason counts as the protocol's own end where the body then stops."""

    text_fields: ClassVar[tuple[str, ...]] = ()
    """Fields whose string is all that the event says, such as `("content",)`; a promise.

    Where `decode` made of an event one delta of text, of reasoning or of a call's arguments, and
    what that adds stands in one of these, an event that is otherwise byte for byte the same means
    the same, of its own text. The events that follow and differ in nothing else are then not parsed
    and not given to `decode`: most of a long answer, which takes half of the time. Only the class
    that states it promises it: a subclass that decodes as the class above does states it again.
    """

    ignored_fields: ClassVar[tuple[str, ...]] = ()
    """Fields in which such events may differ, because they mean nothing: counters, padding."""

    usage_field: ClassVar[str | None] = None
    """The field in which such events count the usage so far, such as `"usageMetadata"`.

    `decode` makes of its object one delta behind that of the text, a `UsageDelta` with `whole`.
    """

    def on_repeat(self, delta: Delta) -> Callable[[str], object] | None:
        """Return what is to be called with the text of each event that repeats the last one.

        For a decoder that keeps what it has seen; None, as here, where there is nothing to keep.

        Args:
            delta: what the last event meant, which was given to `decode` (`text_fields`).
        """
        return None

    def parse(self, data: bytes) -> JSONObject:
        """Return an event's data as the object that `decode` takes.

        The data is JSON by default; a decoder for a wire format of another kind overrides this.
        Whatever it raises ends the stream with a `StreamDecodeError`.

        Args:
            data: the event's data, never empty.
        """
        return cast("JSONObject", from_json(data))

    @abstractmethod
    def decode(self, data: JSONObject, event: str | None = None) -> Sequence[Delta] | None:
        """Return an event's deltas.

        Args:
            data: the event's object, as `parse` returned it.
            event: the event's name, where the framing has names.

        Returns:
            The deltas, in order; empty for an event without anything that core needs (it is
            still a chunk); None for a keep-alive, which makes no chunk and counts as no progress.
        """

    def decode_stray(self, data: JSONObject) -> Sequence[Delta] | None:
        """Return the deltas of a JSON object outside the framing, or None if it means nothing.

        Servers that fail, or that ignore the wish for a stream, answer with a bare JSON object.
        """
        return None

    @abstractmethod
    def decode_response(self, data: JSONObject) -> Sequence[Delta]:
        """Return the deltas of a whole response that was not streamed."""
