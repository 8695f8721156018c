"""What is not a recording is refused by one line (L3)."""

from __future__ import annotations

from pathlib import Path

import pytest
from mirascope.core import (
    MissingProviderError,
    UnknownProviderError,
    UsageError,
    stream_from,
    stream_from_async,
)
from mirascope.core.plugins import load_provider

from .lines import (
    ANSWER,
    DONE,
    HEADER,
    Replay,
    recorded,
)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (recorded(header={**HEADER, "mirascope_recording": 2}), "has format 2 and this version"),
        (recorded(header={**HEADER, "mirascope_recording": "x"}), "has format 'x'"),
        (b'{"mirascope_recording":1,"provider":"op', "was cut in its first line"),
        (b'{"mirascope_recording":1}', "the first line of .* is damaged: 'provider'"),
        (recorded(header={**HEADER, "provider": 1}), "is damaged: 1 is not of type str"),
        (recorded(header={**HEADER, "date": "today"}), "is damaged: Invalid isoformat"),
        (recorded(header={**HEADER, "messages": "contents"}), "is damaged: 'contents'"),
        (recorded(*ANSWER) * 2, "holds another recording from line 8 on"),
        (recorded(*ANSWER, end=None) * 2, "holds another recording from line 7 on"),
        (b"", "is not a recording"),
        (b"<html>", "is not a recording"),
        (b"\x89PNG\r\n\x1a\n", "is not a recording"),
        (DONE.encode(), r"name its provider \(provider=\)"),
    ],
)
def test_what_is_not_a_recording(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "answer.jsonl"
    path.write_bytes(data)
    for make in (stream_from, stream_from_async):
        with pytest.raises(UsageError, match=said) as caught:
            make(path)
        assert repr(str(path)) in str(caught.value)
        with pytest.raises(UsageError, match=said):
            make(data)


def test_a_bare_body_needs_a_provider(replayed: Replay) -> None:
    body = "".join(line["text"] for line in ANSWER[1:]).encode()
    for provider in ("openai", "compatible", load_provider("compatible")):
        stream = replayed(body, provider=provider, speed=1)
        assert (stream.content, stream.state) == ("Grüße, Welt", "completed")
    assert replayed(body, provider="openai", api="chat").content == "Grüße, Welt"
    assert replayed(b"", provider="openai").state == "truncated"


def test_another_provider_reads_the_same_bytes(replayed: Replay) -> None:
    data = recorded(*ANSWER)
    assert replayed(data, provider="openai").provider == "openai"
    assert replayed(data, provider="compatible").provider == "compatible"
    # The name of the wire API is the recorded provider's own.
    header = {**HEADER, "api": "nobody's"}
    assert replayed(recorded(*ANSWER, header=header), provider="openai").content == "Grüße, Welt"
    with pytest.raises(UnknownProviderError, match='has no API "nobody\'s"'):
        stream_from(recorded(*ANSWER, header=header))
    with pytest.raises(UnknownProviderError, match="no provider 'nobody'"):
        stream_from(recorded(*ANSWER, header={**HEADER, "provider": "nobody"}))


def test_the_error_of_a_provider_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    from mirascope.core.plugins import _discovery, isolated_registry

    monkeypatch.setattr(_discovery, "entry_points", lambda group: ())
    with isolated_registry(), pytest.raises(MissingProviderError, match="mirascope-core"):
        stream_from(recorded(*ANSWER))
