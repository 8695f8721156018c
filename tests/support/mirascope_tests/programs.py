"""Programs that a test starts and that never outlive it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from typing import AnyStr


@contextlib.contextmanager
def running(process: subprocess.Popen[AnyStr]) -> Iterator[subprocess.Popen[AnyStr]]:
    """Give a program to a block, which ends with the program killed where it still runs.

    `with Popen(...)` alone waits for it: after a failure inside of the block, possibly for ever.
    """
    with process:
        try:
            yield process
        finally:
            process.kill()
