"""On which line of a TOML document something stands, which `tomllib` does not say."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where something stands in a document: keys, and numbers of rows (the first is 1)."""

_NAME: Final = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_HEADER: Final = re.compile(rf"\s*\[\[?\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")
_PART: Final = re.compile(_NAME)
_SKIPPED: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|'
    r"'''.*?'''|"
    r'"(?:[^"\\\n]|\\.)*"|'
    r"'[^'\n]*'|"
    r"#[^\n]*",
    re.S,
)
_BRACKETS: Final = re.compile(r"[\[\]{}]")


def lines_of(text: str) -> dict[Path, int]:
    """Return the line of every table, key and row of a list, by its path."""
    # Strings and comments hold brackets that open nothing.
    bare = _SKIPPED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    lines: dict[Path, int] = {}
    table: Path = ()
    counts: dict[Path, int] = {}
    key: Path = ()
    depth = 0
    for number, (line, shown) in enumerate(
        zip(text.splitlines(), bare.splitlines(), strict=False), 1
    ):
        if depth == 0:
            if (header := _HEADER.match(line)) is not None:
                table = _path(header[1])
                if line.lstrip().startswith("[["):
                    counts[table] = counts.get(table, 0) + 1
                    table = (*table, counts[table])
                lines.setdefault(table, number)
                continue
            if (found := _KEY.match(line)) is not None:
                key = (*table, *_path(found[1]))
                lines.setdefault(key, number)
        for bracket in _BRACKETS.finditer(shown):
            if bracket[0] in "[{":
                depth += 1
                if bracket[0] == "{" and depth == 2:
                    counts[key] = counts.get(key, 0) + 1
                    lines.setdefault((*key, counts[key]), number)
            else:
                depth = max(0, depth - 1)
    return lines


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """Return the line of a path, or of the nearest thing around it that has one."""
    for length in range(len(path), 0, -1):
        if (line := lines.get(path[:length])) is not None:
            return line
    return None


def _path(dotted: str) -> Path:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in _PART.findall(dotted))
