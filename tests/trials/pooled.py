"""What the workers of a `multiprocessing.Pool` run: they import it by its name."""

from __future__ import annotations

from .protocols import PROTOCOLS


def is_right(job: tuple[int, str, int]) -> bool:
    """Whether a call in this process gets its own answer."""
    number, url, each = job
    protocol = PROTOCOLS[number]
    name = f"job-{each}"
    stream = protocol.ask(name, **protocol.settings(url))
    return bool(stream.collect().content == f"<{name}>" * 3)
