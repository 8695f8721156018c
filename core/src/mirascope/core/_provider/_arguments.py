"""The arguments of a call as servers send them: split, after a placeholder, or more than once."""

from __future__ import annotations

import contextlib
import re
from typing import Final

from pydantic_core import from_json

_IN_STRING: Final = re.compile(r'["\\]')
_STRUCTURE: Final = re.compile(r'["{}\[\]]')


class JSONProgress:
    """Tells how far a JSON object or array has come while its text arrives in pieces.

    Each character is looked at once, so that asking after every piece costs no more than asking at
    the end. Only brackets and strings are followed: text that is balanced and not valid can't
    become valid by more text either.

    Attributes:
        begun: whether an object or array has begun.
        is_whole: whether it has ended.
    """

    __slots__ = ("_depth", "_escaped", "_quoted", "begun", "is_whole")

    def __init__(self) -> None:
        self.begun = False
        self.is_whole = False
        self._depth = 0
        self._quoted = False
        self._escaped = False

    def feed(self, text: str) -> int:
        """Take more of the text; return the offset in it at which the value has ended, or -1."""
        at, length = 0, len(text)
        while at < length and not self.is_whole:
            if self._escaped:
                self._escaped = False
                at += 1
                continue
            found = (_IN_STRING if self._quoted else _STRUCTURE).search(text, at)
            if found is None:
                return -1
            at = found.end()
            match found[0]:
                case "\\":
                    self._escaped = True
                case '"':
                    self._quoted = not self._quoted
                case "{" | "[":
                    self.begun = True
                    self._depth += 1
                case _:
                    self._depth -= 1
                    self.is_whole = self._depth == 0
                    if self._depth < 0:
                        # It ends what never began: this is not JSON and never will be.
                        return -1
        return at if self.is_whole else -1


def one_value(text: str) -> str:
    """Return the arguments that a text stands for which has more than one JSON object in it.

    Arguments are one object. Proxies send the `{}` of Anthropic's block start as the first piece,
    and adapters send the whole arguments again behind their pieces. Text in which there is anything
    else stays as it came.
    """
    with contextlib.suppress(ValueError, TypeError):
        from_json(text)
        return text
    values: list[str] = []
    rest = text.strip()
    while rest:
        end = JSONProgress().feed(rest) if rest.startswith("{") else -1
        if end < 0:
            return text
        values.append(rest[:end])
        rest = rest[end:].lstrip()
    try:
        # Whoever sends `{}` first and more later did not mean `{}`.
        said = [(value, loaded) for value in values if (loaded := _loaded(value)) != {}]
    except (ValueError, TypeError):
        return text
    if any(loaded != said[0][1] for _, loaded in said[1:]):
        return text
    return said[0][0] if said else values[0] if values else text


def same_arguments(one: str, other: str) -> bool:
    """Whether two texts are the same arguments, however they are spaced and ordered."""
    if one == other:
        return True
    try:
        return _loaded(one) == _loaded(other)
    except (ValueError, TypeError):
        return False


def _loaded(text: str) -> object:
    return from_json(text) if text.strip() else {}
