"""`mirascope new-provider`: what it writes is a distribution that builds, installs and works.

By default a part of the conformance kit runs, in this environment. `nox -s scaffold` installs each
kind in an environment of its own and runs all of the kit, and both type checkers and the linter.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mirascope.core.testing import FaultServer

from . import lab
from .lines import lines_of

KINDS = ("compatible", "native", "sdk", "company")
MOST_LINES = {"compatible": 40, "native": 150}
SOME_CHECKS = (
    *("plugin.listed", "plugin.same_name", "plugin.package", "plugin.metadata"),
    *("plugin.hooks_by_import", "plugin.decorators", "import.light", "stream.text", "tool.calls"),
    *("message.round_trip", "error.http", "error.no_key", "secret.echo", "secret.address"),
    *("env.late", "client.wrong_kind", "fetch.whole", "usage.counts", "cost.table", "chunk.object"),
)
long = pytest.mark.skipif(
    os.environ.get("MIRASCOPE_TESTS") != "long", reason="nox -s scaffold runs it"
)


@dataclass(frozen=True)
class Written:
    """A distribution that was written.

    Attributes:
        name: the provider's name.
        path: its directory.
    """

    name: str
    path: Path

    @property
    def model(self) -> str:
        """The model in its table."""
        return f"{self.name}/{self.name.replace('_', '-')}-1"

    def wheel(self) -> Path:
        """Build it."""
        (wheel,) = lab.build(self.path, out=str(self.path / "dist")).values()
        return wheel

    def server(self) -> FaultServer:
        """A server that sends what its tests say."""
        path = self.path / "tests" / "test_conformance.py"
        spec = importlib.util.spec_from_file_location("conformance_of_what_was_written", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        (kit,) = (kit for name, kit in vars(module).items() if name.startswith("Test"))
        wire: Any = kit.wire
        return FaultServer(wire)


def write(kind: str, directory: Path, name: str = "new_acme") -> Written:
    """Write a distribution as the command line does."""
    path = directory / name
    arguments = ("new-provider", name, "--kind", kind, "--dir", str(path))
    done = subprocess.run(
        [sys.executable, "-m", "mirascope", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Written(name, path)


def run(python: Path | str, *arguments: str, cwd: Path, **env: str) -> str:
    """Run an interpreter's module, which must succeed, and return what it prints."""
    done = subprocess.run(
        [str(python), "-m", *arguments],
        cwd=cwd,
        env=lab.clean_environment(**env),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def check_in_use(written: Written, python: Path | str, **env: str) -> None:
    """Check that the provider is listed, answers in a shell, and that its README is right."""
    listed = json.loads(
        run(python, "mirascope", "providers", "--format", "json", cwd=written.path, **env)
    )
    (found,) = (each for each in listed if each["name"] == written.name)
    assert (found["state"], found["title"]) == ("ok", "New Acme")
    assert found["distributions"] == ["mirascope-new-acme 0.1.0"]
    (block,) = re.findall(r"```python\n(.*?)```", (written.path / "README.md").read_text(), re.S)
    (written.path / "readme_block.py").write_text(block)
    with written.server() as server:
        here = {"NEW_ACME_BASE_URL": server.url, "NEW_ACME_API_KEY": "a-key-0123456789", **env}
        asked = ("mirascope", "run", "-m", written.model, "Say hello")
        assert run(python, *asked, cwd=written.path, **here) == "Hello, world\n"
        assert run(python, "readme_block", cwd=written.path, **here) == "Hello, world"
        assert [request.json["model"] for request in server.requests] == ["new-acme-1"] * 2
        assert "a-key-0123456789" in str(server.requests[0].headers)


@pytest.mark.parametrize("kind", KINDS)
@lab.needs_uv
def test_what_is_written_builds_and_works(kind: str, tmp_path: Path) -> None:
    written = write(kind, tmp_path)
    site = tmp_path / "site"
    with zipfile.ZipFile(written.wheel()) as wheel:
        wheel.extractall(site)
    checks = [argument for check in SOME_CHECKS for argument in ("--check", check)]
    kit = ("mirascope.core.testing", "new_acme", *checks)
    said = run(sys.executable, *kit, cwd=written.path, PYTHONPATH=str(site))
    counted = re.fullmatch(r"new_acme: (\d+) of (\d+)\n", said)
    assert counted is not None, said
    assert int(counted[1]) == int(counted[2]) >= len(SOME_CHECKS) - 2
    if kind == "company":
        own = ("pytest", "-q", "tests/test_company.py")
        run(sys.executable, *own, cwd=written.path, PYTHONPATH=str(site))
    check_in_use(written, sys.executable, PYTHONPATH=str(site))


@pytest.mark.parametrize(("kind", "most"), MOST_LINES.items())
def test_how_little_is_written(kind: str, most: int, tmp_path: Path) -> None:
    sources = list((write(kind, tmp_path).path / "src").rglob("*.py"))
    assert 0 < sum(lines_of(path.read_text("utf-8")) for path in sources) <= most


@pytest.mark.parametrize("kind", KINDS)
def test_the_linter_finds_nothing_whatever_the_name(kind: str, tmp_path: Path) -> None:
    # How long a name is decides what the formatter breaks.
    for name in ("a", "new_acme", "a_longer_name_of_a_firm"):
        path = write(kind, tmp_path, name).path
        run(sys.executable, "ruff", "check", "--no-cache", ".", cwd=path)
        run(sys.executable, "ruff", "format", "--no-cache", "--check", ".", cwd=path)


@long
@pytest.mark.parametrize("kind", KINDS)
@lab.needs_uv
def test_what_is_written_installs_and_passes_everything(kind: str, tmp_path: Path) -> None:
    ours = lab.first_party_wheels()
    made = lab.environment(
        f"scaffold-{kind}",
        f"mirascope-core[cli,testing] @ {ours['mirascope-core'].as_uri()}",
        ours["mirascope-compatible"],
    )
    # Written by an installed core, out of the templates in its wheel.
    written = Written("new_acme", tmp_path / "mirascope-new-acme")
    said = run(made.python, "mirascope", "new-provider", "new_acme", "--kind", kind, cwd=tmp_path)
    *_, into, install, test = said.splitlines()
    assert into.split() == ["cd", "mirascope-new-acme"]
    for command in (install, test):
        assert lab.UV is not None
        places = (made.path / "bin", Path(lab.UV).parent, os.environ["PATH"])
        done = subprocess.run(
            shlex.split(command),
            cwd=written.path,
            env=lab.clean_environment(
                PATH=os.pathsep.join(map(str, places)),
                VIRTUAL_ENV=str(made.path),
                UV_PYTHON_DOWNLOADS="never",
            ),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert re.search(r"^=+ \d+ passed, \d skipped in", done.stdout, re.M), done.stdout
    kit = run(made.python, "mirascope.core.testing", "new_acme", cwd=written.path)
    counted = re.fullmatch(r"new_acme: (\d+) of (\d+)\n", kit)
    assert counted is not None, kit
    assert counted[1] == counted[2]
    check_in_use(written, made.python)
    run(sys.executable, "mypy", "--python-executable", str(made.python), cwd=written.path)
    run(sys.executable, "pyright", "--pythonpath", str(made.python), cwd=written.path)
    assert written.wheel().exists()
