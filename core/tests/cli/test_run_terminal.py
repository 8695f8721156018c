"""`mirascope run` in a real terminal."""

from __future__ import annotations

import io
import itertools
import re
import signal
import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mirascope.cli._terminal import TerminalDisplay
from mirascope.core.testing import Hold, Pause, Server, Step, streamed
from mirascope_tests.chat import answer, chunk
from rich.console import Console

from .program import DEADLINE
from .terminals import Terminal, TerminalRun

LONG_ANSWER = "\n".join(
    [
        "# mark-0 title",
        "",
        "mark-1 a paragraph of **bold** words that is longer than the terminal is wide, with",
        "mark-2 a second line, <b>mark-3</b> and [mark-4](http://x.example/mark-5).",
        "",
        *[f"{number}. mark-{number + 5} item" for number in range(1, 31)],
        "",
        "```python",
        *[f"print('mark-{number}')" for number in range(36, 76)],
        "```",
        "",
        "| left | right |",
        "|------|-------|",
        *[f"| mark-{number} | cell |" for number in range(76, 106)],
        "",
        "- mark-106",
        "- mark-107",
        "  - mark-108",
        "",
        "> mark-109",
        "",
        "mark-110 " + " ".join(f"mark-{number}" for number in range(111, 300)),
        "",
        "mark-300",
    ]
)


def test_an_answer_taller_than_the_terminal_is_all_there_once(
    serve: Callable[..., Server],
) -> None:
    pieces = re.findall(r"(?s).{1,12}", LONG_ANSWER)
    steps: list[Step] = []
    for number, step in enumerate(answer(*pieces)):
        steps.append(step)
        if number % 4 == 0:
            # The steps are spread over time, so that much is repainted.
            steps.append(Pause(0.01))
    session = TerminalRun(serve(streamed(*steps)))
    assert session.finish() == 0
    shown = session.screen()
    marks = re.findall(r"mark-\d+", "\n".join(shown))
    assert marks == [f"mark-{number}" for number in range(301)]
    assert " 9 mark-14 item" in [line.replace("  ", " ") for line in shown]
    assert "<b>mark-3</b> and mark-4 (http://x.example/mark-5)." in " ".join(shown)
    assert shown[-1] == ""
    assert "12 tokens in, 102 out" in "".join(shown[-3:])


@pytest.mark.parametrize(
    "rows",
    [
        ["| left | right |", "|---|---|", *[f"| row-{n} | cell |" for n in range(40)]],
        ["```", *[f"row-{n}" for n in range(40)]],
        ["- item", *[f"  - row-{n}" for n in range(40)]],
    ],
    ids=["table", "code", "list"],
)
def test_the_end_of_what_is_taller_than_the_terminal_shows(
    serve: Callable[..., Server], rows: list[str]
) -> None:
    seen = threading.Event()
    session = TerminalRun(
        serve(streamed(*[chunk(f"{row}\n") for row in rows], Hold(seen), *answer("")))
    )
    session.read_until("row-39")
    assert "row-39" in "".join(session.screen()[-16:])
    seen.set()
    assert session.finish() == 0
    shown = re.findall(r"row-\d+", "\n".join(session.screen()))
    assert shown == [f"row-{n}" for n in range(40)]


FRAGMENTS = [
    "# Head\n",
    "para one two\n",
    "\n",
    "- a\n",
    "  - b\n",
    "    more\n",
    "1. x\n",
    "1. y\n",
    "7. z\n",
    "```\ncode\n\nmore code\n```\n",
    "```py\nx = 1\n",
    "```\n",
    "> quote\n",
    "> > inner\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "| 3 | 4 |\n",
    "---\n",
    "***\n",
    "===\n",
    "word ",
    "**bold",
    "** ",
    "*em* ",
    "`tick` ",
    "<b>html</b> ",
    "<div>\n",
    "[link](http://a.example) ",
    "[ref][1] ",
    "[1]: http://b.example\n",
    "![image](c.png) ",
    "long " * 30 + "\n",
    "日本語 ",
    "\t- tab\n",
    "row\n" * 25,
    "- item\n" * 20,
    "```\n" + "line\n" * 30,
]


