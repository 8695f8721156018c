"""The command that a message gives works for how this copy was installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mirascope.core import _installation

from .first_commands import managed_python
from .plugins.lab import UV, needs_uv

ASK = "import runpy, sys; print(runpy.run_path(sys.argv[1])['install_command'](sys.argv[2]))"
WANTED = "mirascope-core[openai]"
RECEIPT = """
[tool]
requirements = [
    { name = "mirascope-core", extras = ["cli", "local"], specifier = ">=0.1" },
    { name = "acme", url = "https://acme.example/acme.zip" },
    { name = "mirascope-core", extras = ["google"] },
]
"""


def asked(python: Path, cwd: Path, requirement: str = WANTED, **env: str) -> str:
    """Return the command that an interpreter's own copy would give."""
    # Without the dependencies of the library, which these environments do not have.
    done = subprocess.run(
        [str(python), "-c", ASK, str(_installation.__file__), requirement],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("\n")


def made_by_uv(place: Path) -> Path:
    """Return the interpreter of an environment that uv has made."""
    made = [str(UV), "venv", "--quiet", "--offline", "--python", sys.executable, str(place)]
    subprocess.run(made, check=True, env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"})
    return place / "bin" / "python"


def made_by_venv(place: Path) -> Path:
    """Return the interpreter of an environment that Python has made, and a pip without any code."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    (site,) = place.glob("lib/python*/site-packages")
    (site / "pip.py").touch()
    (place / "bin" / "pip").touch(0o755)
    return place / "bin" / "python"


@needs_uv
def test_a_project_of_uv(tmp_path: Path) -> None:
    python = made_by_uv(tmp_path / "a b" / ".venv")
    project = tmp_path / "a b"
    assert asked(python, project).startswith("uv pip install --python ")
    (project / "uv.lock").touch()
    (project / "src").mkdir()
    assert asked(python, project / "src") == 'uv add "mirascope-core[openai]"'
    assert asked(python, tmp_path) == f"uv add --project '{project}' \"mirascope-core[openai]\""


@needs_uv
def test_an_environment_of_uv(tmp_path: Path) -> None:
    python = made_by_uv(tmp_path / "env")
    active = asked(python, tmp_path, VIRTUAL_ENV=str(tmp_path / "env"))
    assert active == 'uv pip install "mirascope-core[openai]"'
    assert asked(python, tmp_path) == f'uv pip install --python {python} "mirascope-core[openai]"'
    assert asked(python, tmp_path, "openai").endswith(f"--python {python} openai")


@needs_uv
def test_a_tool_of_uv_keeps_what_it_has(tmp_path: Path) -> None:
    python = made_by_uv(tmp_path / "env")
    (tmp_path / "env" / "uv-receipt.toml").write_text(RECEIPT)
    assert asked(python, tmp_path) == (
        'uv tool install "mirascope-core[cli,local]>=0.1" '
        '--with "acme @ https://acme.example/acme.zip" --with "mirascope-core[google]" '
        '--with "mirascope-core[openai]"'
    )


def test_an_application_of_pipx(tmp_path: Path) -> None:
    python = made_by_venv(tmp_path / "env")
    written = {"main_package": {"package": "mirascope-core"}}
    (tmp_path / "env" / "pipx_metadata.json").write_text(json.dumps(written))
    assert asked(python, tmp_path) == (
        'pipx runpip mirascope-core install "mirascope-core[openai]"'
    )


def test_pip_in_an_environment(tmp_path: Path) -> None:
    python = made_by_venv(tmp_path / "env")
    assert asked(python, tmp_path) == f'{python} -m pip install "mirascope-core[openai]"'
    activated = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    assert asked(python, tmp_path, PATH=activated) == 'pip install "mirascope-core[openai]"'


def test_a_python_that_its_system_manages(tmp_path: Path) -> None:
    python = managed_python(tmp_path)
    assert asked(python, tmp_path) == (
        'python3 -m venv .venv && .venv/bin/pip install "mirascope-core[openai]"'
    )


@pytest.mark.parametrize("receipt", ["not = [toml", "[tool]\nrequirements = 5\n", "\x00"])
def test_a_receipt_that_cannot_be_read_hides_no_message(tmp_path: Path, receipt: str) -> None:
    python = made_by_venv(tmp_path / "env")
    (tmp_path / "env" / "uv-receipt.toml").write_text(receipt)
    assert asked(python, tmp_path) == 'pip install "mirascope-core[openai]"'
