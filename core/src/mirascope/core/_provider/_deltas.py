"""The neutral vocabulary for what a wire event can contain.

A provider's decoder turns each event into deltas; core's `Accumulator` is the only reader. A delta
that belongs to a numbered content block of the provider (Anthropic's `index`, a Responses item)
names it by `block`; without one it continues the open block of its kind or begins the next.

What a server sends is not always of the type that its reference gives. A delta checks its fields
when it is made and raises `TypeError`, which ends the stream with a `StreamDecodeError`: behind
that line nothing asks for types again. `TextDelta` alone leaves the check to the accumulator,
because there is one for every word of an answer.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias, cast

from .._types import JSONObject
from ..json import as_json_text, as_text


@dataclass(slots=True)
class TextDelta:
    """More of the answer's text.

    Attributes:
        text: what was added.
        block: the block it belongs to, by whatever the provider calls it; None for the only one.
    """

    text: str
    block: Hashable = None


@dataclass(slots=True)
class ThinkingDelta:
    """More of the model's reasoning, which is never part of the answer's text.

    Attributes:
        text: what was added.
        block: the block it belongs to, by whatever the provider calls it; None for the only one.
    """

    text: str
    block: Hashable = None

    def __post_init__(self) -> None:
        # Asked here first, without a call: there are as many of these as of words.
        if type(self.text) is not str:
            _expect("text", self.text, str)


@dataclass(slots=True)
class RefusalDelta:
    """More of the text in which the model declines.

    Attributes:
        text: what was added.
    """

    text: str

    def __post_init__(self) -> None:
        _expect("text", self.text, str)


@dataclass(slots=True)
class WholeTextDelta:
    """All the text of a block, which the provider states once more where the block ends.

    It replaces the pieces that came before, some of which may have been lost on the way. The block
    of the tool call `key` is `("call", key)`, and its text are the arguments.

    Attributes:
        text: the whole text.
        block: the block that has it.
    """

    text: str
    block: Hashable

    def __post_init__(self) -> None:
        _expect("text", self.text, str)


@dataclass(slots=True)
class ToolCallDelta:
    """The beginning or a piece of a tool call.

    The first delta of a `key` begins the call; once the call has ended, further ones of its key are
    late and say nothing. `arguments` is a piece of JSON text; pieces are joined in order. The first
    `id` and `name` count, but a longer name that begins with the known one takes its place.

    Args:
        key: what tells the call from the others of the response.
        id: the provider's id, or None.
        name: the name of the tool, or None.
        arguments: a piece of the arguments.
        free: whether the arguments are free text and not JSON, as those of OpenAI's custom tools.
    """

    key: Hashable
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    free: bool = False

    def __post_init__(self) -> None:
        if self.id is not None:
            _expect("id", self.id, str)
        if self.name is not None:
            _expect("name", self.name, str)
        if type(self.arguments) is not str:
            _expect("arguments", self.arguments, str)


@dataclass(slots=True)
class ToolCallEnd:
    """A tool call has all its arguments.

    Attributes:
        key: the call, as its `ToolCallDelta` named it; None ends every call that is open.
        whole: whether the model itself wrote all of them. A call without arguments waits otherwise
            for the finish reason, which tells whether the answer was cut before the first one.
    """

    key: Hashable = None
    whole: bool = False


@dataclass(slots=True)
class BlockDelta:
    """A content block, or fields of one, in the provider's own form.

    It goes back verbatim in the next request: signatures, redacted thinking, citations, server
    tools. Fields of a later delta for the same `block` replace those of an earlier one; strings
    and lists under the keys in `join` are concatenated instead, and so are the lists in objects
    under them. The block of the tool call `key` is `("call", key)`.

    Attributes:
        fields: the fields of the block, as the provider sent them.
        block: the block that has them.
        join: the keys whose values continue earlier ones.
    """

    fields: Mapping[str, Any]
    block: Hashable
    join: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        _expect("fields", self.fields, Mapping)


@dataclass(slots=True)
class ExtraDelta:
    """Fields of the message, or of what is around it, that the decoder does not know.

    They are kept for the message that goes back and for the response object, and joined over the
    events by one rule for all providers: text continues, objects are joined field by field, lists
    item by item.

    Args:
        fields: the fields as they were sent.
        of: what they are fields of: `"message"`, or a name of the provider's.
    """

    fields: Mapping[str, Any]
    of: str = "message"

    def __post_init__(self) -> None:
        _expect("fields", self.fields, Mapping)


@dataclass(slots=True)
class UsageDelta:
    """A snapshot of the provider's usage object: each field replaces the earlier one.

    Args:
        usage: the object as the provider sent it.
        whole: whether the snapshot replaces the earlier one with all its fields, so that a count
            which is not repeated is gone.
    """

    usage: JSONObject
    whole: bool = False

    def __post_init__(self) -> None:
        # Asked here first, without a call: Gemini sends it with every word.
        if type(self.usage) is not dict:
            _expect("usage", self.usage, dict)


@dataclass(slots=True)
class MetaDelta:
    """Facts about the response: what the provider calls it, and what served it.

    Attributes:
        id: the provider's id of the response.
        model: the model that answered.
        facts: what prices depend on, such as `{"service_tier": "flex"}`.
    """

    id: str | None = None
    model: str | None = None
    facts: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if self.id is not None:
            _expect("id", self.id, str)
        if self.model is not None:
            _expect("model", self.model, str)
        for name, value in (self.facts or {}).items():
            _expect(name, value, str)


@dataclass(slots=True)
class FinishDelta:
    """Why the model stopped, in the provider's own word.

    Args:
        reason: the word.
        cut: whether the model was stopped before it had finished, by a limit as a rule: a call
            that has no arguments then is one whose arguments never came.
    """

    reason: str
    cut: bool = False

    def __post_init__(self) -> None:
        # Gemini's is a number where `enum-encoding=int` is asked for.
        _expect("reason", self.reason, (str, int))


@dataclass(slots=True)
class EndDelta:
    """The protocol's own end marker was seen; what follows in the body is not read."""


