"""What the docstring of a function tells of the function and of its parameters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final, cast

_NAME: Final = re.compile(r"\W*(\w+)\W*")
"""A documented name without what is written around it: bullets, stars, backticks."""
_IN_BRACKETS: Final = re.compile(r"\([^()]*\)")
_WORD: Final = re.compile(r"\w+")
_HEADERS: Final = re.compile(
    "(arg|argument|default|except|exception|param|parameter|raise|return|type|yield)s?"
    "|examples?|keyword|optional|or|rtype|to",
    re.IGNORECASE,
)
"""The words with which sections, fields and types begin, in every style."""


def parse_docstring(
    text: str, parameters: Collection[str], hidden: Collection[str] = ()
) -> tuple[str, dict[str, str]]:
    """Return the description in a docstring, and those of the parameters by name.

    What the parser of the docstring does not understand is not lost: the description is then the
    whole text.

    Args:
        text: the docstring in Google, NumPy, reST or Epydoc style, its indentation removed.
        parameters: the names that can be described.
        hidden: names that may be described as well, and whose descriptions go nowhere.
    """
    # Here, because most programs that import this package have no tools.
    from docstring_parser import ParseError, parse

    try:
        parsed = parse(text)
    except ParseError:
        return text, {}
    described: dict[str, str] = {}
    # Returns, errors and examples are for whoever calls the function in Python.
    told: list[object] = [parsed.returns, *parsed.raises, *parsed.examples, parsed.deprecation]
    for parameter in parsed.params:
        names = list(_names(parameter.arg_name))
        if not all(name in parameters or name in hidden for name in names):
            continue
        told.append(parameter)
        if parameter.description:
            described |= dict.fromkeys((n for n in names if n in parameters), parameter.description)
    parts = (parsed.short_description, parsed.long_description)
    description = "\n\n".join(part for part in parts if part)
    known = " ".join(filter(None, [description, *_texts(told)]))
    if _lost(text, known):
        return text, described
    return description, described


def _names(text: str) -> Iterator[str]:
    """Yield the names that one entry describes: NumPy's style puts several into one."""
    for part in _IN_BRACKETS.sub("", text).split(","):
        found = _NAME.fullmatch(part)
        yield found[1] if found else part


def _texts(told: list[object]) -> Iterator[str]:
    """Yield every text of what the parser found."""
    for found in told:
        for value in () if found is None else vars(found).values():
            if isinstance(value, str):
                yield value
            elif isinstance(value, list):
                yield from map(str, cast("list[object]", value))


def _lost(text: str, known: str) -> bool:
    """Whether words of a docstring are in nothing that the parser made of it."""
    rest = Counter(_WORD.findall(text)) - Counter(_WORD.findall(known))
    return any(_HEADERS.fullmatch(word) is None for word in rest)
