"""A look at every public attribute of an object: it has an answer, or an error of the library's."""

from __future__ import annotations

import contextlib
from typing import Any

from mirascope.core import MirascopeError


def look(thing: Any) -> int:
    """Look at each public attribute, and at how an object is printed; return how many looks.

    Raises:
        Exception: an error that is not the library's own.
    """
    # What pydantic gives its models is its own.
    names = [name for name in dir(thing) if name[0] != "_" and not name.startswith("model_")]
    for name in names:
        try:
            with contextlib.suppress(MirascopeError):
                repr(getattr(thing, name))
        except Exception as error:
            error.add_note(f"{name} of {thing!r}")
            raise
    repr(thing)
    str(thing)
    return len(names)
