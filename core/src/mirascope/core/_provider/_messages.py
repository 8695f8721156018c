"""Provider-neutral messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from .._errors import PromptError


# What a model does with a message that is its field: a provider's own keys are not to be dropped.
@with_config(ConfigDict(extra="allow"))
class BaseMessageParam(TypedDict):
    """One message in the neutral form, which every provider plugin translates.

    `role` is `"system"`, `"user"`, `"assistant"` or `"tool"`. `content` is a text, or a list of
    parts such as `{"type": "text", "text": …}` and `{"type": "image_url", …}`. Messages in a
    provider's own form (the `message_param` of an earlier stream, for example) may stand among
    neutral ones and reach that provider unchanged.
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

    Type: TypeAlias = str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]
    """What a function may return as its prompt: a string, a message, or several of them."""

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


def has_role(mapping: Mapping[str, Any]) -> bool:
    """Whether a mapping is a message in the neutral form, as far as one can tell."""
    return "role" in mapping


def to_messages(
    value: object, *, what: str, is_message: Callable[[Mapping[str, Any]], bool] = has_role
) -> list[MessageParam]:
    """Return the messages that `value` stands for.

    Args:
        value: a string (one user message), a message, or a sequence of messages. An SDK's message
            object counts as the mapping it dumps to.
        what: what `value` is, for the error.
        is_message: whether a mapping is a message; only a provider knows the forms of its own.

    Raises:
        PromptError: `value` stands for no message.
    """
    if isinstance(value, str):
        return [Messages.User(value)]
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [_to_message(item, what, is_message) for item in cast("Sequence[object]", value)]
    return [_to_message(value, what, is_message)]


def _to_message(
    value: object, what: str, is_message: Callable[[Mapping[str, Any]], bool]
) -> MessageParam:
    if isinstance(value, str):
        return Messages.User(value)
    message: object = value
    if not isinstance(value, Mapping) and callable(dump := getattr(value, "model_dump", None)):
        message = dump(exclude_none=True)
    if isinstance(message, Mapping) and is_message(cast("Mapping[str, Any]", message)):
        return _with_text_parts(cast("Mapping[str, Any]", message))
    raise PromptError(
        f"{what} must be messages (mappings with 'role' and 'content') or a string, not {value!r}"
    )


def _with_text_parts(message: MessageParam) -> MessageParam:
    """Return a message whose content has no bare string among its parts: no API takes one there."""
    content = message.get("content")
    if not isinstance(content, (list, tuple)):
        return message
    parts = cast("Sequence[object]", content)
    if not any(isinstance(part, str) for part in parts):
        return message
    return {
        **message,
        "content": [
            {"type": "text", "text": part} if isinstance(part, str) else part for part in parts
        ],
    }
