"""What a notebook shows of a stream and of an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mirascope.core import compatible
from mirascope.core.testing import Server, streamed, whole
from mirascope_tests.chat import answer, completion

Serve = Callable[..., Server]


def fn() -> None:
    """Hi"""


def test_markdown_of_a_stream_and_of_an_answer(serve: Serve) -> None:
    server = serve(streamed(*answer("# Title\n", "*text*")), whole(completion("**Hi**")))
    options = {"base_url": server.url, "api_key": "sk-secret-0123456789"}
    stream: Any = compatible.call("m", stream=True, **options)(fn)()
    assert stream._repr_markdown_() == "*created*"
    assert server.requests == []
    for _ in stream:
        break
    shown = stream._repr_markdown_()
    assert shown.endswith("*stopped*")
    response: Any = compatible.call("m", **options)(fn)()
    assert response._repr_markdown_() == "**Hi**"
    assert "sk-secret" not in shown + repr(stream) + repr(response)


def test_a_whole_stream_is_its_text(serve: Serve) -> None:
    server = serve(streamed(*answer("# Title\n", "*text*")))
    stream: Any = compatible.call("m", stream=True, base_url=server.url)(fn)()
    stream.collect()
    assert stream._repr_markdown_() == "# Title\n*text*"
