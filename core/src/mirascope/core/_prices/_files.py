"""Reading the files that price tables are in."""

from __future__ import annotations

import codecs
from pathlib import Path

from .._errors import UsageError


def decode(data: bytes, origin: str) -> str:
    """Return the text of a price table: UTF-8, with or without an editor's byte order mark.

    Raises:
        UsageError: it is in another encoding.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UsageError(f"{origin}: the file is UTF-16: save it as UTF-8")
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{origin}:{line}: the file is not UTF-8: save it as UTF-8") from None


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        OSError: the file can't be read.
        UsageError: it is not UTF-8.
    """
    return decode(path.read_bytes(), str(path))
