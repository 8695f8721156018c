"""Images, audio and documents: what a program gives, and what it is.

Nothing is downloaded, and a string is never the path of a file: a user's own words must not choose
what is read. The functions raise `ValueError` with words that go after the name of the value.
"""

from __future__ import annotations

import base64
import mimetypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast
from urllib.parse import unquote_to_bytes, urlsplit

MediaKind: TypeAlias = Literal["image", "audio", "document"]
MediaSource: TypeAlias = str | bytes | bytearray | memoryview | os.PathLike[str]
"""Where an image, audio or a document is: a URL, its bytes, or a `pathlib.Path` that is read."""

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", b"", "image/png"),
    (b"\xff\xd8\xff", b"", "image/jpeg"),
    (b"GIF8", b"", "image/gif"),
    (b"RIFF", b"WEBP", "image/webp"),
    (b"RIFF", b"WAVE", "audio/wav"),
    (b"FORM", b"AIFF", "audio/aiff"),
    (b"ID3", b"", "audio/mp3"),
    (b"\xff\xfb", b"", "audio/mp3"),
    (b"\xff\xf3", b"", "audio/mp3"),
    (b"\xff\xf2", b"", "audio/mp3"),
    (b"\xff\xf1", b"", "audio/aac"),
    (b"\xff\xf9", b"", "audio/aac"),
    (b"fLaC", b"", "audio/flac"),
    (b"OggS", b"", "audio/ogg"),
    (b"%PDF-", b"", "application/pdf"),
)
"""How a kind of file begins, and what it has behind the first 8 bytes."""
_WANTED: Final[Mapping[MediaKind, str]] = {
    "image": "a PNG, JPEG, GIF or WebP image",
    "audio": "WAV, MP3, FLAC, Ogg, AAC or AIFF audio",
    "document": "a PDF or a text",
}
_NAMES: Final[Mapping[MediaKind, str]] = {
    "image": "an image",
    "audio": "audio",
    "document": "a document",
}
_SCHEMES: Final = ("https", "http", "gs")
_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Media:
    """An image, audio or a document.

    Attributes:
        kind: what it is.
        media_type: its type, such as `"image/png"`; `""` for one that only its address names.
        data: its bytes; None where it has an address.
        url: its address; None where there are bytes.
        filename: the name of the file that it was read from, or None.
    """

    kind: MediaKind
    media_type: str
    data: bytes | None
    url: str | None = None
    filename: str | None = None

    @property
    def base64(self) -> str:
        """The bytes as base64."""
        return base64.b64encode(self.data or b"").decode()

    @property
    def data_url(self) -> str:
        """The address, or a `data:` URL (RFC 2397) with the bytes in it."""
        return self.url or f"data:{self.media_type};base64,{self.base64}"


def is_media(value: object) -> bool:
    """Whether a value is an image, audio or a document by its bytes or its path."""
    return isinstance(value, (bytes, bytearray, memoryview, os.PathLike)) or _is_picture(value)


def read_media(value: Any, kind: MediaKind | None = None, media_type: str | None = None) -> Media:
    """Return what a program gave as an image, audio or a document.

    Args:
        value: a URL, bytes, a `pathlib.Path`, or an object that shows itself as a PNG.
        kind: what it has to be; None to take whatever it is.
        media_type: the type of bytes, where they do not tell it.

    Raises:
        ValueError: it is not of that kind, or the file can't be read.
    """
    filename: str | None = None
    if isinstance(value, str):
        return _at(value, kind or "image")
    if isinstance(value, os.PathLike):
        path = Path(cast("os.PathLike[str]", value))
        filename = path.name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ValueError(f"can't be read: {error}") from error
    elif isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(cast("bytes", value))
    elif _is_picture(value):
        data = cast("bytes", value._repr_png_())
    else:
        wanted = _NAMES.get(kind or "document", "")
        given = type(value).__name__
        raise ValueError(f"is not {wanted}: give a URL, bytes or a pathlib.Path, not a {given}")
    found = media_type or _type_of(data, filename)
    if kind is None and filename is None and found == "text/plain":
        # Whoever means a text writes a string.
        found = None
    if found is None or (media_type is None and kind not in (None, _kind_of(found))):
        known = _WANTED[kind] if kind else "an image, audio or a document that is known"
        raise ValueError(f"is not {known}")
    return Media(kind or _kind_of(found), found, data, filename=filename)


def _is_picture(value: Any) -> bool:
    """Whether an object shows itself as a PNG in notebooks, as an image of Pillow does."""
    return not isinstance(value, type) and callable(getattr(value, "_repr_png_", None))


def _at(url: str, kind: MediaKind) -> Media:
    if url.startswith("data:"):
        head, comma, text = url.removeprefix("data:").partition(",")
        media_type, *parameters = head.split(";")
        if comma and _kind_of(media_type) == kind:
            raw = unquote_to_bytes(text)
            return Media(kind, media_type, _decoded(raw) if "base64" in parameters else raw)
    elif url.partition("://")[0] in _SCHEMES and urlsplit(url).netloc:
        return Media(kind, mimetypes.guess_type(url.partition("?")[0])[0] or "", None, url)
    raise ValueError(
        f"is not the URL of {_NAMES[kind]}: {url[:_SHOWN]!r}; give a file as a pathlib.Path"
    )


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except ValueError as error:
        raise ValueError(f"is a data: URL that is not base64: {error}") from error


def _type_of(data: bytes, filename: str | None) -> str | None:
    for start, behind, media_type in _SIGNATURES:
        if data.startswith(start) and data[8:].startswith(behind):
            return media_type
    named = mimetypes.guess_type(filename)[0] if filename else None
    if named is not None and _kind_of(named) == "document":
        return named
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or not text else "text/plain"


def _kind_of(media_type: str) -> MediaKind:
    kind = media_type.partition("/")[0]
    return "image" if kind == "image" else "audio" if kind == "audio" else "document"
