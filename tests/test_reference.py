"""The API reference has every public name, and each of them has a docstring."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import griffe
import pytest

ROOT = Path(__file__).parent.parent
PUBLIC: dict[str, str] = tomllib.loads((ROOT / "tests" / "public_names.toml").read_text("utf-8"))
WORDS = re.compile(r"^::: (\S+)$", re.MULTILINE)


@cache
def sources() -> griffe.ModulesCollection:
    """Every distribution of this repository, read and not imported, as the site reads them."""
    paths = [ROOT / "core" / "src", *ROOT.glob("providers/*/src")]
    loader = griffe.GriffeLoader(search_paths=paths)
    for package in (found for path in paths for found in path.glob("mirascope*")):
        loader.load(package.name)
    loader.resolve_aliases(implicit=True, external=False)
    return loader.modules_collection


def found(path: str) -> Any:
    """What a dotted name stands for, where it is defined."""
    thing = sources()[path]
    return thing.final_target if thing.is_alias else thing


def pages() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "docs" / "api").glob("*.md")):
        for name in WORDS.findall(path.read_text("utf-8")):
            yield path.name, name


def names() -> Iterator[str]:
    for module, listed in PUBLIC.items():
        declared = getattr(importlib.import_module(module), "__all__", ())
        for name in sorted({*listed.split(), *declared}):
            yield f"{module}.{name}"


@cache
def documented() -> frozenset[str]:
    return frozenset(found(name).path for _, name in pages())


def test_every_public_name_is_in_the_reference() -> None:
    missing = []
    for name in names():
        try:
            thing = found(name)
        except KeyError:  # made when it is asked for, as `mirascope.core.openai` is
            assert importlib.import_module(name)
            continue
        if thing.is_module or name.endswith("__version__"):
            continue
        if thing.path not in documented():
            missing.append(name)
    assert not missing, "add a line `::: name` to a page of docs/api"


def test_nothing_is_there_twice() -> None:
    once = [found(name).path for _, name in pages()]
    assert len(once) == len(set(once))


@pytest.mark.parametrize(("page", "name"), list(pages()))
def test_what_is_documented_has_words(page: str, name: str) -> None:
    """Itself, its methods, and its fields: in `Attributes:`, or under the field."""
    thing = found(name)
    assert thing.docstring, f"{name} on {page} has no docstring"
    if not thing.is_class:
        return
    told = {name for base in (thing, *thing.mro()) for name in told_by(base)}
    silent = [
        member.name
        for member in thing.members.values()
        if not member.name.startswith("_")
        and not member.is_alias
        and not member.docstring
        and member.name not in told
        and member.name != "model_config"  # pydantic's
    ]
    # The parameters of an API are told by its own page.
    if not (thing.name.endswith("CallParams") and "https://" in thing.docstring.value):
        assert not silent, f"{name} on {page}"


def told_by(thing: Any) -> Iterator[str]:
    """The members that have a docstring of their own, or that the class's docstring names."""
    yield from (name for name, member in thing.members.items() if member.docstring)
    if thing.docstring:
        yield from re.findall(r"`(\w+)`", thing.docstring.value)
        for section in thing.docstring.parse("google"):
            if section.kind.value in ("attributes", "parameters"):
                yield from (item.name for item in section.value)