def on_screen(pieces: list[str]) -> list[str]:
    """What a terminal shows of an answer that arrives like this, as words."""
    output = io.StringIO()
    console = Console(
        file=output, force_terminal=True, width=60, height=16, color_system=None, _environ={}
    )
    display = TerminalDisplay(console)
    for piece in pieces:
        display.text(piece)
    display.close(completed=True)
    terminal = Terminal(60, 16)
    terminal.feed(output.getvalue().replace("\n", "\r\n"))
    return re.findall(r"\w+", " ".join(terminal.lines()))


@settings(max_examples=60, deadline=None)
@given(
    fragments=st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=20),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=20),
)
def test_the_screen_ends_the_same_however_an_answer_is_cut(
    fragments: list[str], sizes: list[int]
) -> None:
    source = "".join(fragments)
    pieces, start = [], 0
    for size in itertools.cycle(sizes):
        pieces.append(source[start : start + size])
        start += size
        if start >= len(source):
            break
    with pytest.MonkeyPatch.context() as patch:
        # Everything is settled and painted as soon as it can be, not when a tenth of a second is
        # over.
        patch.setattr("mirascope.cli._terminal._pause", lambda took: 0.0)
        assert on_screen(pieces) == on_screen([source])


def test_text_is_shown_while_it_arrives(serve: Callable[..., Server]) -> None:
    seen = threading.Event()
    session = TerminalRun(
        serve(streamed(chunk("Half a **sent"), Hold(seen), *answer("ence** is *shown*")))
    )
    session.read_until("Half a **sent")
    seen.set()
    assert session.finish() == 0
    assert session.screen()[0] == "Half a sentence is shown"
    # The cursor is back.
    assert session.output.rfind("\x1b[?25h") > session.output.rfind("\x1b[?25l")


def test_reasoning_is_dimmed(serve: Callable[..., Server]) -> None:
    thoughts = [chunk(reasoning_content="let me "), chunk(reasoning_content="think\nabout it")]
    session = TerminalRun(serve(streamed(*thoughts, *answer("Yes."))))
    assert session.finish() == 0
    assert session.screen()[:4] == ["let me think", "about it", "", "Yes."]
    assert "\x1b[2mlet me " in session.output


def test_what_a_model_sends_does_not_command_the_terminal(serve: Callable[..., Server]) -> None:
    evil = "a\x1b]0;title\x07b\x1b[2J\x9b2Jc"
    session = TerminalRun(serve(streamed(chunk(reasoning_content=evil), *answer(evil))))
    assert session.finish() == 0
    assert session.screen()[0] == "a␛]0;title␇b␛[2J\ufffd2Jc"
    assert session.screen()[2] == "a␛]0;title␇b␛[2J\ufffd2Jc"


def test_a_terminal_that_can_do_nothing_gets_plain_text(serve: Callable[..., Server]) -> None:
    session = TerminalRun(serve(streamed(*answer("**a**\x1b[1m\n", "b"))), term="dumb")
    assert session.finish() == 0
    assert session.screen()[:2] == ["**a**␛[1m", "b"]
    assert "\x1b" not in session.output


def test_ctrl_c_in_a_terminal(serve: Callable[..., Server]) -> None:
    # The last line is as wide as the terminal: what is typed would be shown on the next one.
    last = "Two *and" + " x" * 26
    server = serve(streamed(chunk(f"One.\n\n{last}"), Hold()))
    session = TerminalRun(server)
    session.read_until(last)
    session.type(b"^C")
    session.process.send_signal(signal.SIGINT)
    assert session.finish() == -signal.SIGINT
    shown = session.screen()
    assert shown[:4] == [
        "One.",
        "",
        last,
        "mirascope: stopped before the answer was complete",
    ]
    assert "cancelled" in "".join(shown[4:])
    assert session.output.rfind("\x1b[?25h") > session.output.rfind("\x1b[?25l")
    assert "Traceback" not in session.output
    server.wait_closed(0, DEADLINE)
