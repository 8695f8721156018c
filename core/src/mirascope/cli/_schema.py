"""What `--schema` names: a type of a module, or the JSON schema in a file."""

from __future__ import annotations

import importlib
import os
import re
import sys
from pathlib import Path
from typing import Any, Final

from ._json import parse_json

_IN_MODULE: Final = re.compile(r"([^\W\d][\w.]*):([^\W\d][\w.]*)")


def read_schema(given: str) -> Any:
    """Return the response model that `--schema` names.

    Args:
        given: `module:Name`, whose module is looked for in the working directory too, or else the
            path of a file that has a JSON schema.

    Raises:
        UsageError: there is no such type, or the file has no JSON schema that is known here.
        OSError: the file can't be read.
    """
    named = _IN_MODULE.fullmatch(given)
    if named is not None and not Path(given).exists():
        return _imported(named[1], named[2])
    return _described(given)


def _imported(module: str, name: str) -> Any:
    from mirascope.core import UsageError

    # A console script's path begins with its own directory, and not with this one.
    if (here := os.getcwd()) not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or f"{module}.".startswith(f"{error.name}."):
            raise UsageError(f"--schema: there is no module {module!r}") from error
        raise UsageError(f"--schema: {module!r} needs {error.name!r}: install it") from error
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise UsageError(f"--schema: importing {module!r} failed with {what}") from error
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise UsageError(f"--schema: module {module!r} has no {name!r}") from None
    return found


def _described(path: str) -> Any:
    from mirascope.core import UsageError

    from ._json_schema import response_type

    data = Path(path).read_bytes()
    try:
        schema = parse_json(data)
    except ValueError as error:
        raise UsageError(f"--schema {path!r} is not valid JSON: {error}") from None
    try:
        return response_type(schema, Path(path).name.partition(".")[0])
    except ValueError as error:
        raise UsageError(f"--schema {path!r}: {error}") from None
