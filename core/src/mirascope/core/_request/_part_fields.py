"""The fields of a template that put parts into a message: `{cover:image}`, `{papers:documents}`.

The functions raise `ValueError` with words that go after the name of the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from .._provider._media import MediaKind, read_media
from .._provider._parts import media_part
from .._tools._texts import collection, written
from .._types import JSONObject

_FORM: Final = re.compile(r"(image|audio|document|text|part)(s?)(?:\((.*)\))?", re.DOTALL)
_OPTION: Final = re.compile(r"\s*(\w+)\s*=\s*['\"]?([\w/.+-]+)['\"]?\s*")
_OPTIONS: Final[Mapping[str, frozenset[str]]] = {
    "image": frozenset({"detail", "media_type"}),
    "audio": frozenset({"media_type"}),
    "document": frozenset({"media_type", "filename"}),
}


def makes_parts(spec: str) -> bool:
    """Whether a field with this format puts parts into the message, and no text."""
    return _FORM.fullmatch(spec) is not None


def field_parts(value: Any, spec: str) -> list[JSONObject]:
    """Return the parts that a field puts into a message.

    Args:
        value: a URL, bytes, a `pathlib.Path`, a part, or a list of them with a plural; None is no
            part. A string is never the path of a file.
        spec: `"image"`, `"audio"`, `"document"`, `"text"` or `"part"`, or the plural of one, with
            options as in `"image(detail=low)"`.

    Raises:
        ValueError: the value is not of that kind, or there is no such option.
    """
    found = _FORM.fullmatch(spec)
    assert found is not None  # noqa: S101 - narrows the type
    kind, plural, given = found.groups()
    options = _options(kind, given)
    if value is None:
        return []
    values: Iterable[Any] = collection(value) if plural else [value]
    parts = (_part(kind, one, options) for one in values if one is not None)
    return [part for part in parts if part is not None]


def _part(kind: str, value: Any, options: Mapping[str, str]) -> JSONObject | None:
    if kind == "text":
        text = written(value, "")
        return {"type": "text", "text": text} if text else None
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    if kind == "part":
        if isinstance(value, str):
            return _part("text", value, {})
        return media_part(read_media(value))
    media = read_media(value, cast("MediaKind", kind), options.get("media_type"))
    return media_part(media, detail=options.get("detail"), filename=options.get("filename"))


def _options(kind: str, given: str | None) -> dict[str, str]:
    options: dict[str, str] = {}
    for text in given.split(",") if given else ():
        option = _OPTION.fullmatch(text)
        if option is None or option[1] not in _OPTIONS.get(kind, ()):
            known = ", ".join(sorted(_OPTIONS.get(kind, ()))) or "none"
            raise ValueError(f"has an option {text.strip()!r}; {kind!r} takes: {known}")
        options[option[1]] = option[2]
    return options
