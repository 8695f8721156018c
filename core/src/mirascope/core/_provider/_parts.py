"""Parts of a message that are more than a string, in the form of chat completions.

Every plugin translates that form, and refuses what its API has no place for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .._errors import PromptError
from .._types import JSONObject
from ..json import as_mappings, as_object
from ._media import Media, MediaKind, MediaSource, read_media

_FORMATS: Final = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "x-m4a": "m4a"}
"""Formats of audio, by the other names that their media types have."""


class TextPart(dict[str, Any]):
    """Text among the parts of a message; a string in the list means the same.

    Args:
        text: the text.
        type: as Mirascope v1 had it; it changes nothing.
    """

    def __init__(self, text: str, *, type: str = "text") -> None:  # noqa: A002
        super().__init__(type="text", text=text)


class ImagePart(dict[str, Any]):
    """An image among the parts of a message.

    Args:
        image: its URL, its bytes (PNG, JPEG, GIF or WebP, unless `media_type` is given), a
            `pathlib.Path`, or an object that shows itself as a PNG, as an image of Pillow does.
        media_type: the type of bytes that do not tell it by themselves, such as `"image/heic"`.
        detail: how closely the model looks, where the API has that: `"low"`, `"high"`, `"auto"`.
        type: as Mirascope v1 had it; it changes nothing.

    Raises:
        PromptError: it is not an image, or the file can't be read.
    """

    def __init__(
        self,
        image: Any,
        *,
        media_type: str | None = None,
        detail: str | None = None,
        type: str = "image",  # noqa: A002
    ) -> None:
        super().__init__(media_part(_read(image, "image", media_type), detail=detail))


class ImageURLPart(ImagePart):
    """An image by its URL; `ImagePart` takes one as well.

    Args:
        url: the URL.
        detail: how closely the model looks, where the API has that.
        type: as Mirascope v1 had it; it changes nothing.

    Raises:
        PromptError: it is not a URL.
    """

    def __init__(
        self,
        url: str,
        *,
        detail: str | None = None,
        type: str = "image_url",  # noqa: A002
    ) -> None:
        super().__init__(url, detail=detail)


class AudioPart(dict[str, Any]):
    """Audio among the parts of a message.

    Args:
        audio: its bytes (WAV, MP3, FLAC, Ogg, AAC or AIFF, unless `media_type` is given), a
            `pathlib.Path`, or a URL, which Gemini alone takes.
        media_type: the type of bytes that do not tell it by themselves.
        type: as Mirascope v1 had it; it changes nothing.

    Raises:
        PromptError: it is not audio, or the file can't be read.
    """

    def __init__(
        self,
        audio: MediaSource,
        *,
        media_type: str | None = None,
        type: str = "audio",  # noqa: A002
    ) -> None:
        super().__init__(media_part(_read(audio, "audio", media_type)))


class AudioURLPart(AudioPart):
    """Audio by its URL, which Gemini alone takes.

    Args:
        url: the URL.
        type: as Mirascope v1 had it; it changes nothing.

    Raises:
        PromptError: it is not a URL.
    """

    def __init__(self, url: str, *, type: str = "audio_url") -> None:  # noqa: A002
        super().__init__(url)


class DocumentPart(dict[str, Any]):
    """A document among the parts of a message: PDF or text, and what else an API takes.

    Args:
        document: its bytes, a `pathlib.Path`, or a URL, which chat completions do not take.
        media_type: the type of bytes that do not tell it by themselves.
        filename: the name that the model reads; that of a `pathlib.Path` if None.
        type: as Mirascope v1 had it; it changes nothing.

    Raises:
        PromptError: it is not a document, or the file can't be read.
    """

    def __init__(
        self,
        document: MediaSource,
        *,
        media_type: str | None = None,
        filename: str | None = None,
        type: str = "document",  # noqa: A002
    ) -> None:
        super().__init__(media_part(_read(document, "document", media_type), filename=filename))


class DocumentURLPart(DocumentPart):
    """A document by its URL, which chat completions do not take.

    Args:
        url: the URL.
        type: as Mirascope v1 had it; it changes nothing.

    Raises:
        PromptError: it is not a URL.
    """

    def __init__(self, url: str, *, type: str = "document_url") -> None:  # noqa: A002
        super().__init__(url)


def media_part(
    media: Media, *, detail: str | None = None, filename: str | None = None
) -> JSONObject:
    """Return an image, audio or a document as a part of a message.

    An address of audio or of a document, for which chat completions have no form, is the `url` of
    the audio and the `file_url` of the file.
    """
    if media.kind == "image":
        seen = {} if detail is None else {"detail": detail}
        return {"type": "image_url", "image_url": {"url": media.data_url, **seen}}
    if media.kind == "audio":
        audio: JSONObject = {"url": media.url}
        if media.url is None:
            subtype = media.media_type.partition("/")[2].partition(";")[0]
            audio = {"data": media.base64, "format": _FORMATS.get(subtype, subtype)}
        return {"type": "input_audio", "input_audio": audio}
    name = filename or media.filename
    if media.url is not None:
        return {
            "type": "file",
            "file": {"file_url": media.url, **({"filename": name} if name else {})},
        }
    # OpenAI refuses the bytes of a file without a name.
    name = name or ("document.pdf" if media.media_type == "application/pdf" else "document.txt")
    return {"type": "file", "file": {"file_data": media.data_url, "filename": name}}


def refuse_parts(
    messages: Sequence[Mapping[str, Any]], refused: Mapping[str, str], *, where: str
) -> None:
    """Refuse parts for which an API has no place, before anything is sent.

    Args:
        messages: the neutral messages.
        refused: what can't be sent (`"image"`, `"audio"`, `"audio URL"`, `"document"`,
            `"document URL"`), and what to do instead.
        where: the API, as an error names it.

    Raises:
        PromptError: there is such a part.
    """
    for message in messages:
        for part in as_mappings(message.get("content")):
            kind = _kind_of(part)
            for name in () if kind is None else (kind, kind.removesuffix(" URL")):
                if name in refused:
                    raise PromptError(f"{where} takes no {name}: {refused[name]}")


def _kind_of(part: Mapping[str, Any]) -> str | None:
    kind = part.get("type")
    if kind == "image_url":
        return "image"
    if kind == "input_audio":
        return "audio URL" if as_object(part.get("input_audio")).get("url") else "audio"
    if kind == "file":
        return "document URL" if as_object(part.get("file")).get("file_url") else "document"
    return None


def _read(value: Any, kind: MediaKind, media_type: str | None) -> Media:
    try:
        return read_media(value, kind, media_type)
    except ValueError as error:
        raise PromptError(f"the {kind} {error}") from error
