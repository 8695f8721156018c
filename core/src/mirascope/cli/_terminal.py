"""An answer in a terminal: Markdown that is rendered while it arrives, of any height."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment, SegmentLines
from rich.text import Text

from ._markdown import Block, split_blocks, split_finished
from ._output import Display, PlainDisplay, SurrogateJoiner, printable

if TYPE_CHECKING:
    from mirascope.core import BaseTool

_PAUSE: Final = 0.1
"""Seconds between two repaints."""


def terminal_display(language: str | None = None) -> Display:
    """Return a display for the terminal on standard output, as good as it can.

    Args:
        language: what the answer is written in, such as `"json"`; None for Markdown.
    """
    # An answer must not fail because a terminal lacks one of its characters.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    console = Console(highlight=False, markup=False, emoji=False)
    if console.is_dumb_terminal:
        return PlainDisplay(visible_controls=True)
    return TerminalDisplay(console, language)


@dataclass(frozen=True, slots=True)
class _Pending:
    """What has arrived and is not printed for good.

    Attributes:
        source: the Markdown text.
        separate: whether a blank line stands before it.
        item: the number of the item that it begins with, where a list goes on.
        printed: how many lines of it, as rendered, are printed already.
        width: the width that they were rendered in.
    """

    source: str = ""
    separate: bool = False
    item: int | None = None
    printed: int = 0
    width: int = 0


class TerminalDisplay:
    """Prints the blocks of an answer for good as soon as they are finished.

    Only what is unfinished is repainted, and never more of it than the screen has room for:
    nothing can be repainted once it has left the screen. An open code block that is taller is
    printed line by line; of anything else that is taller the end shows until it is finished.

    Args:
        console: the terminal.
        language: what the answer is written in, which is shown as one code block; None for
            Markdown.
    """

    def __init__(self, console: Console, language: str | None = None) -> None:
        self._console = console
        self._language = language
        self._joined = SurrogateJoiner()
        self._pending: _Pending = _Pending()
        self._live: Live | None = None
        # rich's own thread and a print in another one can write over each other's lines.
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._repainter: threading.Thread | None = None
        self._line_ended = False
        self._next_settling = 0.0
        self._thinks = False

    def text(self, text: str) -> None:
        """Show more of the answer."""
        with self._painting():
            self._show(self._joined(text))

    def thinking(self, text: str) -> None:
        """Show more of the reasoning, dimmed."""
        with self._painting():
            if self._live is not None:
                self._end_answer()
                self._console.print()
            self._thinks = True
            text = printable(self._joined(text))
            self._console.print(Text(text, style="dim"), end="", soft_wrap=True)

    def tool(self, tool: BaseTool) -> None:
        """Show nothing: calls are told on standard error, after the answer."""

    def close(self, *, completed: bool) -> None:
        """Print what is left."""
        self._closed.set()
        with self._painting():
            self._show(self._joined("", final=True))
            self._end_thinking()
            self._end_answer()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render what the screen has room for of the unfinished text."""
        pending = self._pending
        lines = self._render(split_blocks(pending.source, pending.item), pending)
        # The cursor waits on a line of its own: what is typed there, the ^C of an interrupt above
        # all, must not break the last line in two.
        yield SegmentLines([*lines[-self._room :], []], new_lines=True)

    def _show(self, text: str) -> None:
        if not text:
            return
        if self._language is not None:
            # Its own lines end no block: JSON has no line that begins with a fence.
            text, self._language = f"```{self._language}\n{text}", None
        self._end_thinking()
        self._pending = replace(self._pending, source=self._pending.source + printable(text))
        if self._live is None:
            self._live = Live(
                self,
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start(refresh=True)
        if self._repainter is None:
            self._repainter = threading.Thread(target=self._repaint, daemon=True)
            self._repainter.start()
        self._line_ended = self._line_ended or "\n" in text
        now = time.monotonic()
        if self._line_ended and now >= self._next_settling:
            self._line_ended = False
            self._settle()
            self._next_settling = now + _pause(time.monotonic() - now)

    def _repaint(self) -> None:
        """Paint what has arrived, also while the stream is silent."""
        pause = _pause(0)
        while not self._closed.wait(pause):
            start = time.monotonic()
            with self._lock:
                if self._live is not None:
                    try:
                        self._live.refresh()
                    except OSError:
                        # The terminal is gone, which the reader of the stream notices by itself.
                        return
            pause = _pause(time.monotonic() - start)

    @contextlib.contextmanager
    def _painting(self) -> Generator[None, None, None]:
        with _interrupts_wait(), self._lock:
            yield

    def _settle(self) -> None:
        """Print for good what can be."""
        pending = self._pending
        split = split_finished(pending.source, pending.item)
        if split.finished:
            self._pending = _Pending(split.rest, split.item is None, split.item)
            self._print(self._render(split.finished, pending))
            pending = self._pending
        blocks = split_blocks(pending.source, pending.item)
        if [block.kind for block in blocks] == ["fence"]:
            lines = self._render(blocks, pending)
            # The lines of code stand still while more is added; only the last ones may not.
            count = len(lines) - self._room
            if count > 0:
                before = self._printed(pending)
                width = self._console.width
                self._pending = replace(pending, printed=before + count, width=width)
                self._print(lines[:count])

    def _render(self, blocks: Sequence[Block], pending: _Pending) -> list[list[Segment]]:
        """Return the lines that blocks at the beginning of the pending text still need."""
        lines: list[list[Segment]] = []
        separate = pending.separate
        for block in blocks:
            if separate and not block.follows_item:
                lines.append([])
            rendered = self._console.render_lines(block.render(), pad=False)
            lines += _without_blank_ends([_without_padding(line) for line in rendered])
            separate = True
        return lines[self._printed(pending) :]

    def _printed(self, pending: _Pending) -> int:
        """Return how many lines are printed; none count once they would be broken elsewhere."""
        return pending.printed if pending.width == self._console.width else 0

    def _print(self, lines: list[list[Segment]]) -> None:
        self._console.print(SegmentLines(lines, new_lines=True), end="")

    @property
    def _room(self) -> int:
        return max(1, self._console.height - 2)

    def _end_thinking(self) -> None:
        if self._thinks:
            self._thinks = False
            self._console.print("\n")

    def _end_answer(self) -> None:
        """Print all that is pending, finished or not."""
        if self._live is None:
            return
        live, self._live = self._live, None
        pending, self._pending = self._pending, _Pending()
        try:
            self._print(self._render(split_blocks(pending.source, pending.item), pending))
        finally:
            live.stop()


def _pause(took: float) -> float:
    """Return how long to wait after work that took so long, so that it never takes all the time."""
    return max(_PAUSE, 5 * took)


def _without_padding(line: list[Segment]) -> list[Segment]:
    """Return a line without the blanks at its end that nobody sees.

    rich fills lines up to the terminal's edge, where terminals differ in what happens next, and
    what is copied from them has the blanks at its end.
    """
    line = list(line)
    while line and (line[-1].style is None or line[-1].style.bgcolor is None):
        text, style, control = line.pop()
        if text := text.rstrip():
            line.append(Segment(text, style, control))
            break
    return line


def _without_blank_ends(lines: list[list[Segment]]) -> list[list[Segment]]:
    """Return lines without the blank ones around them: blocks are set apart alike."""
    seen = [number for number, line in enumerate(lines) if line]
    return lines[seen[0] : seen[-1] + 1] if seen else []


@contextlib.contextmanager
def _interrupts_wait() -> Generator[None, None, None]:
    """Let Ctrl-C wait for the end of the block: half a repaint leaves the screen in disorder."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    interrupted = False

    def remember(_number: int, _frame: object) -> None:
        nonlocal interrupted
        interrupted = True

    signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if interrupted:
        raise KeyboardInterrupt
