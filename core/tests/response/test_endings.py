"""The state machine, with bytes in and values out, through a provider's real decoder."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mirascope.core import StreamProviderError, StreamState
from mirascope.core.plugins import load_provider
from mirascope.core.testing import replay


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def text(content: str) -> bytes:
    return event(choices=[{"index": 0, "delta": {"content": content}}])


def test_the_answer_is_never_ahead_of_the_chunks() -> None:
    """However many events one read brought: what follows a `break` was not said."""
    stream = replay(load_provider("compatible"), text("Hel") + text("lo"))
    for chunk, _ in stream:
        assert stream.content == chunk.content == "Hel"
        break
    assert stream.content == "Hel"
    assert stream.state is StreamState.STOPPED


@pytest.mark.parametrize("chunk_bytes", [None, 1, 7])
def test_usage_that_follows_an_error_is_kept_and_text_is_not(chunk_bytes: int | None) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    body = (
        text("Hello")
        + event(error={"message": "overloaded", "code": 529})
        + text("never")
        + event(choices=[], usage=usage)
    )
    stream = replay(load_provider("compatible"), body, chunk_bytes=chunk_bytes)
    with pytest.raises(StreamProviderError, match="overloaded") as caught:
        list(stream)
    assert caught.value.retryable
    assert caught.value.status == 529
    assert stream.content == "Hello"
    assert stream.usage == usage
