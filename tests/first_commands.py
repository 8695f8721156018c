"""README's first commands on a newcomer's machine: a managed Python, an empty home, a fresh clone.

`python3 tests/first_commands.py` runs the first block of commands in README.md as it stands there
and reads what it prints; of the tests, which continuous integration runs anyway, only a few
(`--whole` for all of them). Standard library only: nothing is installed where this runs.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOME_TESTS = "core/tests/wire"
DEADLINE = 900


def first_commands(readme: str) -> list[str]:
    """Return the commands of the first block for a terminal."""
    block = re.search(r"```console\n(.*?)```", readme, re.DOTALL)
    assert block is not None, "README.md has no commands"
    return re.findall(r"^\$ (.+)$", block[1], re.MULTILINE)


def managed_python(folder: Path) -> Path:
    """Make a copy of this Python that is marked as managed by a system (PEP 668).

    The standard library is linked and not copied: what matters is the mark beside it.
    """
    library = Path(sysconfig.get_path("stdlib"))
    copy = folder / "lib" / library.name
    (copy / "site-packages").mkdir(parents=True)
    for entry in library.iterdir():
        if entry.name not in ("site-packages", "EXTERNALLY-MANAGED"):
            (copy / entry.name).symlink_to(entry)
    (copy / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=use the system's\n")
    binary = folder / "bin" / "python3"
    binary.parent.mkdir()
    shutil.copy2(Path(sys.base_prefix, "bin", f"python3.{sys.version_info[1]}"), binary)
    return binary


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="newcomer-") as scratch:
        home, clone = Path(scratch, "home"), Path(scratch, "clone")
        home.mkdir()
        python = managed_python(Path(scratch, "python"))
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        # The way to the package index is the machine's; all else is a newcomer's.
        hidden = ("VIRTUAL_ENV", "UV_", "XDG_", "PYTHON", "MIRASCOPE_", "CI")
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(hidden) or (name.startswith("UV_") and "INDEX" in name)
        }
        for variable, folder in (
            ("PIP_CONFIG_FILE", "pip/pip.conf"),
            ("UV_CONFIG_FILE", "uv/uv.toml"),
        ):
            if (own := Path.home() / ".config" / folder).exists():
                environment[variable] = str(own)
        environment |= {"HOME": str(home), "PATH": f"{python.parent}:/usr/bin:/bin", "CI": "0"}
        found = subprocess.run(
            ["python3", "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert Path(found.stdout.strip(), "EXTERNALLY-MANAGED").exists(), found.stdout
        for line in first_commands((clone / "README.md").read_text("utf-8")):
            is_test = line.endswith(" test")
            if is_test and "--whole" not in arguments:
                line = f"{line} {SOME_TESTS}"
            print(f"$ {line}", flush=True)
            start = time.monotonic()
            done = subprocess.run(
                shlex.split(line),
                cwd=clone,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=DEADLINE * (6 if "--whole" in arguments else 1),
            )
            seconds = time.monotonic() - start
            print(done.stdout[-3000:], done.stderr[-1500:], f"({seconds:.1f} s)", sep="\n")
            assert done.returncode == 0, done.returncode
            if is_test:
                assert re.search(r"\d+ passed", done.stdout), done.stdout
            else:
                assert len(done.stdout.split()) > 5, done.stdout
                assert re.search(r"^local/smollm2-135m: .*tokens in", done.stderr, re.MULTILINE)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
