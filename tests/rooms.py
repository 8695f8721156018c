"""The rooms of core, measured: what stands on which floor, and who imports whom.

`python tests/rooms.py` prints the tables of `docs/architecture.md`, made of the sources alone;
`--write` puts them into the page. `test_rooms.py` holds the house to them.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "core" / "src"
PAGE = ROOT / "docs" / "architecture.md"

GROUND = {
    "_types",
    "_state",
    "_causes",
    "_caution",
    "_scrub",
    "_errors",
    "_installation",
    "_observers",
    "_process",
    "_interruptions",
    "_public",
    "json",
}

# The floors from the ground up. A room imports rooms of lower floors only, so rooms that share a
# floor know nothing of one another.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("_secrets",),
    ("ground floor",),
    ("wire",),
    ("_transport", "_tools", "_structured", "_prices"),
    ("_provider",),
    ("_recording", "http"),
    ("_request",),
    ("_response",),
    ("plugins",),
    ("front doors",),
    ("testing",),
    ("cli",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# The rooms that are not a folder of their own have no docstring to tell what they are for.
ABOUT = {
    "ground floor": "What every room may know, and what knows of no other but the secrets.",
    "front doors": "The ways in: decorators, replay, prices, the names that people import.",
}

# When an import happens: with the module, later inside a function, or for type checkers alone.
Kind = Literal["at once", "lazily", "types"]


@dataclass(frozen=True, slots=True)
class Arrow:
    """One module imports another.

    Attributes:
        source: the module that imports, as a dotted name.
        target: the module that is imported.
        kind: when the import happens.
    """

    source: str
    target: str
    kind: Kind


def modules(sources: Path = SOURCES) -> dict[str, Path]:
    """Return every module of core's distribution by its dotted name.

    Templates are the modules of distributions that are still to be written.
    """
    found: dict[str, Path] = {}
    for path in sorted(sources.rglob("*.py")):
        parts = path.relative_to(sources).with_suffix("").parts
        if "templates" in parts:
            continue
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room_of(module: str) -> str:
    """Return the room that a module of core's distribution stands in.

    Raises:
        ValueError: its folder has no floor yet.
    """
    parts = module.split(".")
    if parts[:2] != ["mirascope", "core"]:
        if parts[1:] == ["_pytest_plugin"]:
            # Beside `mirascope.core`, which every run of pytest would otherwise import.
            return "testing"
        # `python -m mirascope` is the same program as the command line.
        return "cli" if parts[1:2] in (["cli"], ["__main__"]) else "front doors"
    if len(parts) > 2 and parts[2] in FLOOR:
        return parts[2]
    if len(parts) > 3:
        raise ValueError(f"{module!r}: {parts[2]!r} has no floor yet; add it to FLOORS")
    return "ground floor" if parts[-1] in GROUND else "front doors"


def arrows(found: Mapping[str, Path]) -> list[Arrow]:
    """Return every import between two of these modules, each kind once."""
    seen: set[Arrow] = set()
    for module, path in found.items():
        tree = ast.parse(path.read_text("utf-8"))
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        # A package with a `__getattr__` loads later what it shows to type checkers at once.
        shown: Kind = "lazily" if _has_getattr(tree.body) else "types"
        for node, kind in _imports(tree, "at once", shown):
            for target in _targets(node, package, found):
                if target != module:
                    seen.add(Arrow(module, target, kind))
    return sorted(seen, key=lambda arrow: (arrow.source, arrow.target, arrow.kind))


def _has_getattr(body: Iterable[ast.AST]) -> bool:
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
            return True
        if isinstance(node, ast.If) and _has_getattr([*node.body, *node.orelse]):
            return True
    return False


def _imports(
    node: ast.AST, kind: Kind, shown: Kind
) -> Iterator[tuple[ast.Import | ast.ImportFrom, Kind]]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node, kind
    elif isinstance(node, ast.If) and _is_type_checking(node.test):
        for statement in node.body:
            yield from _imports(statement, shown, shown)
        for statement in node.orelse:
            yield from _imports(statement, kind, shown)
    else:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and kind == "at once":
            kind = "lazily"
        for child in ast.iter_child_nodes(node):
            yield from _imports(child, kind, shown)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _targets(
    node: ast.Import | ast.ImportFrom, package: str, found: Mapping[str, Path]
) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in found)
        return
    base = node.module or ""
    if node.level:
        parts = package.split(".")
        stem = ".".join(parts[: len(parts) - node.level + 1])
        base = f"{stem}.{base}" if base else stem
    for alias in node.names:
        # `from . import _cost` imports a module, `from ._cost import Cost` a name out of one.
        target = f"{base}.{alias.name}" if f"{base}.{alias.name}" in found else base
        if target in found:
            yield target


def upward(all_arrows: Iterable[Arrow]) -> list[Arrow]:
    """Return the arrows that go to a higher floor, or to another room of the same one."""
    found: list[Arrow] = []
    for arrow in all_arrows:
        source, target = room_of(arrow.source), room_of(arrow.target)
        if source != target and FLOOR[target] >= FLOOR[source]:
            found.append(arrow)
    return found


def circles(edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the groups of nodes that lead back to themselves (Tarjan's algorithm)."""
    graph: dict[str, set[str]] = {}
    for source, target in edges:
        graph.setdefault(source, set()).add(target)
        graph.setdefault(target, set())
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in graph[node]:
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            position = stack.index(node)
            group = stack[position:]
            del stack[position:]
            if len(group) > 1:
                found.append(sorted(group))

    for node in graph:
        if node not in index:
            visit(node)
    return sorted(found)