@dataclass(slots=True)
class ErrorDelta:
    """The provider's own error inside a response that began well.

    Args:
        message: the provider's text.
        type: the provider's class of error, such as `"overloaded_error"`.
        code: the provider's code.
        status: the HTTP status that the error stands for, where the provider gives one.
    """

    message: str
    type: str | None = None
    code: str | None = None
    status: int | None = None

    def __post_init__(self) -> None:
        _expect("message", self.message, str)

    @classmethod
    def from_object(
        cls,
        error: object,
        *,
        type: str | None = None,  # noqa: A002 - the wire's own word
        code: str | None = None,
        status: int | None = None,
    ) -> Self:
        """Return what an error object says in the fields that most APIs have.

        These are `message` (the whole object as JSON where it has none), `type`, `code`, and the
        HTTP status as a number from 400 to 599 in `status_code`, `status` or `code`. An error that
        is not an object is its own message. Never raises, whatever the fields hold.

        Args:
            error: the error as it was sent.
            type: the type, where the API has another place for it.
            code: the code, where the API has another place for it.
            status: the HTTP status, where the API has another way to say it.
        """
        if not isinstance(error, Mapping):
            return cls(as_json_text(error), type=type, code=code, status=status)
        fields = dict(cast("Mapping[str, object]", error))
        statuses = (status, *(fields.get(name) for name in ("status_code", "status", "code")))
        return cls(
            message=as_text(fields.get("message")) or as_json_text(fields),
            type=_or_text(type, fields.get("type")),
            code=_or_text(code, fields.get("code")),
            status=next((n for n in statuses if isinstance(n, int) and 400 <= n < 600), None),
        )


@dataclass(slots=True)
class ChoiceDelta:
    """A delta of another choice than the first, where several were asked for.

    Attributes:
        index: the number of the choice, from 1.
        delta: what was told about it.
    """

    index: int
    delta: Delta

    def __post_init__(self) -> None:
        _expect("index", self.index, int)


Delta: TypeAlias = (
    TextDelta
    | ThinkingDelta
    | RefusalDelta
    | WholeTextDelta
    | ToolCallDelta
    | ToolCallEnd
    | BlockDelta
    | ExtraDelta
    | UsageDelta
    | MetaDelta
    | FinishDelta
    | EndDelta
    | ErrorDelta
    | ChoiceDelta
)
"""Anything that a decoder may return."""


def _or_text(known: str | None, sent: object) -> str | None:
    return known if known is not None or sent is None else str(sent)


def _expect(name: str, value: object, kind: type | tuple[type, ...]) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} has a value of the type {value.__class__.__name__!r}")
