"""What is written where: the answer on standard output, everything else on standard error."""

from __future__ import annotations

import codecs
import os
import sys
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from mirascope.core import BaseTool

# A terminal obeys control characters, and a model or a server can send any.
_CONTROLS: Final = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t\r"},
    0x0D: None,
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}


def printable(text: str) -> str:
    """Return text with its control characters, line ends and tabs apart, made visible."""
    return text.translate(_CONTROLS)


def note(text: str) -> None:
    """Write one line on standard error."""
    print(printable(" ".join(text.split())), file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Write what went wrong as one line on standard error."""
    note(f"mirascope: {text}")


def write_line(text: str) -> None:
    """Write a line of UTF-8 on standard output, whatever its encoding is set to."""
    _write(f"{text}\n")


def discard_standard_output() -> None:
    """Let the interpreter's last flush of a standard output that can't be written succeed.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Display(Protocol):
    """Shows an answer while it arrives."""

    def text(self, text: str) -> None:
        """Show more of the answer."""

    def thinking(self, text: str) -> None:
        """Show more of the reasoning."""

    def tool(self, tool: BaseTool) -> None:
        """Show a tool call."""

    def close(self, *, completed: bool) -> None:
        """Show what is left; nothing follows. `completed`: True if the answer is whole."""


class PlainDisplay:
    """Writes the answer's text and nothing else, with one line end after it.

    Args:
        visible_controls: show control characters instead of letting a terminal obey them.
    """

    def __init__(self, *, visible_controls: bool = False) -> None:
        self._joined = SurrogateJoiner()
        self._visible_controls = visible_controls
        self._written = False

    def text(self, text: str) -> None:
        """Write more of the answer."""
        text = self._joined(text)
        if text:
            self._written = True
            _write(printable(text) if self._visible_controls else text)

    def thinking(self, text: str) -> None:
        """Show nothing: reasoning is not part of the answer."""

    def tool(self, tool: BaseTool) -> None:
        """Show nothing: calls are told on standard error."""

    def close(self, *, completed: bool) -> None:
        """End the last line. Nothing is written for an answer that failed before it began."""
        rest = self._joined("", final=True)
        if completed or self._written or rest:
            _write(f"{rest}\n")


class SurrogateJoiner:
    """Joins surrogate pairs that a server cut in two, and replaces halves that stay alone.

    Servers that cut their JSON between the escapes of one character send a half in each event;
    neither half can be written as UTF-8.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-16-le")("replace")

    def __call__(self, text: str, *, final: bool = False) -> str:
        return self._decoder.decode(text.encode("utf-16-le", "surrogatepass"), final)


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
