"""Forked children that end where a test says, whatever happens in them."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable


def forked(work: Callable[[], object]) -> int:
    """Do `work` in a forked child and return the child's id; its exit status is 1 if it raises.

    An exception must not leave the child: pytest would go on in it, as a worker that nobody waits
    for, and would stay when the parent has gone.
    """
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
