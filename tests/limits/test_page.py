"""The page of limits has the numbers of the code, and every one of them."""

from __future__ import annotations

import re
from pathlib import Path

import httpcore
from mirascope.core import _errors
from mirascope.core._transport import _bounds, _drain
from mirascope.core.wire import JSONArrayFramer, LineFramer, SSEFramer
from mirascope.core.wire._framer import MAX_EVENT_BYTES

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"

BOUNDS = {
    "a stream": _bounds.MAX_STREAM_BYTES,
    "an answer without": _bounds.MAX_RESPONSE_BYTES,
    "one event": MAX_EVENT_BYTES,
    "the body of an error": (_bounds.MAX_ERROR_BYTES, _bounds.MAX_ERROR_SECONDS),
    "an error's message": _errors._SHOWN_MESSAGE,
    "a response's headers": httpcore._sync.http11.HTTP11Connection.MAX_INCOMPLETE_EVENT_SIZE,
    "content codings": _bounds._CODINGS,
    "what follows a stream's end": (_drain._BYTES, _drain._SECONDS),
    "the time of a call": None,
}

UNITS = {"": 1, "characters": 1, "seconds": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def number(text: str) -> float | None:
    if text == "none":
        return None
    count, _, unit = text.partition(" ")
    return float(count.replace(",", "")) * UNITS[unit]


def test_it_has_every_bound() -> None:
    row = r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \| [^|]+ \|$"
    rows = re.findall(row, PAGE.read_text("utf-8"), re.MULTILINE)
    found = {what: bound for what, bound in rows if not what.startswith(("what |", "---"))}
    found.pop("what")
    assert len(found) == len(BOUNDS)
    for (what, text), (name, bound) in zip(found.items(), BOUNDS.items(), strict=True):
        assert what.startswith(name)
        numbers = [number(part) for part in re.split(r", (?!\d{3})", text)]
        assert numbers == list(bound if isinstance(bound, tuple) else (bound,)), what


def test_every_framer_has_the_bound_of_one_event() -> None:
    for framer in (SSEFramer, LineFramer, JSONArrayFramer):
        assert framer.__init__.__defaults__ == (MAX_EVENT_BYTES,)
