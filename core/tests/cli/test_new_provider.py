"""`mirascope new-provider`: names, directories, and what is said."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mirascope.cli import app

from .program import command, environment, lines, mirascope

KINDS = ("compatible", "native", "sdk", "company")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def new_provider(*arguments: str) -> object:
    """Run the command in this process and return its exit status."""
    with pytest.raises(SystemExit) as caught:
        app(["new-provider", *arguments], prog_name="mirascope")
    return caught.value.code


def texts(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): path.read_text("utf-8")
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_is_listed_with_the_next_commands(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new_provider("my-server", "--kind", kind) == 0
    written = texts(tmp_path / "mirascope-my-server")
    said = capsys.readouterr()
    first, *listed = said.out.splitlines()
    assert first == f"mirascope-my-server: {len(written)} files"
    assert listed[-4:] == [
        "Next, in an environment of yours:",
        "  cd mirascope-my-server",
        "  uv pip install -e . --group dev",
        "  pytest",
    ]
    assert [line.strip() for line in listed[:-4]] == sorted(written)
    assert said.err == ""
    assert {".gitignore", "LICENSE", "README.md", ".github/workflows/test.yml"} <= set(written)
    assert written["src/mirascope_my_server/py.typed"] == ""
    everything = "".join(written.values())
    assert not re.search("(?i:new.?name)|DESCRIPTION|DEPENDENCIES|TASKS", everything)
    for path, text in written.items():
        if path.endswith(".py"):
            ast.parse(text)


@pytest.mark.parametrize("kind", KINDS)
def test_the_metadata(kind: str, tmp_path: Path) -> None:
    new_provider("my_server", "--kind", kind)
    written = texts(tmp_path / "mirascope-my-server")
    project = tomllib.loads(written["pyproject.toml"])["project"]
    assert project["name"] == "mirascope-my-server"
    assert "My Server" in project["description"]
    assert project["entry-points"]["mirascope.providers"] == {
        "my_server": "mirascope_my_server._plugin"
    }
    assert len(project["dependencies"]) == 2
    prices = tomllib.loads(written["src/mirascope_my_server/prices.toml"])
    assert prices["provider"] == "my_server"
    assert abs((datetime.now(UTC).date() - prices["updated"]).days) <= 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "'' can't be a provider's name: lower-case letters"),
        ("My.Server", "'my_server' would do"),
        ("ACME", "'acme' would do"),
        ("acme.ai", "'acme_ai' would do"),
        ("acme ai", "'acme_ai' would do"),
        ("acme_", "'acme' would do"),
        ("a--b", "'a_b' would do"),
        ("3com", "a letter first"),
        ("größe", "can't be a provider's name"),
        ("пример", "can't be a provider's name"),
        ("../acme", "'acme' would do"),
        ("acme\n", "'acme' would do"),
        (
            "mirascope-acme",
            "'mirascope-acme' is the distribution's name: give the provider's, 'acme'",
        ),
        ("mirascope_acme", "give the provider's, 'acme'"),
        ("Mirascope-Acme", "'acme' would do"),
        ("class", "'class' is a keyword of Python"),
        ("openai", "'openai' is taken by 'mirascope-openai': choose another name"),
        ("core", "'core' is taken by 'mirascope-core'"),
        ("json", "'json' is taken by 'mirascope.core.json'"),
        ("http", "'http' is taken by 'mirascope.core.http'"),
        ("call", "'call' is taken by 'mirascope.core.call'"),
        ("base", "'base' is taken by 'mirascope.core.base'"),
        ("all", "'all' is taken by 'MIRASCOPE_DISABLE_PLUGINS=all'"),
    ],
)
def test_a_name_that_will_not_do(
    name: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new_provider(name, "--kind", "compatible") == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("mirascope: ")
    assert reason in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["test", "a", "gpt4", "my_2nd", "match", "deepseek", "re"])
def test_a_name_that_will_do(name: str, tmp_path: Path) -> None:
    assert new_provider(name, "--kind", "native") == 0
    package = tmp_path / f"mirascope-{name.replace('_', '-')}" / "src" / f"mirascope_{name}"
    assert (package / "_plugin.py").exists()


def test_an_installed_plugin_has_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "somebodys-2.5.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: somebodys\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text("[mirascope.providers]\nacme = somebodys\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    from mirascope.core.plugins import isolated_registry

    with isolated_registry():
        assert new_provider("acme", "--kind", "sdk") == 2
    assert "'acme' is taken by 'somebodys 2.5', which is installed" in capsys.readouterr().err


def test_without_a_kind_the_kinds_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new_provider("acme") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mirascope: give --kind, one of compatible (a server that ")
    assert all(kind in line for kind in KINDS)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new_provider("acme", "--kind", "native") == 0
    before = texts(tmp_path)
    assert new_provider("acme", "--kind", "compatible") == 2
    assert "'mirascope-acme' is not empty, and nothing in it is" in capsys.readouterr().err
    assert texts(tmp_path) == before


@pytest.mark.parametrize("directory", ["new", "deep/er", "empty", "repository", "."])
def test_a_directory_of_ones_own(directory: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir() if directory == "empty" else None
    if directory == "repository":
        (tmp_path / directory / ".git").mkdir(parents=True)
    assert new_provider("acme", "--kind", "company", "--dir", directory) == 0
    assert (tmp_path / directory / "src" / "mirascope_acme" / "_plugin.py").exists()


def test_a_directory_with_a_blank_is_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    new_provider("acme", "--kind", "company", "--dir", "a b")
    assert "  cd 'a b'\n" in capsys.readouterr().out


def test_a_place_that_is_a_file_or_is_not_to_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    for place in ("file", "file/below", "/proc/acme"):
        done = mirascope("new-provider", "acme", "--kind", "native", "--dir", place)
        assert done.returncode == 2
        (line,) = lines(done.stderr)
        assert line.startswith(f"mirascope: '{place}")
    assert (tmp_path / "file").read_text() == "kept"


def test_a_reader_that_leaves_costs_no_file(tmp_path: Path) -> None:
    with subprocess.Popen(
        command("new-provider", "acme", "--kind", "native"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert said == b""
    assert (tmp_path / "mirascope-acme" / "tests" / "test_conformance.py").exists()


def test_no_line_for_a_narrow_terminal_is_broken() -> None:
    done = mirascope("new-provider", "acme", "--kind", "sdk", COLUMNS="40")
    assert done.returncode == 0
    assert max(map(len, lines(done.stdout))) <= 40
