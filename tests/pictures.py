"""The two pictures of the documents: what the command prints, and how an answer flows.

`python tests/pictures.py --write` draws them into `docs/assets/`. The terminal is the real program
with the model of `local`, run now; the flow is drawn of the list below.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

ASSETS: Final = Path(__file__).parents[1] / "docs" / "assets"
COLUMNS: Final = 80
"""How wide the terminal is."""
MODEL: Final = "local/smollm2-135m"
PROMPTS: Final = ("What is the capital of Norway?", "Write a short poem about rain")

_MONOSPACED: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_SANS: Final = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
# Dark enough under white words, and light enough on a dark page.
_STEP: Final = 210
"""From one box to the next, of which it is 160 wide."""
_YOURS, _CORE, _PLUGIN, _LINE = "#64707d", "#2f62b3", "#27794a", "#848d97"


class Stage(NamedTuple):
    """One step of an answer.

    Attributes:
        name: what it is called in the code.
        note: what it does.
        colour: whose it is.
    """

    name: str
    note: str
    colour: str


OUT: Final = (
    Stage("your function", "prompt, tools", _YOURS),
    Stage("Call", "checks, renders", _CORE),
    Stage("request", "the API's words", _PLUGIN),
    Stage("transport", "sends, reads", _PLUGIN),
)
BACK: Final = (
    Stage("your loop", "(chunk, tool)", _YOURS),
    Stage("Accumulator", "the answer so far", _CORE),
    Stage("decoder", "events to deltas", _PLUGIN),
    Stage("framer", "bytes to events", _CORE),
)


def terminal(shown: str) -> str:
    """Return the picture of a terminal.

    Args:
        shown: what was typed, behind `$ `, and what came; the line with the summary is dimmed.
    """
    lines = [part for line in shown.splitlines() for part in _wrapped(line)]
    width, height = COLUMNS * 8.4 + 40, len(lines) * 20 + 64
    return _svg(
        width,
        height,
        "mirascope run in a terminal: an answer, and one line with its tokens, cost and times",
        [
            f'<rect width="{width:g}" height="{height}" rx="8" fill="#1b1f24"/>',
            *(
                f'<circle cx="{22 + 20 * number}" cy="20" r="6" fill="{colour}"/>'
                for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
            ),
            f'<g font-family="{_MONOSPACED}" font-size="14" xml:space="preserve">',
            *(
                f'<text x="20" y="{58 + 20 * number}" fill="{_ink(line)}">{escape(line)}</text>'
                for number, line in enumerate(lines)
            ),
            "</g>",
        ],
    )


def architecture() -> str:
    """Return the picture of an answer's way: out in the upper row, and back in the lower one."""
    return _svg(
        830,
        262,
        "A call goes out through core and a plugin, and its answer comes back to your loop",
        [
            f'<g font-family="{_SANS}" text-anchor="middle">',
            *_row(OUT, 20),
            *_row(BACK, 148),
            *(_arrow(f"M{182 + _STEP * gap} 52h40") for gap in range(3)),
            *(_arrow(f"M{228 + _STEP * gap} 180h-40") for gap in range(3)),
            _arrow("M730 86v56"),
            *(
                f'<text x="{x}" y="{y}" font-size="12" fill="{_LINE}">{word}</text>'
                for x, y, word in ((415, 170, "deltas"), (625, 170, "events"), (706, 122, "bytes"))
            ),
            *(
                f'<rect x="{x}" y="234" width="12" height="12" rx="3" fill="{colour}"/>'
                f'<text x="{x + 18}" y="245" font-size="13" fill="{_LINE}" text-anchor="start">'
                f"{word}</text>"
                for x, colour, word in (
                    (20, _YOURS, "yours"),
                    (100, _CORE, "core: no I/O"),
                    (220, _PLUGIN, "provider plugin: its transport is the only I/O"),
                )
            ),
            "</g>",
        ],
    )


def _row(stages: Iterable[Stage], top: int) -> Iterator[str]:
    for number, stage in enumerate(stages):
        left = 20 + _STEP * number
        yield f'<rect x="{left}" y="{top}" width="160" height="64" rx="8" fill="{stage.colour}"/>'
        for y, size, text in ((28, 16, stage.name), (48, 12, stage.note)):
            yield (
                f'<text x="{left + 80}" y="{top + y}" font-size="{size}" fill="#fff">'
                f"{escape(text)}</text>"
            )


def _arrow(path: str) -> str:
    return f'<path d="{path}" stroke="{_LINE}" fill="none" marker-end="url(#head)"/>'


def _svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">',
        f"<title>{escape(title)}</title>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        f'markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="{_LINE}"/></marker></defs>',
    )
    return "\n".join((*head, *parts, "</svg>", ""))


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, COLUMNS, break_long_words=False) or [""]


def _ink(line: str) -> str:
    if line.startswith("$ "):
        return "#7ee787"
    return "#9da7b3" if line.startswith(f"{MODEL}:") else "#e6edf3"


def run(prompt: str) -> str:
    """Ask the model and return what was typed for it, and what came."""
    done = subprocess.run(
        [sys.executable, "-m", "mirascope", "run", "-m", MODEL, prompt],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return f'$ mirascope run -m {MODEL} "{prompt}"\n{done.stdout}'


def main() -> None:
    """Draw both, into the documents where that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write them into docs/assets")
    is_written = parser.parse_args().write
    shown = "\n".join(map(run, PROMPTS))
    for name, svg in (("architecture", architecture()), ("terminal", terminal(shown))):
        if is_written:
            (ASSETS / f"{name}.svg").write_text(svg, "utf-8")
        print(f"{name}.svg: {len(svg.encode())} bytes")


if __name__ == "__main__":
    main()
