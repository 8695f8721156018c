"""One chunk of a stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Self, TypeAlias, cast

from pydantic_core import from_json
from typing_extensions import TypeVar

from .._prices._usage import Usage
from .._provider._deltas import (
    ChoiceDelta,
    Delta,
    FinishDelta,
    MetaDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageDelta,
)
from .._provider._provider import Provider
from .._types import JSONObject
from ._guard import made_of_answer

Repeated: TypeAlias = tuple[Sequence[Delta], str, JSONObject | None]
"""Of a repeated event: the deltas of the one that it repeats, its own text, and its own usage."""

_new = object.__new__
ChunkObjectT = TypeVar("ChunkObjectT", default=Any, covariant=True)
ChunkT = TypeVar("ChunkT", bound="BaseCallResponseChunk[Any]")


class Unbuilt:
    """Stands in a chunk for its object, where the source makes the objects of its response.

    One for all chunks of a stream, so that a chunk whose object nobody reads costs nothing.

    Args:
        make: makes an object of an event's JSON and the text that it was read from.
    """

    __slots__ = ("make",)

    def __init__(self, make: Callable[[JSONObject, bytes | None], Any]) -> None:
        self.make = make


class BaseCallResponseChunk(Generic[ChunkObjectT]):
    """What one event of a stream contains, and the provider's own object for it.

    Attributes:
        content: the chunk's text, `""` without any.

    Args:
        deltas: what the event means.
        data: the event's JSON object.
        raw: the text that `data` was read from, or None.
        obj: the SDK's object, where the event came as one; or an `Unbuilt`, which makes it.
        provider: who makes objects and counts of what was sent; without one, the JSON stays as it
            is and no usage is understood.
    """

    __slots__ = ("_data", "_deltas", "_object", "_provider", "_raw", "_repeated", "content")

    content: str
    _data: JSONObject | None
    _deltas: Sequence[Delta] | None
    _repeated: Repeated

    def __init__(
        self,
        deltas: Sequence[Delta],
        data: JSONObject,
        raw: bytes | None = None,
        obj: Any = None,
        provider: Provider | None = None,
    ) -> None:
        self._deltas = deltas
        self._data = data
        self._raw = raw
        self._object = obj
        self._provider = provider
        content = ""
        for delta in deltas:
            if type(delta) is TextDelta:
                content += delta.text
        self.content = content

    @property
    def deltas(self) -> Sequence[Delta]:
        """What the event means, in core's vocabulary."""
        if self._deltas is None:
            known, text, usage = self._repeated
            made = [_with_text(known[0], text)]
            if usage is not None:
                made.append(UsageDelta(dict(usage), whole=True))
            self._deltas = tuple(made) if type(known) is tuple else made
        return self._deltas

    @deltas.setter
    def deltas(self, deltas: Sequence[Delta]) -> None:
        self._deltas = deltas

    @property
    def data(self) -> JSONObject:
        """The event's JSON object as it was received."""
        if self._data is None:
            self._data = cast("JSONObject", from_json(cast("bytes", self._raw)))
        return self._data

    @data.setter
    def data(self, data: JSONObject) -> None:
        self._data = data

    def __str__(self) -> str:
        return self.content

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.content!r}>"

    @property
    def chunk(self) -> ChunkObjectT:
        """The provider's own object, built on first read and kept."""
        if self._object is None or type(self._object) is Unbuilt:
            self._object = self._built(self._object)
        return cast("ChunkObjectT", self._object)

    @property
    def id(self) -> str | None:
        """The response's id, where this chunk has it."""
        return next((d.id for d in self.deltas if type(d) is MetaDelta and d.id), None)

    @property
    def model(self) -> str | None:
        """The model's name as the provider reports it, where this chunk has it."""
        return next((d.model for d in self.deltas if type(d) is MetaDelta and d.model), None)

    @property
    def thinking(self) -> str | None:
        """The chunk's reasoning text."""
        return "".join(d.text for d in self.deltas if type(d) is ThinkingDelta) or None

    @property
    def refusal(self) -> str | None:
        """The chunk's refusal text."""
        return "".join(d.text for d in self.deltas if type(d) is RefusalDelta) or None

    @property
    def finish_reasons(self) -> list[str] | None:
        """The finish reasons in this chunk, in the provider's words."""
        plain = (d.delta if type(d) is ChoiceDelta else d for d in self.deltas)
        return [d.reason for d in plain if type(d) is FinishDelta] or None

    @property
    def usage(self) -> Any:
        """The usage in this chunk, in the provider's own type."""
        usage = self._raw_usage()
        if usage is None or self._provider is None:
            return usage
        provider, data = self._provider, self.data
        return made_of_answer("usage", provider, lambda: provider.chunk_usage_object(usage, data))

    @property
    def common_usage(self) -> Usage | None:
        """The usage in this chunk, by the one rule for all providers."""
        usage = self._raw_usage()
        if usage is None or self._provider is None:
            return None
        provider = self._provider
        return made_of_answer("common_usage", provider, lambda: provider.normalize(usage, {}))

    @property
    def input_tokens(self) -> int | None:
        """Tokens of the prompt (cache reads and writes included), where this chunk has usage."""
        usage = self.common_usage
        return None if usage is None else usage.input_tokens

    @property
    def cached_tokens(self) -> int | None:
        """Tokens of the prompt that a cache served, where this chunk has usage."""
        usage = self.common_usage
        return None if usage is None else usage.cache_read_tokens

    @property
    def output_tokens(self) -> int | None:
        """Tokens generated (reasoning included), where this chunk has usage."""
        usage = self.common_usage
        return None if usage is None else usage.output_tokens

    def without_deltas(self) -> Self:
        """Return an empty chunk for the same provider object.

        When one event completes several tool calls, the later ones are yielded with it, so text and
        usage are not repeated.
        """
        return type(self)((), self.data, self._raw, self._object, self._provider)

    def _built(self, unbuilt: Unbuilt | None) -> Any:
        provider, data, raw = self._provider, self.data, self._raw
        if provider is None:
            return data
        make = provider.chunk_object if unbuilt is None else unbuilt.make
        return made_of_answer("chunk", provider, lambda: make(data, raw))

    def _raw_usage(self) -> JSONObject | None:
        return next((d.usage for d in reversed(self.deltas) if type(d) is UsageDelta), None)


def is_made_plainly(chunk_class: type[BaseCallResponseChunk[Any]]) -> bool:
    """Whether nothing but this module has a say in how the class's chunks are made."""
    base = BaseCallResponseChunk
    return chunk_class.__init__ is base.__init__ and chunk_class.__new__ is base.__new__


def repeated_chunk(
    chunk_class: type[ChunkT],
    repeated: Repeated,
    content: str,
    raw: bytes,
    unbuilt: Unbuilt | None,
    provider: Provider | None,
) -> ChunkT:
    """Return the chunk of an event that says what a known one says, of another text.

    Its deltas and its JSON are made when they are read. For classes that are made plainly.
    """
    chunk: Any = _new(chunk_class)
    chunk._deltas = chunk._data = None
    chunk._repeated = repeated
    chunk._raw = raw
    chunk._object = unbuilt
    chunk._provider = provider
    chunk.content = content
    return cast("ChunkT", chunk)


def _with_text(delta: Delta, text: str) -> Delta:
    if isinstance(delta, ToolCallDelta):
        return ToolCallDelta(delta.key, arguments=text, free=delta.free)
    said = cast("TextDelta | ThinkingDelta", delta)
    return type(said)(text, said.block)
