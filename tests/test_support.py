"""What a checkout without recordings looks like."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = ["providers/compatible/tests/test_errors.py"]


def run(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *FILES],
        cwd=ROOT,
        env={**os.environ, "MIRASCOPE_SHARED": str(tmp_path / "nowhere"), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("ci", ["", "0"])
def test_a_plain_clone_says_once_what_it_has_not_run(tmp_path: Path, ci: str) -> None:
    done = run(tmp_path, CI=ci)
    assert done.returncode == 0, done.stdout
    (line,) = re.findall("^SKIPPED.*", done.stdout, re.MULTILINE)
    assert "recorded responses and price vectors are not beside this checkout" in line
    assert re.search(r"\d+ passed, \d+ skipped", done.stdout)


@pytest.mark.parametrize("ci", ["1", "true"])
def test_continuous_integration_fails_without_the_recordings(tmp_path: Path, ci: str) -> None:
    done = run(tmp_path, CI=ci)
    assert done.returncode == 1
    assert "with CI=1 they must be" in done.stdout
    assert "SKIPPED" not in done.stdout