def figures(found: Mapping[str, Path], every: Iterable[Arrow]) -> str:
    """Return the table of rooms, from the top floor down, and what breaks their order."""
    every = list(every)
    run_time = [arrow for arrow in every if arrow.kind != "types"]
    rows = ["| room | files | lines | imports |", "|---|---:|---:|---|"]
    for room in reversed(FLOOR):
        paths = [path for module, path in found.items() if room_of(module) == room]
        if paths:
            lines = sum(len(path.read_text("utf-8").splitlines()) for path in paths)
            targets = _rooms_below(room, run_time) or "nothing"
            rows.append(f"| {_title(room)} | {len(paths)} | {lines} | {targets} |")
    between = {(room_of(arrow.source), room_of(arrow.target)) for arrow in run_time}
    against = upward(every)
    typed = [
        f"`{_file(arrow.source)}` → `{_file(arrow.target)}`"
        for arrow in against
        if arrow.kind == "types"
    ]
    rows += [
        "",
        f"Arrows between rooms: {sum(source != target for source, target in between)}; "
        f"upward: {sum(arrow.kind != 'types' for arrow in against)}; "
        f"circles of rooms: {len(circles(between))}; "
        f"circles of modules: {len(circles((a.source, a.target) for a in run_time))}. "
        "Lazy imports count.",
        "",
        f"Upward for type checkers alone: {', '.join(typed) or 'none'}.",
    ]
    return "\n".join(rows)


def _rooms_below(room: str, run_time: Iterable[Arrow]) -> str:
    ways: dict[str, set[Kind]] = {}
    for arrow in run_time:
        if room_of(arrow.source) == room != room_of(arrow.target):
            ways.setdefault(room_of(arrow.target), set()).add(arrow.kind)
    return ", ".join(
        f"{_title(target)} (lazily)" if ways[target] == {"lazily"} else _title(target)
        for target in reversed(FLOOR)
        if target in ways
    )


def files(found: Mapping[str, Path]) -> str:
    """Return who knows what: every module with the first line of its docstring, by room."""
    parts: list[str] = []
    for room in reversed(FLOOR):
        members = [path for module, path in found.items() if room_of(module) == room]
        if not members:
            continue
        package = next((path for path in members if path.parts[-2:] == (room, "__init__.py")), None)
        about = ABOUT[room] if package is None else summary(package)
        parts += [f"**{_title(room)}** {about}", "", "| file | what it knows |", "|---|---|"]
        parts += [f"| `{_name(p)}` | {summary(p)} |" for p in members if p != package]
        parts += [""]
    return "\n".join(parts).rstrip()


def summary(path: Path) -> str:
    """Return the first line of a module's docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return docstring.partition("\n")[0].replace("|", "\\|")


def _title(room: str) -> str:
    return room if " " in room else f"`{room}/`"


def _name(path: Path) -> str:
    """A file's name in its room, with its folder in the command line's, which has several."""
    folder = path.parent.name
    return f"{folder}/{path.name}" if folder in ("mirascope", "scaffold") else path.name


def _file(module: str) -> str:
    return module.removeprefix("mirascope.core.").replace(".", "/") + ".py"


SECTIONS = ("rooms", "files")


def generated(sources: Path = SOURCES) -> dict[str, str]:
    """Return the text of each generated section of the page."""
    found = modules(sources)
    return {"rooms": figures(found, arrows(found)), "files": files(found)}


def section(page: str, name: str) -> str:
    """Return what stands between a section's markers.

    Raises:
        ValueError: the page has no such markers, or has them twice.
    """
    return _parts(page, name)[1]


def write(page: str, texts: Mapping[str, str]) -> str:
    """Return the page with its sections made anew."""
    for name, text in texts.items():
        before, _, after = _parts(page, name)
        page = before + text + after
    return page


def _parts(page: str, name: str) -> tuple[str, str, str]:
    marks = f"<!-- {name}: python tests/rooms.py --write -->\n\n", f"\n\n<!-- /{name} -->"
    if [page.count(mark) for mark in marks] != [1, 1]:
        raise ValueError(f"the markers of {name!r} must stand in the page, once")
    start, end = page.index(marks[0]) + len(marks[0]), page.index(marks[1])
    return page[:start], page[start:end], page[end:]


def main() -> None:
    """Print the sections, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="update docs/architecture.md")
    texts = generated()
    if parser.parse_args().write:
        PAGE.write_text(write(PAGE.read_text("utf-8"), texts), "utf-8")
    else:
        print("\n\n".join(texts.values()))


if __name__ == "__main__":
    main()
