"""Where Mirascope v1 or v2 is in the same environment, the import says so."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import mirascope
import pytest


@pytest.mark.parametrize("theirs", ["core/openai", "ops"])
def test_files_of_the_other_distribution_are_told(tmp_path: Path, theirs: str) -> None:
    shutil.copytree(mirascope.__path__[0], tmp_path / "mirascope")
    (tmp_path / "mirascope" / theirs).mkdir()
    done = subprocess.run(
        [sys.executable, "-c", "from mirascope.core import openai"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: the distribution 'mirascope' (v1 or v2) has put its files")
    assert "uninstall both" in last
