"""The user's own document, word for word, over a socket and through whichever SDK is installed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mirascope.core.testing import Server, streamed
from mirascope_openai import (
    OpenAICallResponseChunk,
    OpenAIResponseChunk,
    OpenAIStream,
)
from mirascope_tests.chat import answer
from mirascope_tests.documents import SEED, blocks, run
from mirascope_tests.shared import needs_shared
from openai.types import CompletionUsage

pytestmark = needs_shared

SAID = "Certainly! If you\u2019re looking for a great fantasy book\u2026"
USAGE = "CompletionUsage(completion_tokens=102, prompt_tokens=12, total_tokens=114"
PIECES = [SAID[at : at + 7] for at in range(0, len(SAID), 7)]


@pytest.fixture
def snippets() -> list[str]:
    found = blocks(SEED, "python")
    assert len(found) == 4
    return found


@pytest.fixture
def server(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> Server:
    server = serve(streamed(*answer(*PIECES)))
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-test")
    return server


def test_streaming(server: Server, snippets: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    names = run(snippets[0])
    assert capsys.readouterr().out == SAID
    assert type(names["stream"]) is OpenAIStream
    assert type(names["chunk"]) is OpenAICallResponseChunk is OpenAIResponseChunk
    (request,) = server.requests
    assert request.json["messages"] == [{"role": "user", "content": "Recommend a fantasy book."}]
    assert request.json["stream"] is True


def test_properties(
    server: Server, snippets: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = snippets[1].replace("\t# do stuff with `chunk` \n", "\tpass\n")
    names = run(f"from mirascope.core import openai\n{code}")
    usage, *others = capsys.readouterr().out.splitlines()
    assert usage.startswith(USAGE)
    assert others == [
        "0.00105",
        repr({"role": "assistant", "content": SAID}),
        repr({"role": "user", "content": "Recommend a fantasy book."}),
    ]
    assert type(names["results"].usage) is CompletionUsage


def test_the_sdks_own_chunks(
    server: Server, snippets: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    names = run(snippets[0])
    capsys.readouterr()
    run(snippets[2], {"results": names["recommend_book"](genre="fantasy")})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(PIECES) + 3  # the role, the finish reason and the usage
    assert all(line.startswith("ChatCompletionChunk(id='chatcmpl-1'") for line in lines)


def test_asynchronous(
    server: Server, snippets: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run(snippets[3])
    assert capsys.readouterr().out == SAID
    (request,) = server.requests
    assert request.json["messages"] == [{"role": "user", "content": "Recommend a fiction book."}]
