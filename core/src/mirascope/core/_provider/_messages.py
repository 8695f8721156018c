"""Provider-neutral messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypedDict, cast

from .._errors import PromptError


class BaseMessageParam(TypedDict):
    """One message in the neutral form, which every provider plugin translates.

    `role` is `"system"`, `"user"`, `"assistant"` or `"tool"`. Messages in a provider's own form
    (the `message_param` of an earlier stream, for example) may stand beside neutral ones and reach
    that provider unchanged.
    """

    role: str
    content: Any


MessageParam: TypeAlias = Mapping[str, Any]
"""A message, neutral or in a provider's own form."""


class Messages:
    """Short forms for messages that a function returns as its prompt.

    Example:
        ```python
        @openai.call("gpt-4o")
        def recommend_book(genre: str):
            return [Messages.System("You are a librarian."), Messages.User(f"Recommend {genre}.")]
        ```
    """

    @staticmethod
    def System(content: Any) -> BaseMessageParam:  # noqa: N802 - reads as the role
        """A system message."""
        return {"role": "system", "content": content}

    @staticmethod
    def User(content: Any) -> BaseMessageParam:  # noqa: N802 - reads as the role
        """A message of the user."""
        return {"role": "user", "content": content}

    @staticmethod
    def Assistant(content: Any) -> BaseMessageParam:  # noqa: N802 - reads as the role
        """A message of the model."""
        return {"role": "assistant", "content": content}


def to_messages(value: object, *, what: str) -> list[MessageParam]:
    """Return the messages that `value` stands for.

    Args:
        value: a string (one user message), a message, or a sequence of messages. An SDK's message
            object counts as the mapping it dumps to.
        what: what `value` is, for the error.

    Raises:
        PromptError: `value` is none of these.
    """
    if isinstance(value, str):
        return [Messages.User(value)]
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [_to_message(item, what) for item in cast("Sequence[object]", value)]
    return [_to_message(value, what)]


def _to_message(value: object, what: str) -> MessageParam:
    if isinstance(value, Mapping):
        message = cast("Mapping[str, Any]", value)
        # Gemini's own form has parts instead of a role and content.
        if "role" in message or "parts" in message or "type" in message:
            return message
    elif isinstance(value, str):
        return Messages.User(value)
    elif callable(dump := getattr(value, "model_dump", None)):
        return cast("Mapping[str, Any]", dump(exclude_none=True))
    raise PromptError(
        f"{what} must be messages (mappings with 'role' and 'content') or a string, not {value!r}"
    )
