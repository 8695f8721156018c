"""How a value is written where a template names it: as text, as lines, as an image.

The functions raise `ValueError` or `TypeError` with words that go after the name of the field.
"""

from __future__ import annotations

import base64
import inspect
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from .._types import JSONObject

IMAGES: Final = ("image", "images")
_ELSEWHERE: Final = frozenset(
    {"audio", "audios", "cache_control", "document", "documents", "part", "parts", "text", "texts"}
)
"""Format specs that Mirascope v1 had, and that nothing here takes."""

_SIGNATURES: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}
"""The first bytes of the images that every provider takes; `WEBP` follows 8 bytes after `RIFF`."""


def written(value: Any, spec: str) -> str:
    """Return a value as text.

    Args:
        value: the value; None is no text.
        spec: a format spec of `str.format`, `"list"` (an item on each line) or `"lists"` (a group
            of items in each paragraph).

    Raises:
        ValueError: the value or the spec can't be text.
        TypeError: the same, from the value's own `__format__`.
    """
    if value is None:
        return ""
    if spec == "list":
        return "\n".join(_items(value))
    if spec == "lists":
        return "\n\n".join("\n".join(_items(group)) for group in _collection(value))
    if spec in _ELSEWHERE:
        raise ValueError(
            f"has the format {spec!r}, which templates don't have: return a message whose content "
            "is a list with the part in it"
        )
    if not isinstance(value, str):
        _refuse(value)
    try:
        return format(value, spec)
    except (TypeError, ValueError) as error:
        raise ValueError(f"can't format a {type(value).__name__}: {error}") from error


def image_parts(value: Any, spec: str) -> list[JSONObject]:
    """Return the parts of a message for an image, or for several of them with `"images"`.

    Args:
        value: a URL, the image's bytes, a `pathlib.Path`, or a part; None is no image. A string is
            never the path of a file: a user's own words must not choose what is read.
        spec: `"image"` or `"images"`.

    Raises:
        ValueError: a value is not an image.
    """
    if value is None:
        return []
    images: Iterable[Any] = _collection(value) if spec == "images" else [value]
    return [_image(image) for image in images]


def _items(value: Any) -> list[str]:
    return [written(item, "") for item in _collection(value) if item is not None]


def _collection(value: Any) -> Collection[Any]:
    if isinstance(value, (str, bytes, bytearray, Mapping)) or not isinstance(value, Collection):
        raise ValueError(f"takes a list, not a {type(cast('object', value)).__name__}")
    return cast("Collection[Any]", value)


def _refuse(value: object) -> None:
    """Refuse what has a representation, but no text that a model should read."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise ValueError(
            "is bytes, which are not text: decode them, or write {name:image} for an image"
        )
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise ValueError("is a coroutine: await it before it becomes part of the prompt")


def _image(value: object) -> JSONObject:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    if isinstance(value, str):
        if not value.startswith(("https://", "http://", "data:image/", "gs://")):
            raise ValueError(
                f"is not the URL of an image: {value[:40]!r}; give a file as a pathlib.Path"
            )
        url = value
    elif isinstance(value, os.PathLike):
        try:
            data = Path(cast("os.PathLike[str]", value)).read_bytes()
        except OSError as error:
            raise ValueError(f"can't be read: {error}") from error
        url = _data_url(data)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        url = _data_url(bytes(cast("bytes", value)))
    else:
        raise ValueError(
            f"is not an image: give a URL, bytes or a pathlib.Path, not a {type(value).__name__}"
        )
    return {"type": "image_url", "image_url": {"url": url}}


def _data_url(data: bytes) -> str:
    for signature, media_type in _SIGNATURES.items():
        if data.startswith(signature) and (signature != b"RIFF" or data[8:12] == b"WEBP"):
            return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    raise ValueError("is not a PNG, JPEG, GIF or WebP image")
