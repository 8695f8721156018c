"""The pictures of the documents: drawn by the script, small, and complete in themselves."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from . import pictures


def test_the_architecture_is_as_the_script_draws_it() -> None:
    drawn = (pictures.ASSETS / "architecture.svg").read_text("utf-8")
    assert drawn == pictures.architecture(), "run python tests/pictures.py --write"


def test_the_terminal_shows_what_was_asked_and_what_it_cost() -> None:
    root = ElementTree.fromstring((pictures.ASSETS / "terminal.svg").read_text("utf-8"))
    lines = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    asked = [f'$ mirascope run -m {pictures.MODEL} "{prompt}"' for prompt in pictures.PROMPTS]
    assert [line for line in lines if line.startswith("$")] == asked
    assert sum(line.startswith(f"{pictures.MODEL}: ") for line in lines) == len(asked)


def test_a_line_is_wrapped_at_the_edge_of_the_terminal_and_escaped() -> None:
    root = ElementTree.fromstring(pictures.terminal("$ a <b> & c\n" + "word " * 40))
    lines = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert lines[0] == "$ a <b> & c"
    assert max(map(len, lines)) <= pictures.COLUMNS
    assert len(lines) == 4


@pytest.mark.parametrize("name", ["architecture", "terminal"])
def test_a_picture_is_small_and_refers_to_nothing_outside(name: str) -> None:
    drawn = (pictures.ASSETS / f"{name}.svg").read_text("utf-8")
    assert len(drawn.encode()) < 8_000
    assert drawn.replace("http://www.w3.org/2000/svg", "").count("http") == 0
