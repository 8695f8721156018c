"""Prompt templates: sections first, values after.

The sections `SYSTEM:`, `USER:`, `ASSISTANT:` and `MESSAGES:` are found in the template's own text
before any value is filled in, so no argument's text can open a section.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import re
import string
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from .._errors import PromptError
from .._provider._messages import MessageParam, has_role, to_messages
from .._tools._texts import written
from .._types import JSONObject
from ._part_fields import field_parts, makes_parts

_SECTION: Final = re.compile(r"^[ \t]*(SYSTEM|USER|ASSISTANT|MESSAGES):", re.MULTILINE)


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
    `str.format`; `{{` and `}}` are braces. `{name:list}` writes an item on each line,
    `{name:lists}` a group of items in each paragraph; `{name:image}`, `{name:audio}`,
    `{name:document}`, `{name:text}` and `{name:part}` put a part into the message, and their
    plurals several. None writes nothing. Without a section the whole is one user message.
    `MESSAGES: {history}` puts a list of messages in. A section that is empty once filled in is
    left out.

    Attributes:
        text: the template without its indentation.

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
            elif content := self._content(section.pieces, values):
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

    def _content(self, pieces: tuple[_Piece, ...], values: Mapping[str, Any]) -> Any:
        """Return the text of a section, or its parts where it has more than text."""
        if not any(makes_parts(piece.spec) for piece in pieces):
            return self._filled(pieces, values).strip()
        parts: list[JSONObject] = []
        text: list[_Piece] = []
        for piece in pieces:
            text.append(piece)
            if makes_parts(piece.spec):
                text[-1] = replace(piece, field=None)
                parts += self._text_part(text, values)
                text.clear()
                with self._named(piece):
                    parts += field_parts(self._value(piece, values), piece.spec)
        return parts + self._text_part(text, values)

    def _text_part(self, pieces: list[_Piece], values: Mapping[str, Any]) -> list[JSONObject]:
        text = self._filled(tuple(pieces), values).strip()
        return [{"type": "text", "text": text}] if text else []

    def _filled(self, pieces: tuple[_Piece, ...], values: Mapping[str, Any]) -> str:
        parts: list[str] = []
        for piece in pieces:
            parts.append(piece.literal)
            if piece.field is not None:
                value = self._value(piece, values)
                # As in `str.format`, a format spec may have fields of its own: `{price:{width}}`.
                nested = "{" in piece.spec
                spec = self._filled(self._parse(piece.spec), values) if nested else piece.spec
                with self._named(piece):
                    parts.append(written(value, spec))
        return "".join(parts)

    @contextlib.contextmanager
    def _named(self, piece: _Piece) -> Generator[None]:
        """Let the error for a value name the field."""
        try:
            yield
        except (TypeError, ValueError) as error:
            field = f"{piece.field}:{piece.spec}" if piece.spec else piece.field
            raise PromptError(f"{self._owner}: {{{field}}} {error}") from error

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
