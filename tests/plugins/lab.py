"""Wheels of every distribution here, and fresh environments to install them in.

Wheels are built once in a test session, and so is each environment. Distributions of this project
are always installed by the path of their wheel: an index may know others of the same name.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
STRANGERS = Path(__file__).resolve().parent

# `uv run` and nox put it beside the interpreter.
UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
needs_uv = pytest.mark.skipif(UV is None, reason="uv is not on PATH")

_KEPT = ("HOME", "PATH", "LANG", "TMPDIR", "XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR")


def clean_environment(**more: str) -> dict[str, str]:
    """The variables that subprocesses get: none that would change what they import."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | more


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Attributes:
        path: its directory.
    """

    path: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.path / "bin" / "python"

    def install(self, *wheels: Path | str) -> None:
        """Install wheels, by path or as `name @ url`, and what they depend on."""
        _uv("pip", "install", "--python", str(self.python), "--no-sources", *map(str, wheels))

    def uninstall(self, *names: str) -> None:
        """Uninstall distributions and nothing else."""
        _uv("pip", "uninstall", "--python", str(self.python), *names)

    def run(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run its interpreter, outside of this project."""
        return subprocess.run(
            [str(self.python), *args],
            cwd=self.path,
            env=clean_environment(**env),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def python_code(self, code: str, **env: str) -> str:
        """Run code that must succeed and return what it prints."""
        done = self.run("-W", "error", "-c", code, **env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, code: str, **env: str) -> Any:
        """Run code and return the JSON value that it prints last."""
        return json.loads(self.python_code(code, **env).splitlines()[-1])


@functools.cache
def workplace() -> Path:
    """A directory for the session."""
    path = Path(tempfile.mkdtemp(prefix="mirascope-plugins-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@functools.cache
def first_party_wheels() -> Mapping[str, Path]:
    """The wheels of this project by distribution name."""
    return _build("--all-packages", str(ROOT), out="first-party")


@functools.cache
def stranger_wheels() -> Mapping[str, Path]:
    """The wheels of the two providers in `tests/plugins`."""
    return {
        **_build(str(STRANGERS / "acme"), out="acme"),
        **_build(str(STRANGERS / "beta"), out="beta"),
    }


def build_workspace(sources: Path, out: str) -> Mapping[str, Path]:
    """Build every distribution in the sub-directories of `sources`."""
    (sources / "pyproject.toml").write_text(
        '[project]\nname = "workspace"\nversion = "0"\nrequires-python = ">=3.11"\n'
        '[tool.uv]\npackage = false\n[tool.uv.workspace]\nmembers = ["*"]\n'
    )
    return _build("--all-packages", str(sources), out=out)


def build(source: Path, out: str) -> Mapping[str, Path]:
    """Build one distribution."""
    return _build(str(source), out=out)


def environment(name: str, *wheels: Path | str) -> Environment:
    """A fresh environment with wheels and what they depend on."""
    path = workplace() / "environments" / name
    _uv("venv", "--quiet", "--python", sys.executable, str(path))
    made = Environment(path)
    made.install(*wheels)
    return made


def _build(*args: str, out: str) -> Mapping[str, Path]:
    directory = workplace() / "wheels" / out
    _uv("build", "--wheel", "--out-dir", str(directory), *args)
    return {path.name.split("-")[0].replace("_", "-"): path for path in directory.glob("*.whl")}


def _uv(*args: str) -> None:
    # What `uv sync` has fetched is enough; the index is asked only where it is not.
    for offline in ("1", "0"):
        done = subprocess.run(
            ["uv", *args],
            env={**os.environ, "UV_OFFLINE": offline, "UV_PYTHON_DOWNLOADS": "never"},
            cwd=workplace(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode == 0:
            return
    raise AssertionError(f"uv {' '.join(args)}:\n{done.stderr}")
