"""What can be wrong with an answer that was to be a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from .._errors import APIError

if TYPE_CHECKING:
    from .._response._call_response import BaseCallResponse
    from .._response._picture import StreamPicture
    from .._response._structured_result import StructuredResult


class ResponseModelError(APIError):
    """The model answered, and the answer is not a value of the response model.

    Attributes:
        text: the value's text as far as it came; all the text where no value had begun.
        partial: the last partial, or None.
        response_model: the type that was asked for.
        stream: the structured stream, with all that had arrived; None of a call without a stream.
            On a copy of the error, it is a `StreamPicture` of it.
        response: the response of a call without a stream, else None; on a copy, its picture.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str = "",
        partial: Any = None,
        response_model: Any = None,
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.text = text
        self.partial = partial
        self.response_model = response_model
        self.stream: StructuredResult[Any, Any] | StreamPicture | None = None
        self.response: BaseCallResponse[Any] | StreamPicture | None = None


class ResponseValidationError(ResponseModelError):
    """The answer is not JSON, or pydantic's validation refuses it; that error is the `__cause__`.

    Attributes:
        problems: what is wrong, one line each: the place, and what pydantic has to say of it.
        message_of_call: the feedback as the result of the tool call that the answer was, in the
            provider's form; None where the answer was text.
    """

    def __init__(
        self,
        message: str,
        *,
        problems: tuple[str, ...] = (),
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.problems = problems
        self.message_of_call: Mapping[str, Any] | None = None

    def feedback(self) -> Mapping[str, Any]:
        """Return the message that tells the model what was wrong, for the next try.

        It goes behind the answer: `[*messages, answer.message_param, error.feedback()]`, where the
        answer is `error.stream` or `error.response`. An answer that was a tool call gets it as the
        result of the call, because APIs refuse a call without one.
        """
        if self.message_of_call is not None:
            return self.message_of_call
        return {"role": "user", "content": self.advice()}

    def advice(self) -> str:
        """Return the text of the feedback."""
        problems = "\n".join(f"- {problem}" for problem in self.problems)
        return f"The answer does not fit:\n{problems}\nCorrect it and answer again, in full."


class ResponseTruncatedError(ResponseModelError):
    """The answer was cut by its limit before the value was whole: raise `max_tokens`."""


class ResponseRefusedError(ResponseModelError):
    """The model declined, or the provider's filter stopped the answer.

    Attributes:
        refusal: the text in which the model declines, or None.
        reason: which of the two it was.
    """

    def __init__(
        self,
        message: str,
        *,
        refusal: str | None = None,
        reason: Literal["refusal", "content_filter"] = "refusal",
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.refusal = refusal
        self.reason = reason


class ResponseMissingError(ResponseModelError):
    """The answer has no value: it is words only, or the model called tools in its place."""
