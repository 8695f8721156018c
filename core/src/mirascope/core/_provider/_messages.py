"""Provider-neutral messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from .._errors import PromptError
from ._media import MediaSource, is_media, read_media
from ._parts import media_part


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

    Type: TypeAlias = str | Mapping[str, Any] | Sequence[Mapping[str, Any] | MediaSource]
    """What a function may return as its prompt: a string, a message, or several of them; or the
    parts of one message of the user, where there is more than text among them."""

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
            object counts as the mapping it dumps to. A sequence with a part among its items, such
            as an image, is one user message of those parts.
        what: what `value` is, for the error.
        is_message: whether a mapping is a message; only a provider knows the forms of its own.

    Raises:
        PromptError: `value` stands for no message.
    """
    if isinstance(value, str):
        return [Messages.User(value)]
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        items = cast("Sequence[object]", value)
        if any(_is_part(item, is_message) for item in items):
            value = Messages.User(list(items))
        else:
            return [_to_message(item, what, is_message) for item in items]
    elif _is_part(value, is_message):
        value = Messages.User([value])
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
        return _with_parts(cast("Mapping[str, Any]", message), what)
    raise PromptError(
        f"{what} must be messages (mappings with 'role' and 'content') or a string, not {value!r}"
    )


def _is_part(value: object, is_message: Callable[[Mapping[str, Any]], bool]) -> bool:
    if not isinstance(value, Mapping):
        return is_media(value)
    part = cast("Mapping[str, Any]", value)
    return isinstance(part.get("type"), str) and not is_message(part)


def _with_parts(message: MessageParam, what: str) -> MessageParam:
    """Return a message whose content has parts where a program put strings, bytes and paths."""
    content: object = message.get("content")
    if not isinstance(content, (list, tuple)):
        if not is_media(content):
            return message
        content = [content]
    parts = cast("Sequence[object]", content)
    if not any(isinstance(part, str) or is_media(part) for part in parts):
        return message
    return {**message, "content": [_part(part, what) for part in parts]}


def _part(value: object, what: str) -> object:
    if isinstance(value, str):
        return {"type": "text", "text": value}
    if not is_media(value):
        return value
    try:
        return media_part(read_media(value))
    except ValueError as error:
        raise PromptError(f"{what}: a part of a message {error}") from error
