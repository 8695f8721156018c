"""An answer that is to be a value: text and tool calls in, partials and the value out."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from pydantic import ValidationError

from .._errors import describe
from .._state import FinishReason
from ._errors import (
    ResponseMissingError,
    ResponseModelError,
    ResponseRefusedError,
    ResponseTruncatedError,
    ResponseValidationError,
)
from ._json_reader import JSONReader
from ._response_model import ResponseModel, T
from ._shapes import MISSING
from ._unwrapping import Unwrapping

ResponseMode: TypeAlias = Literal["native", "tool", "json"]
"""How a value is asked for: by the API's own parameter for JSON schemas, as the arguments of a tool
that has to be called, or in words, with the API told that the answer is JSON."""

ErrorT = TypeVar("ErrorT", bound=ResponseModelError)

_SHOWN_PROBLEMS: Final = 5


class AnswerReader(Generic[T]):
    """Reads the value that an answer is.

    Args:
        model: what the value is.
        mode: how it was asked for; None where that is not known, as of a recording. Then the text
            has the value, or the call of a tool that is named like the response model.
        items: where the list stands whose items are wanted one by one; see `JSONReader`.
    """

    def __init__(
        self,
        model: ResponseModel[T],
        mode: ResponseMode | None,
        items: Collection[tuple[str, ...]] = (),
    ) -> None:
        self._model = model
        self._mode = mode
        self._items = items
        self._json = JSONReader(model.shape, items=items)
        self._last: Any = None
        self._names: dict[Hashable, str] = {}
        self._call: Hashable = None
        self._in_call = False
        self._words: list[str] = []
        self._unwrapping = Unwrapping() if model.is_wrapped else None

    @property
    def last(self) -> Any:
        """The last partial that was made, or None."""
        return self._last

    @property
    def open_path(self) -> tuple[str | int, ...]:
        """Where the value still grows, without what it may be wrapped in."""
        path = self._json.open_path
        is_wrapper = self._model.is_wrapped and path and isinstance(path[0], str)
        return path[1:] if is_wrapper else path

    @property
    def call_name(self) -> str | None:
        """The name of the tool call whose arguments the value is; None where it is text."""
        return self._model.name if self._in_call else None

    def take_text(self, text: str) -> bool:
        """Take a piece of the text; return whether it is time for a partial."""
        if self._mode == "tool":
            self._words.append(text)
            return False
        return not self._in_call and self._json.feed(text)

    def take_call(self, key: Hashable, name: str | None, arguments: str) -> bool:
        """Take a piece of a tool call; return whether it is time for a partial."""
        if self._mode not in ("tool", None):
            return False
        if name and key not in self._names:
            self._names[key] = name
            is_answer = name == self._model.name and not self._in_call
            if is_answer and (self._mode == "tool" or not self._json.has_begun):
                # The first call is the answer: some models call twice.
                self._in_call, self._call = True, key
                self._json = JSONReader(self._model.shape, search=False, items=self._items)
        return self._in_call and key == self._call and self._json.feed(arguments)

    def partial(self) -> Any:
        """Return what has arrived, as a snapshot; MISSING where there is nothing to show."""
        partial = self._json.partial()
        if partial is not MISSING:
            self._last = partial
        return partial

    def items(self) -> list[str]:
        """Return the texts of the items that have become whole since the last time."""
        items, self._json.whole_items = self._json.whole_items, []
        return items

    def new_text(self, *, final: bool = False) -> str:
        """Return what has arrived of the value's JSON since the last time.

        Args:
            final: whether nothing follows.
        """
        text = self._json.new_text()
        if self._unwrapping is None:
            return text
        text = self._unwrapping(text, whole=self._json.done)
        return text + self._unwrapping.rest() if final else text

    def close(self) -> bool:
        """Take note that the answer has ended; return whether there is something left to show."""
        return self._json.close()

    def value(
        self,
        finish_reason: FinishReason | None,
        refusal: str | None,
        called: Sequence[str],
        fn_args: Mapping[str, Any],
    ) -> T:
        """Return the validated value.

        Args:
            finish_reason: why the answer ended.
            refusal: the text in which the model declined, or None.
            called: the names of the tools that were called.
            fn_args: the arguments of the call, by name, which fill fields of the value.

        Raises:
            ResponseModelError: there is no such value.
        """
        text = self._text()
        if not self._json.done and (error := self._lack(text, finish_reason, refusal, called)):
            raise error
        try:
            return self._model.validate(text, fn_args)
        except ValidationError as error:
            problems = problems_of(error)
            raise self._error(
                ResponseValidationError, _invalid(problems), text, problems=problems
            ) from error
        except Exception as error:
            # A validator of the user's that breaks over what a model wrote.
            raise self._error(
                ResponseValidationError, describe(error), text, problems=(describe(error),)
            ) from error

    def invalid_item(self, text: str, error: Exception) -> ResponseValidationError:
        """Return the error for an item that is not valid."""
        problems = problems_of(error) if isinstance(error, ValidationError) else (describe(error),)
        return self._error(
            ResponseValidationError, f"an item: {_invalid(problems)}", text, problems=problems
        )

    def _text(self) -> str:
        if self._mode == "tool" and not self._in_call:
            return "".join(self._words)
        return self._json.text()

    def _lack(
        self,
        text: str,
        finish_reason: FinishReason | None,
        refusal: str | None,
        called: Sequence[str],
    ) -> ResponseModelError | None:
        """Return why there is no whole value; None where its text tells it best."""
        if refusal is not None or finish_reason in ("content_filter", "refusal"):
            is_filter = refusal is None and finish_reason == "content_filter"
            why = "the provider's filter stopped the answer"
            return self._error(
                ResponseRefusedError,
                why if is_filter else f"the model declined: {refusal or 'it gave no reason'}",
                text,
                refusal=refusal,
                reason="content_filter" if is_filter else "refusal",
            )
        if finish_reason == "length":
            what = f"the answer was cut before the {self._model.shown} was whole: raise max_tokens"
            return self._error(ResponseTruncatedError, what, text)
        if self._json.has_begun:
            return None
        others = [name for name in called if name != self._model.name]
        if others:
            names = ", ".join(map(repr, others))
            what = (
                f"the model called {names} and gave no {self._model.shown}: run the calls and go on"
            )
        elif text.strip():
            what = f"the answer contains no JSON of a {self._model.shown}"
        else:
            what = f"the answer is empty: it has no {self._model.shown}"
        return self._error(ResponseMissingError, what, text)

    def _error(self, error_class: type[ErrorT], message: str, text: str, **facts: Any) -> ErrorT:
        return error_class(
            message,
            text=text,
            partial=self._last,
            response_model=self._model.annotation,
            **facts,
        )


def problems_of(error: ValidationError) -> tuple[str, ...]:
    """Return what is wrong with a value, one line each: the place and pydantic's words."""
    return tuple(
        " ".join(f"{'.'.join(map(str, problem['loc'])) or 'the answer'}: {problem['msg']}".split())
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    )


def _invalid(problems: tuple[str, ...]) -> str:
    shown = "; ".join(problems[:_SHOWN_PROBLEMS])
    more = len(problems) - _SHOWN_PROBLEMS
    return f"the answer does not fit: {shown}" + (f"; and {more} more" if more > 0 else "")
