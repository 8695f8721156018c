"""The house stands as `docs/architecture.md` draws it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from . import rooms

PAGE = rooms.PAGE.read_text("utf-8")
MODULES = rooms.modules()
ARROWS = rooms.arrows(MODULES)
AT_RUN_TIME = [arrow for arrow in ARROWS if arrow.kind != "types"]
PROVIDERS = sorted(path.parent.name for path in rooms.ROOT.glob("providers/*/pyproject.toml"))


# Core


def test_a_lower_room_never_imports_a_higher_one() -> None:
    assert [arrow for arrow in rooms.upward(ARROWS) if arrow.kind != "types"] == []


def test_the_arrows_upward_are_types_that_users_must_see() -> None:
    # An error shows its stream or a picture of it; a provider names the classes that it makes.
    assert {
        (arrow.source.rpartition(".")[2], arrow.target.rpartition(".")[2])
        for arrow in rooms.upward(ARROWS)
    } == {
        ("_decorators", "_async_structured_stream"),
        ("_decorators", "_structured_stream"),
        ("_errors", "_call_response"),
        ("_errors", "_picture"),
        ("_errors", "_stream_base"),
        ("_errors", "_structured_result"),
        ("_provider", "_async_stream"),
        ("_provider", "_call_response"),
        ("_provider", "_stream"),
    }


def test_nothing_goes_in_circles() -> None:
    assert rooms.circles((arrow.source, arrow.target) for arrow in AT_RUN_TIME) == []
    between = {(rooms.room_of(arrow.source), rooms.room_of(arrow.target)) for arrow in AT_RUN_TIME}
    assert rooms.circles(between) == []


def test_the_root_is_small() -> None:
    assert len(list((rooms.SOURCES / "mirascope" / "core").glob("*.py"))) <= 22


def test_the_transport_alone_touches_sockets_and_starts_threads() -> None:
    # Besides the server of the testing room, which is the other end.
    touching = re.compile(r"^import socket\b|^from socket\b|\bThread\($|\bThread\(\w", re.M)
    assert {
        rooms.room_of(module)
        for module, path in MODULES.items()
        if touching.search(path.read_text("utf-8")) and module.startswith("mirascope.core")
    } == {"_transport", "testing"}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_room_and_says_in_one_line_what_it_knows(module: str) -> None:
    assert rooms.room_of(module) in rooms.FLOOR
    line = rooms.summary(MODULES[module])
    assert re.fullmatch(r".{10,}[.:]", line), f"{MODULES[module]}: {line!r} is not a sentence"


@pytest.mark.parametrize("name", rooms.SECTIONS)
def test_the_page_is_in_step(name: str) -> None:
    written, made = rooms.section(PAGE, name), rooms.generated()[name]
    # Lines of code may move by a tenth, so that not every change of a source is one of the page.
    assert re.sub(LINES, "", written) == re.sub(LINES, "", made), "python tests/rooms.py --write"
    for before, now in zip(re.findall(LINES, written), re.findall(LINES, made), strict=True):
        assert int(before) == pytest.approx(int(now), rel=0.1, abs=20)


LINES = r"(?<=\d \| )\d+(?= \|)"


# Providers

FILES = set(re.findall(r"^\| `(\w+\.py)` \| [^|]+ \|$", PAGE.partition("One file list")[2], re.M))
EXTRA = re.compile(r"^\| `(\w+)` \| `(\w+(?:\.py|/))` \| [^|]{10,} \|$", re.M)
EXTRAS = set(EXTRA.findall(PAGE))


def test_the_page_has_the_one_list() -> None:
    names = """__init__ _plugin _provider _call _request _answer _decode _usage _errors _stream
    _call_response _call_response_chunk _sdk_objects"""
    assert {f"{name}.py" for name in names.split()} == FILES


def test_a_provider_has_the_files_of_the_one_list_and_those_that_the_page_explains() -> None:
    found: set[tuple[str, str]] = set()
    for provider in PROVIDERS:
        package = rooms.ROOT / "providers" / provider / "src" / f"mirascope_{provider}"
        for path in package.rglob("*.py"):
            inside = path.relative_to(package).parts
            if path.name not in FILES:
                found.add((provider, inside[-1]))
            if len(inside) > 1:
                found.add((provider, f"{inside[0]}/"))
    assert found == EXTRAS


# What the page promises


def test_everything_that_is_asked_for_is_where_the_page_says() -> None:
    rows = re.findall(r"^\| Where [^|]+\? \| `([^`]+)` \| `(\w+)` \|$", PAGE, re.M)
    assert len(rows) == 9
    for pattern, name in rows:
        paths = sorted(rooms.ROOT.glob(pattern.replace("<name>", "*")))
        assert paths, pattern
        for path in paths:
            assert re.search(
                rf"^\s*((async )?def|class) {name}\b|^{name}\b.* = ", path.read_text(), re.M
            )


# The measure itself


def test_sections_are_written_between_their_markers_alone() -> None:
    texts = {"rooms": "| a |", "files": "b"}
    page = rooms.write(PAGE, texts)
    assert {name: rooms.section(page, name) for name in rooms.SECTIONS} == texts
    assert rooms.write(page, {name: rooms.section(PAGE, name) for name in rooms.SECTIONS}) == PAGE
    with pytest.raises(ValueError, match="'rooms' must stand in the page"):
        rooms.write(page + page, texts)


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    core = tmp_path / "mirascope" / "core"
    (core / "wire").mkdir(parents=True)
    (core / "_prices").mkdir()
    (core / "__init__.py").write_text("from .wire import Framer\nfrom . import _state as state\n")
    (core / "_state.py").write_text(
        """
