"""A web application that calls its provider, and leaves a stream open, before the server forks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from .protocols import PROTOCOLS

protocol = PROTOCOLS[int(os.environ["TRIED_PROTOCOL"])]
settings = protocol.settings(os.environ["TRIED_URL"])

assert protocol.ask("warm", **settings).collect().content == "<warm>" * 3
half_read = iter(protocol.ask("stalled", **settings))
next(half_read)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with what the provider says to the name in the path."""
    name = environ["PATH_INFO"].lstrip("/")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [protocol.ask(name, **settings).collect().content.encode()]
