"""A terminal of a given size, and `mirascope run` in one."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest
from mirascope.core.testing import Server

from .program import DEADLINE, command, environment


class Terminal:
    """What a terminal of this size makes of the output.

    Lines that have left the screen at its top can't be changed any more: the cursor stops there.
    """

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._rows: list[list[str]] = [[]]
        self._row = self._column = 0

    def feed(self, output: str) -> None:
        position = 0
        for found in re.finditer(r"\x1b\[([?\d;]*)([A-Za-z])|[\x00-\x1f]", output):
            self._write(output[position : found.start()])
            position = found.end()
            top = max(0, len(self._rows) - self._height)
            match found[0], found[2]:
                case "\r", _:
                    self._column = 0
                case "\n", _:
                    self._line_feed()
                case _, "A":
                    self._row = max(top, self._row - int(found[1] or 1))
                case _, "K":
                    assert found[1] == "2"
                    self._rows[self._row] = []
                case _, "m" | "h" | "l":
                    pass
                case _:
                    pytest.fail(f"the terminal was sent {found[0]!r}")
        self._write(output[position:])

    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self._rows]

    def _write(self, text: str) -> None:
        for character in text:
            if self._column == self._width:
                self._column = 0
                self._line_feed()
            row = self._rows[self._row]
            row += " " * (self._column + 1 - len(row))
            row[self._column] = character
            self._column += 1

    def _line_feed(self) -> None:
        self._row += 1
        if self._row == len(self._rows):
            self._rows.append([])


class TerminalRun:
    """`mirascope run` with a terminal of 60 by 16 for its input and output."""

    def __init__(self, server: Server, *arguments: str, term: str = "xterm-256color") -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 16, 60, 0, 0))
        self.process = subprocess.Popen(
            command("run", "-m", "compatible/gpt-4o", "--base-url", server.url, *arguments, "hi"),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(TERM=term),
        )
        os.close(slave)
        self.output = ""
        self._undecoded = b""

    def read_until(self, text: str) -> None:
        end = time.monotonic() + DEADLINE
        while text not in self.output:
            assert time.monotonic() < end, self.output
            assert self._read(), self.output

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def finish(self) -> int:
        while self._read():
            pass
        os.close(self._master)
        return self.process.wait(DEADLINE)

    def screen(self) -> list[str]:
        terminal = Terminal(60, 16)
        terminal.feed(self.output)
        return terminal.lines()

    def _read(self) -> bool:
        if not select.select([self._master], [], [], DEADLINE)[0]:
            self.process.kill()
            pytest.fail(f"nothing more came after {self.output!r}")
        try:
            data = os.read(self._master, 65536)
        except OSError:
            # Linux says so when the last process has left the terminal.
            return False
        self._undecoded += data
        text = self._undecoded.decode(errors="ignore")
        if text.encode() == self._undecoded:
            self.output += text
            self._undecoded = b""
        return bool(data)
