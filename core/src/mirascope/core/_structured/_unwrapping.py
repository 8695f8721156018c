"""The text of a value out of the text of the object that it was asked for in."""

from __future__ import annotations

import re
from typing import Final

_WRAPPER: Final = re.compile(r'\{[ \t\n\r]*"value"[ \t\n\r]*:')
_SPACE: Final = " \t\n\r"


class Unwrapping:
    """Takes `{"value": …}` off a text that arrives in pieces.

    What may be the wrapper's end is kept back until more follows it. A text that does not begin
    with the wrapper is left as it is.
    """

    def __init__(self) -> None:
        self._is_wrapped: bool | None = None
        self._has_begun = self._is_closed = False
        self._kept: list[str] = []

    def __call__(self, text: str, *, whole: bool) -> str:
        """Return what the next piece has of the value.

        Args:
            text: the piece; the first one that is not empty reaches behind the first key's colon.
            whole: whether the wrapper is complete with it.
        """
        if self._is_wrapped is None and text:
            found = _WRAPPER.match(text)
            self._is_wrapped = found is not None
            text = text[found.end() :] if found else text
        if not self._is_wrapped:
            return text
        if not self._has_begun:
            text = text.lstrip(_SPACE)
            self._has_begun = bool(text)
        marks = text.strip(_SPACE)
        if not marks or (marks == "}" and not self._is_closed):
            self._kept.append(text)
            self._is_closed = self._is_closed or bool(marks)
            inner = ""
        else:
            inner = text.rstrip(_SPACE).removesuffix("}").rstrip(_SPACE)
            rest = text[len(inner) :]
            inner = "".join([*self._kept, inner])
            self._kept, self._is_closed = [rest], "}" in rest
        if whole:
            self._kept.clear()
        return inner

    def rest(self) -> str:
        """Return what was kept back of a text that ended before it was whole."""
        rest = "".join(self._kept)
        self._kept.clear()
        return rest
