"""Prompt templates: sections first, values after.

The sections `SYSTEM:`, `USER:`, `ASSISTANT:` and `MESSAGES:` are found in the template's own text
before any value is filled in, so no argument's text can open a section.
"""

from __future__ import annotations

import difflib
import inspect
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from .._errors import PromptError
from .._provider._messages import MessageParam, has_role, to_messages

_SECTION: Final = re.compile(r"^[ \t]*(SYSTEM|USER|ASSISTANT|MESSAGES):", re.MULTILINE)
_TEMPLATE_ATTRIBUTE: Final = "__mirascope_prompt_template__"

FnT = TypeVar("FnT", bound=Callable[..., Any])


def prompt_template(template: str) -> Callable[[FnT], FnT]:
    """Give a function a prompt template other than its docstring.

    Args:
        template: the template; see `PromptTemplate`.

    Raises:
        PromptError: the template's braces don't match.
    """
    PromptTemplate(template, owner="the template")

    def decorate(fn: FnT) -> FnT:
        setattr(fn, _TEMPLATE_ATTRIBUTE, template)
        return fn

    return decorate


def template_of(fn: Callable[..., Any]) -> str | None:
    """Return the prompt template of a function: `@prompt_template`, else its docstring."""
    template: str | None = getattr(fn, _TEMPLATE_ATTRIBUTE, None)
    return template if template is not None else fn.__doc__


@dataclass(frozen=True, slots=True)
class _Section:
    role: str
    pieces: tuple[_Piece, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Literal text, then a field unless `field` is None."""

    literal: str
    field: str | None
    spec: str
    conversion: str | None


class PromptTemplate:
    """A template that has been taken apart once.

    Fields are `{name}`, `{name.attribute}`, `{name[key]}`, with the conversions and format specs of
    `str.format`; `{{` and `}}` are braces. Without a section the whole is one user message.
    `MESSAGES: {history}` puts a list of messages in. A section that is empty once filled in is
    left out.

    Args:
        template: the text; indentation is removed as in a docstring.
        owner: whose template it is, for errors.

    Raises:
        PromptError: the template can't be parsed.
    """

    __slots__ = ("_owner", "_sections", "text")

    def __init__(self, template: str, *, owner: str) -> None:
        self.text = inspect.cleandoc(template)
        self._owner = owner
        self._sections = tuple(self._parse_sections())

    def messages(
        self,
        values: Mapping[str, Any],
        *,
        is_message: Callable[[Mapping[str, Any]], bool] = has_role,
    ) -> list[MessageParam]:
        """Fill in `values` and return the messages.

        Args:
            values: the fields' values by name.
            is_message: whether a mapping that fills a `MESSAGES:` section is a message: a
                provider's `is_message` knows the forms of its own as well.

        Raises:
            PromptError: a field names no value, or a value does not fit its place.
        """
        messages: list[MessageParam] = []
        for section in self._sections:
            if section.role == "messages":
                messages += self._spliced(section, values, is_message)
            elif content := self._filled(section.pieces, values).strip():
                messages.append({"role": section.role, "content": content})
        return messages

    def _parse_sections(self) -> list[_Section]:
        found = list(_SECTION.finditer(self.text))
        if not found:
            return [_Section("user", self._parse(self.text))]
        sections: list[_Section] = []
        if lead := self.text[: found[0].start()].strip():
            sections.append(_Section("user", self._parse(lead)))
        for this, following in zip(found, [*found[1:], None], strict=True):
            text = self.text[this.end() : following.start() if following else None].strip()
            pieces = self._parse(text)
            role = this[1].lower()
            if role == "messages":
                fields = [piece for piece in pieces if piece.field is not None]
                if len(fields) != 1 or any(piece.literal.strip() for piece in pieces):
                    raise PromptError(
                        f"{self._owner}: a MESSAGES section takes one field and nothing else, "
                        f"as in 'MESSAGES: {{history}}', not {text!r}"
                    )
            sections.append(_Section(role, pieces))
        return sections

    def _parse(self, text: str) -> tuple[_Piece, ...]:
        try:
            pieces = tuple(
                _Piece(literal, field, spec or "", conversion)
                for literal, field, spec, conversion in string.Formatter().parse(text)
            )
        except ValueError as error:
            raise PromptError(
                f"{self._owner}: {error} in {text!r}: write '{{{{' and '}}}}' for braces"
            ) from None
        for piece in pieces:
            if piece.field is not None and not re.match(r"[^\W\d]\w*", piece.field):
                raise PromptError(
                    f"{self._owner}: the field {{{piece.field}}} has no name; name an argument"
                )
        return pieces

    def _filled(self, pieces: tuple[_Piece, ...], values: Mapping[str, Any]) -> str:
        parts: list[str] = []
        for piece in pieces:
            parts.append(piece.literal)
            if piece.field is not None:
                value = self._value(piece, values)
                # As in `str.format`, a format spec may have fields of its own: `{price:{width}}`.
                nested = "{" in piece.spec
                spec = self._filled(self._parse(piece.spec), values) if nested else piece.spec
                try:
                    parts.append(format(value, spec))
                except (TypeError, ValueError) as error:
                    raise PromptError(
                        f"{self._owner}: {{{piece.field}:{piece.spec}}} can't format "
                        f"a {type(value).__name__}: {error}"
                    ) from error
        return "".join(parts)

    def _value(self, piece: _Piece, values: Mapping[str, Any]) -> Any:
        formatter = string.Formatter()
        field = piece.field or ""
        try:
            value, _ = formatter.get_field(field, (), values)
        except (KeyError, AttributeError, IndexError, TypeError) as error:
            name = re.split(r"[.\[]", field, maxsplit=1)[0]
            if name not in values:
                close = difflib.get_close_matches(name, values, n=1)
                hint = f"; did you mean {{{close[0]}}}?" if close else ""
                known = ", ".join(values) or "none"
                raise PromptError(
                    f"{self._owner}: the template names {{{field}}}, but the values are: "
                    f"{known}{hint}"
                ) from None
            raise PromptError(f"{self._owner}: {{{field}}} can't be read: {error}") from error
        return formatter.convert_field(value, piece.conversion) if piece.conversion else value

    def _spliced(
        self,
        section: _Section,
        values: Mapping[str, Any],
        is_message: Callable[[Mapping[str, Any]], bool],
    ) -> list[MessageParam]:
        piece = next(piece for piece in section.pieces if piece.field is not None)
        history = self._value(piece, values)
        if history is None:
            return []
        what = f"{self._owner}: {{{piece.field}}}"
        return to_messages(history, what=what, is_message=is_message)
