"""How a value becomes an image where a template names it.

The functions raise `ValueError` or `TypeError` with words that go after the name of the field.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from .._tools._texts import collection
from .._types import JSONObject

IMAGES: Final = ("image", "images")
_SIGNATURES: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}
"""The first bytes of the images that every provider takes; `WEBP` follows 8 bytes after `RIFF`."""


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
    images: Iterable[Any] = collection(value) if spec == "images" else [value]
    return [_image(image) for image in images]


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
