"""What servers add to chat completions: the fields that no decoder knows, kept as they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mirascope.core import BlockDelta, Delta, ExtraDelta, JSONObject, ToolCallDelta
from mirascope.core.json import as_object, as_objects

CHOICE: Final = "choice"
"""What holds the fields of a choice, beside its message."""
LOGPROBS: Final = "logprobs"
"""What holds the log probabilities of a choice, whose pieces are joined."""
RESPONSE: Final = "response"
"""What holds the fields of the completion."""
REASONING_FIELD: Final = "reasoning_field"
"""What holds the `name` of the field of a message in which the server sends its reasoning."""

_OF_MESSAGE: Final = frozenset(
    {"role", "content", "refusal", "tool_calls", "function_call", "reasoning_details"}
    | {"reasoning_content", "reasoning", "reasoning_text"}
)
_OF_CALL: Final = frozenset({"index", "id", "type", "function", "custom"})
_OF_CHOICE: Final = frozenset(
    {"index", "delta", "message", "finish_reason", "logprobs", "usage", "error"}
)
_OF_RESPONSE: Final = frozenset(
    {"id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier"}
    # Padding of the stream, against those who measure the length of its chunks.
    | {"error", "obfuscation", "p"}
)


def message_fields(message: JSONObject) -> Iterator[Delta]:
    """Yield what a message, or a piece of one, has that the decoder does not read."""
    if not message.keys() <= _OF_MESSAGE and (fields := _others(message, _OF_MESSAGE)):
        yield ExtraDelta(fields)


def call_fields(fragments: object, called: Sequence[Delta]) -> Iterator[Delta]:
    """Yield what the fragments of tool calls have that the decoder does not read.

    Gemini's signatures are there (`extra_content`), without which it refuses the call that goes
    back: https://ai.google.dev/gemini-api/docs/thought-signatures

    Args:
        fragments: the `tool_calls` of a delta.
        called: what the decoder made of them, each of them one `ToolCallDelta`.
    """
    calls = (delta for delta in called if isinstance(delta, ToolCallDelta))
    for fragment, call in zip(as_objects(fragments), calls, strict=False):
        fields = {} if fragment.keys() <= _OF_CALL else _others(fragment, _OF_CALL)
        if "custom" in fragment:
            fields["type"] = "custom"
        if fields:
            yield BlockDelta(fields, ("call", call.key))


def choice_fields(choice: JSONObject) -> Iterator[Delta]:
    """Yield what stands beside a choice's message."""
    if not choice.keys() <= _OF_CHOICE and (fields := _others(choice, _OF_CHOICE)):
        yield ExtraDelta(fields, CHOICE)


def logprobs(choice: JSONObject) -> Iterator[Delta]:
    """Yield the log probabilities of a piece of a choice."""
    if fields := as_object(choice.get("logprobs")):
        yield ExtraDelta(fields, LOGPROBS)


def response_fields(data: JSONObject) -> Iterable[Delta]:
    """Yield what a completion has that the decoder does not read."""
    if not data.keys() <= _OF_RESPONSE and (fields := _others(data, _OF_RESPONSE)):
        yield ExtraDelta(fields, RESPONSE)


def _others(sent: JSONObject, known: frozenset[str]) -> JSONObject:
    return {n: v for n, v in sent.items() if n not in known and v is not None}
