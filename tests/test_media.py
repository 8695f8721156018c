"""Images, audio and documents by bytes, path or URL, in each provider's form (C2)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirascope.core import (
    AudioPart,
    AudioURLPart,
    BaseMessageParam,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    Messages,
    PromptError,
    PromptTemplate,
    TextPart,
    local,
    prompt_template,
)
from mirascope.core.testing import Server
from mirascope_tests.turns import WAYS, Way, calling
from pydantic import BaseModel

Serve = Callable[..., Server]

PNG = b"\x89PNG\r\n\x1a\n\0"
WAV = b"RIFF\0\0\0\0WAVEfmt "
PDF = b"%PDF-1.7\n\xff"
URL = "https://example.com/a"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{b64(data)}"


def forms(way: Way) -> dict[str, Any]:
    """What each part is in the words of the API; None where it takes no such thing."""
    image, pdf = data_url("image/png", PNG), data_url("application/pdf", PDF)
    if way.api == "responses":
        return {
            "image": {"type": "input_image", "image_url": image, "detail": "low"},
            "image URL": {"type": "input_image", "image_url": f"{URL}.png", "detail": "auto"},
            "audio": None,
            "audio URL": None,
            "document": {"type": "input_file", "file_data": pdf, "filename": "a.pdf"},
            "document URL": {"type": "input_file", "file_url": f"{URL}.pdf"},
        }
    if way.provider == "anthropic":
        return {
            "image": _source("image", type="base64", media_type="image/png", data=b64(PNG)),
            "image URL": _source("image", type="url", url=f"{URL}.png"),
            "audio": None,
            "audio URL": None,
            "document": {
                **_source("document", type="base64", media_type="application/pdf", data=b64(PDF)),
                "title": "a.pdf",
            },
            "document URL": _source("document", type="url", url=f"{URL}.pdf"),
        }
    if way.provider == "google":
        return {
            "image": _inline("image/png", PNG),
            "image URL": {"fileData": {"fileUri": f"{URL}.png", "mimeType": "image/png"}},
            "audio": _inline("audio/wav", WAV),
            "audio URL": {"fileData": {"fileUri": f"{URL}.flac", "mimeType": "audio/flac"}},
            "document": _inline("application/pdf", PDF),
            "document URL": {"fileData": {"fileUri": f"{URL}.pdf", "mimeType": "application/pdf"}},
        }
    return {
        "image": {"type": "image_url", "image_url": {"url": image, "detail": "low"}},
        "image URL": {"type": "image_url", "image_url": {"url": f"{URL}.png"}},
        "audio": {"type": "input_audio", "input_audio": {"data": b64(WAV), "format": "wav"}},
        "audio URL": None,
        "document": {"type": "file", "file": {"file_data": pdf, "filename": "a.pdf"}},
        "document URL": None,
    }


def _source(kind: str, **source: str) -> dict[str, Any]:
    return {"type": kind, "source": source}


def _inline(kind: str, data: bytes) -> dict[str, Any]:
    return {"inlineData": {"mimeType": kind, "data": b64(data)}}


def parts(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every way to write each kind of part; the ways of one kind mean the same."""
    paths = {name: folder / name for name in ("a.png", "a.wav", "a.pdf")}
    for path, data in zip(paths.values(), (PNG, WAV, PDF), strict=True):
        path.write_bytes(data)
    return {
        "image": [
            ImagePart(PNG, detail="low"),
            ImagePart(paths["a.png"], detail="low"),
            ImagePart(data_url("image/png", PNG), detail="low"),
            ImagePart(image=PNG, media_type="image/png", detail="low", type="image"),
        ],
        "image URL": [ImagePart(f"{URL}.png"), ImageURLPart(type="image_url", url=f"{URL}.png")],
        "audio": [
            AudioPart(WAV),
            AudioPart(paths["a.wav"]),
            AudioPart(type="audio", media_type="audio/x-wav", audio=WAV),
            AudioPart(data_url("audio/wav", WAV)),
        ],
        "audio URL": [AudioPart(f"{URL}.flac"), AudioURLPart(url=f"{URL}.flac")],
        "document": [
            DocumentPart(PDF, filename="a.pdf"),
            DocumentPart(paths["a.pdf"]),
            DocumentPart(document=PDF, media_type="application/pdf", filename="a.pdf"),
        ],
        "document URL": [DocumentPart(f"{URL}.pdf"), DocumentURLPart(url=f"{URL}.pdf")],
    }


