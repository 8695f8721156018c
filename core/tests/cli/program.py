"""The command line as a process, without what this machine's environment would say to it."""

from __future__ import annotations

import os
import subprocess
import sys

from mirascope.core.testing import Server
from mirascope_tests.chat import chunk

DEADLINE = 30.0
"""Seconds after which a test that waits has failed; nothing is expected to take that long."""


def counted(prompt: int, completion: int) -> bytes:
    """The event of a usage."""
    total = {"total_tokens": prompt + completion}
    return chunk(
        choices=[], usage={"prompt_tokens": prompt, "completion_tokens": completion, **total}
    )


def environment(**extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "MIRASCOPE_DISABLE_PLUGINS"):
        kept.pop(name, None)
    return {**kept, "OPENAI_API_KEY": "sk-test-0123456789abcdef", "TERM": "xterm-256color", **extra}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mirascope", *arguments]


def mirascope(
    *arguments: str, stdin: bytes = b"", **extra: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command(*arguments),
        input=stdin,
        capture_output=True,
        timeout=DEADLINE,
        env=environment(**extra),
    )


def run(
    server: Server, prompt: str, *arguments: str, provider: str = "compatible", stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    model = f"{provider}/gpt-4o"
    return mirascope("run", "-m", model, "--base-url", server.url, *arguments, prompt, stdin=stdin)


def lines(output: bytes) -> list[str]:
    assert b"Traceback" not in output
    return output.decode().splitlines()
