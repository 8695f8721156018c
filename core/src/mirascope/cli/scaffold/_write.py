"""Fill the templates in, and write a distribution into an empty directory."""

from __future__ import annotations

import datetime
import importlib.metadata
import importlib.resources
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ._kinds import PARTS, Kind, Parts
from ._names import Names

_WRITTEN_ON: Final = "2026-11-30"
"""The day in the template of the prices."""


def write_files(names: Names, kind: Kind, directory: Path) -> list[str]:
    """Write a distribution and return the paths of its files, relative to its directory.

    Raises:
        OSError: a file can't be written.
        UsageError: the directory is in use.
    """
    check_directory(directory)
    files = _files(names, PARTS[kind])
    for path, text in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    return sorted(files)


def check_directory(directory: Path) -> None:
    """Raise where a directory has files already; a repository without any is empty.

    Raises:
        OSError: it can't be read, or is not a directory.
        UsageError: it is in use.
    """
    from mirascope.core import UsageError

    if directory.exists() and {path.name for path in directory.iterdir()} - {".git"}:
        raise UsageError(
            f"{str(directory)!r} is not empty, and nothing in it is overwritten: give another --dir"
        )


def _files(names: Names, parts: Parts) -> Mapping[str, str]:
    project = dict(_project(names, parts))
    for target, source in parts.sources.items():
        text = _template(f"{parts.folder}/src/mirascope_new_name/{source}")
        project[f"src/{names.package}/{target}"] = text
    for name in parts.tests:
        project[f"tests/{name}"] = _template(f"{parts.folder}/tests/{name}")
    return {path: names.put_into(text) for path, text in project.items()}


def _project(names: Names, parts: Parts) -> Iterator[tuple[str, str]]:
    """Yield the files that every kind has, with the name still to be put in."""
    tasks = "\n".join(f"- {task}" for task in parts.tasks)
    filled = {"DESCRIPTION": parts.description, "TASKS": tasks}
    quoted = [f'    "{line}",' for line in sorted(_dependencies(parts))]
    filled["    DEPENDENCIES"] = "\n".join(quoted)
    filled[_WRITTEN_ON] = str(datetime.datetime.now(datetime.UTC).date())
    for path, template in {
        "pyproject.toml": "pyproject.txt",
        "README.md": "readme.txt",
        "LICENSE": "licence.txt",
        ".gitignore": "gitignore.txt",
        ".github/workflows/test.yml": "workflow.txt",
        f"src/{names.package}/prices.toml": "prices.txt",
    }.items():
        text = _template(f"project/{template}")
        for place, words in filled.items():
            text = text.replace(place, words)
        yield path, text
    yield f"src/{names.package}/py.typed", ""


def _dependencies(parts: Parts) -> Iterator[str]:
    """Yield requirements with a floor and a cap; those of this project as core itself has them."""
    major, minor, *_ = importlib.metadata.version("mirascope-core").split(".")
    yield f"mirascope-core>={major}.{minor},<{int(major) + 1}"
    extras = importlib.metadata.requires("mirascope-core") or ()
    for needed in parts.dependencies:
        ours = [line for line in extras if re.match(rf"{needed}[<>=]", line)]
        yield ours[0].partition(";")[0].strip() if ours else needed


def _template(path: str) -> str:
    root = importlib.resources.files("mirascope.cli.scaffold") / "templates"
    return (root / path).read_text("utf-8")