def sent_parts(way: Way, body: Any) -> Any:
    (message,) = body.get("messages") or body.get("input") or body["contents"]
    if "parts" not in message:
        return message["content"]
    # The SDK writes some names in snake case, and base64 in its URL-safe form, as proto3 allows.
    text = json.dumps(message["parts"])
    for name, snake in (("mimeType", "mime_type"), ("fileUri", "file_uri")):
        text = text.replace(snake, name)
    return json.loads(text.replace("_", "/"))


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_every_part_in_the_words_of_the_api(way: Way, serve: Serve, tmp_path: Path) -> None:
    server = serve(*[calling()] * 20)
    expected = forms(way)
    for kind, written in parts(tmp_path).items():
        for part in written:
            before = len(server.requests)
            ask = way.decorate(server, [], Messages.User(["Look:", part]))
            if expected[kind] is None:
                with pytest.raises(PromptError, match=r"takes no (audio|document)( URL)?: "):
                    await way.read(ask)
                assert len(server.requests) == before, "nothing is sent"
                continue
            await way.read(ask)
            text, sent = sent_parts(way, server.requests[-1].json)
            assert text["text"] == "Look:"
            assert sent == expected[kind]


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_bytes_and_paths_among_the_parts(way: Way, serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(PDF)
    server = serve(*[calling()] * 4)

    class Picture:
        def _repr_png_(self) -> bytes:
            return PNG

    expected = forms(way)
    plain = json.loads(json.dumps(expected["image"]).replace('"low"', '"auto"'))
    plain.get("image_url", {}).pop("detail", None) if way.api != "responses" else None
    given = ["Look:", PNG, Picture(), path]
    for messages in (Messages.User(given), given, (given[0], *given[1:])):
        await way.read(way.decorate(server, [], messages))
        text, *sent = sent_parts(way, server.requests[-1].json)
        assert text["text"] == "Look:"
        assert sent == [plain, plain, expected["document"]]
    await way.read(way.decorate(server, [], PNG))
    assert sent_parts(way, server.requests[-1].json) == [plain]
    assert given[1] is PNG, "what the user gave is not changed"


def filled(template: str, **values: Any) -> Any:
    def fn(**values: Any) -> None: ...

    (message,) = PromptTemplate(template, owner="fn").messages(values)
    return message["content"]


def test_the_fields_of_a_template() -> None:
    assert filled("Hear {x:audio} now.", x=WAV) == [
        TextPart("Hear"),
        AudioPart(WAV),
        TextPart("now."),
    ]
    assert filled("{x:audios}", x=[WAV, f"{URL}.mp3"]) == [AudioPart(WAV), AudioPart(f"{URL}.mp3")]
    assert filled("{x:document}", x=PDF) == [DocumentPart(PDF)]
    assert filled("{x:documents}", x=[b"words", None]) == [DocumentPart(b"words")]
    assert filled("{x:image(detail=low)}", x=URL) == [ImagePart(URL, detail="low")]
    assert filled("{x:document(filename=a.pdf)}", x=PDF) == [DocumentPart(PDF, filename="a.pdf")]
    assert filled("A {x:text} {y:texts}", x=1, y=["b", None, "c"]) == [
        TextPart("A"),
        TextPart("1"),
        TextPart("b"),
        TextPart("c"),
    ]
    assert filled("{x:part}{y:parts}", x=TextPart("a"), y=[ImagePart(URL), "b", PNG]) == [
        TextPart("a"),
        ImagePart(URL),
        TextPart("b"),
        ImagePart(PNG),
    ]
    assert filled("Hear {x:audio}", x=None) == [TextPart("Hear")]


@pytest.mark.parametrize(
    ("template", "value", "message"),
    [
        ("{x:audio}", PNG, r"\{x:audio\} is not WAV, MP3"),
        ("{x:document}", PNG, r"\{x:document\} is not a PDF or a text"),
        ("{x:document}", b"\0\xff", r"\{x:document\} is not a PDF or a text"),
        ("{x:documents}", PDF, r"takes a list, not a bytes"),
        ("{x:part}", b"words", r"\{x:part\} is not an image, audio or a document that is known"),
        ("{x:part}", 5, r"\{x:part\} is not a document: give a URL, bytes or a pathlib.Path"),
        ("{x:image(size=5)}", PNG, r"has an option 'size=5'; 'image' takes: detail, media_type"),
        ("{x:text(a=b)}", "a", r"has an option 'a=b'; 'text' takes: none"),
        ("{x:cache_control}", "a", "has the format 'cache_control', which is Anthropic's alone"),
    ],
)
def test_what_does_not_fit_is_one_clear_line(template: str, value: Any, message: str) -> None:
    with pytest.raises(PromptError, match=message) as caught:
        filled(template, x=value)
    assert "\n" not in str(caught.value)


def test_a_document_that_is_text() -> None:
    part = DocumentPart(b"# Dune")
    assert part["file"] == {
        "file_data": data_url("text/plain", b"# Dune"),
        "filename": "document.txt",
    }


def test_claude_takes_text_and_no_other_file() -> None:
    from mirascope.core import anthropic

    def ask(document: bytes, kind: str) -> Any:
        return Messages.User([DocumentPart(document, media_type=kind)])

    call = anthropic.call("claude-sonnet-4-5", stream=True)(ask)
    (message,) = call(b"a,b", "text/csv").messages
    assert message["content"][0]["source"] == {
        "type": "text",
        "media_type": "text/plain",
        "data": "a,b",
    }
    with pytest.raises(PromptError, match="takes images, PDF and text, not 'application/zip'"):
        call(b"PK", "application/zip")


def test_the_local_model_reads_text_only() -> None:
    for part in (ImagePart(PNG), AudioPart(WAV), DocumentPart(PDF), DocumentPart(URL)):

        @local.call("smollm2-135m", stream=True)
        def ask(part: Any = part) -> Any:
            return Messages.User(["Look:", part])

        with pytest.raises(PromptError, match=r"the local provider takes no \w+: its models"):
            ask()


def test_parts_are_plain_data() -> None:
    import copy
    import pickle

    class Chat(BaseModel):
        history: list[BaseMessageParam]

    part = ImagePart(PNG, detail="low")
    assert json.loads(json.dumps(part)) == part
    assert pickle.loads(pickle.dumps(part)) == copy.deepcopy(part) == part
    chat = Chat(history=[Messages.User([part, TextPart("Hi")])])
    assert Chat.model_validate_json(chat.model_dump_json()) == chat


@given(st.binary(), st.sampled_from(["image", "audio", "document", "part"]))
def test_any_bytes_are_a_part_or_refused(data: bytes, kind: str) -> None:
    try:
        (part,) = filled(f"{{x:{kind}}}", x=data)
    except PromptError:
        return
    assert b64(data) in json.dumps(part)


@given(st.text(), st.sampled_from(["image", "audio", "document"]))
def test_no_text_is_read_as_a_path(text: str, kind: str) -> None:
    for given_text in (text, f"/etc/{text}", f"file:///{text}", __file__):
        try:
            parts = filled(f"{{x:{kind}}}", x=given_text)
        except PromptError:
            continue
        assert given_text.startswith(("http://", "https://", "gs://", "data:")), parts


@pytest.mark.parametrize("content", [b"words", [b"words"], ["Look:", b"\xff\0"]])
def test_bytes_that_tell_nothing_are_refused(content: Any) -> None:
    for messages in (content, Messages.User(content), [Messages.User(content)]):
        with pytest.raises(PromptError, match="a part of a message is not an image, audio or a"):
            filled_messages(messages)


def filled_messages(history: Any) -> Any:
    return PromptTemplate("MESSAGES: {history}", owner="fn").messages({"history": history})


def test_a_prompt_of_its_own() -> None:
    @prompt_template("{paper:document}")
    def ask(paper: bytes) -> None: ...

    assert ask(PDF) == [{"role": "user", "content": [DocumentPart(PDF)]}]