import typing
if typing.TYPE_CHECKING:
    from .wire._framer import Framer
def late():
    if True:
        with open("x"):
            import mirascope.core._prices._cost
class Now:
    from mirascope.core import wire
"""
    )
    (core / "wire" / "__init__.py").write_text("from ._framer import Framer\n")
    (core / "wire" / "_framer.py").write_text(
        "try:\n    from .._prices import _cost\nexcept ImportError:\n    pass\n"
    )
    (core / "_prices" / "__init__.py").write_text(
        """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from ._cost import Cost
else:
    import json
    def __getattr__(name): ...
"""
    )
    (core / "_prices" / "_cost.py").write_text("import decimal\nfrom ..wire import Framer\n")
    found = rooms.modules(tmp_path)
    arrows = [
        (a.source.removeprefix("mirascope."), a.target.removeprefix("mirascope.core."), a.kind)
        for a in rooms.arrows(found)
    ]
    assert arrows == [
        ("core", "_state", "at once"),
        ("core", "wire", "at once"),
        ("core._prices", "_prices._cost", "lazily"),
        ("core._prices._cost", "wire", "at once"),
        ("core._state", "_prices._cost", "lazily"),
        ("core._state", "wire", "at once"),
        ("core._state", "wire._framer", "types"),
        ("core.wire", "wire._framer", "at once"),
        ("core.wire._framer", "_prices._cost", "at once"),
    ]
    assert [(a.source, a.kind) for a in rooms.upward(rooms.arrows(found))] == [
        ("mirascope.core._state", "lazily"),
        ("mirascope.core._state", "at once"),
        ("mirascope.core._state", "types"),
        ("mirascope.core.wire._framer", "at once"),
    ]
    assert rooms.circles((a.source, a.target) for a in rooms.arrows(found)) == [
        [
            "mirascope.core._prices._cost",
            "mirascope.core.wire",
            "mirascope.core.wire._framer",
        ]
    ]


def test_a_folder_without_a_floor_is_an_error() -> None:
    with pytest.raises(ValueError, match="'_cellar' has no floor yet"):
        rooms.room_of("mirascope.core._cellar._wine")


def test_rooms_of_one_floor_know_nothing_of_one_another() -> None:
    arrow = rooms.Arrow("mirascope.core._tools._x", "mirascope.core._prices._y", "at once")
    assert rooms.upward([arrow]) == [arrow]
