"""Both type checkers pass every code block of the documents, each as a module of its own.

`python tests/typing/documents.py` exits with 1 where one of them does not.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDES = {"plugins.md", "plugin-reference.md"}
"""Their files are whole distributions, which are checked where they are built."""
NAMED = re.compile(r"# (\w+\.py)\n")
"""How a block begins that others import."""
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
MYPY = """
[mypy]
check_untyped_defs = true
[mypy-django.*]
ignore_missing_imports = true
"""
PYRIGHT = {"typeCheckingMode": "standard", "pythonVersion": "3.11", "include": ["*.py"]}


def pages() -> list[Path]:
    """Return every document with code blocks that users paste."""
    readmes = [ROOT / "README.md", ROOT / "core" / "README.md", *ROOT.glob("providers/*/README.md")]
    return readmes + [path for path in (ROOT / "docs").rglob("*.md") if path.name not in GUIDES]


def write_modules(directory: Path) -> int:
    """Write each block into a module of its own name or its page's, and return how many."""
    count = 0
    for page in pages():
        words = "_".join(page.relative_to(ROOT).with_suffix("").parts)
        codes = BLOCK.findall(page.read_text("utf-8"))
        if page == ROOT / "README.md":  # its blocks go on from the ones above them
            codes = ["\n".join(codes)]
        for number, code in enumerate(codes):
            name = f"{words}_{number}.py".replace("-", "_").lower()
            named = NAMED.match(code)
            if named is not None and not (directory / named[1]).exists():
                name = named[1]
            (directory / name).write_text(code, "utf-8")
            count += 1
    return count


def main() -> int:
    """Check all blocks and return the exit status."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        count = write_modules(directory)
        (directory / "mypy.ini").write_text(MYPY)
        (directory / "pyrightconfig.json").write_text(json.dumps(PYRIGHT))
        checkers = [
            ["mypy", "--config-file", "mypy.ini", "."],
            ["pyright", "--pythonpath", sys.executable],
        ]
        runs = [
            subprocess.run([sys.executable, "-m", *words], cwd=directory, timeout=500, check=False)
            for words in checkers
        ]
    print(f"{count} blocks")
    return int(any(run.returncode for run in runs))


if __name__ == "__main__":
    sys.exit(main())
