"""The code in documents, run as its readers would run it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .shared import SHARED

SEED = SHARED / "seed" / "streams.md"
"""The user's own document, which is read in place."""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of a document, in order."""
    text = path.read_text("utf-8")
    return [code for found, code in _BLOCK.findall(text) if found == language]


def run(code: str, namespace: dict[str, Any] | None = None) -> dict[str, Any]:
    """Execute a block as a module of its own would."""
    namespace = {"__name__": "document"} if namespace is None else namespace
    # Not with this module's own `from __future__`, which would keep annotations as text.
    exec(compile(code, "document", "exec", dont_inherit=True), namespace)
    return namespace
