"""What a notebook shows of a stream and of an answer."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from mirascope.core import compatible
from mirascope.core.testing import Hold, Pause, Server, streamed, whole
from mirascope_tests.chat import answer, chunk, completion

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


def get_weather(city: str) -> str:
    """Get the weather."""
    return city


def test_a_tool_call_and_a_refusal_are_shown_too(serve: Serve) -> None:
    function = {"name": "get_weather", "arguments": '{"city": "```"}'}
    calls = [{"index": 0, "id": "call_1", "type": "function", "function": function}]
    events = [chunk("Look:"), chunk(tool_calls=calls), chunk(finish="tool_calls")]
    server = serve(streamed(*events), whole(completion(None, refusal="I won't.")))
    stream: Any = compatible.call("m", stream=True, base_url=server.url, tools=[get_weather])(fn)()
    stream.collect()
    assert stream._repr_markdown_() == "Look:\n\n````python\nget_weather(city='```')\n````"
    response: Any = compatible.call("m", base_url=server.url)(fn)()
    assert response._repr_markdown_() == "I won't."


# Live, in what stands in for IPython here; tests/notebooks has a real kernel.


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What IPython was asked to show, and what in its place later."""
    texts: list[str] = []

    def display(bundle: dict[str, str], *, raw: bool, display_id: bool) -> Any:
        assert raw
        assert display_id
        update(bundle, raw=raw)
        return SimpleNamespace(update=update)

    def update(bundle: dict[str, str], *, raw: bool) -> None:
        assert raw
        texts.append(bundle["text/markdown"])
        if bundle["text/markdown"].startswith("broken"):
            raise OSError

    shell = ModuleType("IPython")
    vars(shell)["get_ipython"] = lambda: SimpleNamespace(kernel=object())
    display_module = ModuleType("IPython.display")
    vars(display_module)["display"] = display
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", display_module)
    return texts


def test_a_stream_that_is_shown_is_kept_up_to_date(serve: Serve, shown: list[str]) -> None:
    head, *rest = answer("one ", "two")
    server = serve(streamed(head, rest[0], Pause(0.5), *rest[1:]))
    stream: Any = compatible.call("m", stream=True, base_url=server.url)(fn)()
    stream._ipython_display_()
    assert shown == ["*created*"]
    assert server.requests == []
    stream.collect()
    assert "one \n\n*streaming*" in shown
    assert shown[-1] == "one two"
    assert len(shown) == len(set(shown)), "nothing is sent twice"


def test_a_stream_is_shown_in_its_midst_and_a_second_time(serve: Serve, shown: list[str]) -> None:
    head, *rest = answer("one ", "two")
    displayed = threading.Event()
    server = serve(streamed(head, rest[0], Hold(displayed), *rest[1:]))
    stream: Any = compatible.call("m", stream=True, base_url=server.url)(fn)()
    for piece, _ in stream:
        if piece.content == "one ":
            stream._ipython_display_()
            stream._ipython_display_()
            displayed.set()
    assert shown == ["one \n\n*streaming*"] * 2 + ["one two"] * 2


def test_a_stream_that_is_left_or_never_sent_shows_that(serve: Serve, shown: list[str]) -> None:
    server = serve(streamed(*answer("one ", "two")))
    call: Any = compatible.call("m", stream=True, base_url=server.url)(fn)
    never_sent = call()
    never_sent._ipython_display_()
    never_sent.close()
    assert shown == ["*created*", "*stopped*"]
    left = call()
    left._ipython_display_()
    for _ in left:
        break
    assert shown[-1].endswith("*stopped*")


def test_a_notebook_that_is_gone_breaks_no_answer(serve: Serve, shown: list[str]) -> None:
    server = serve(streamed(*answer("broken")))
    stream: Any = compatible.call("m", stream=True, base_url=server.url)(fn)()
    stream._ipython_display_()
    assert stream.collect().content == "broken"
    assert shown[-1] == "broken"


def test_where_nothing_can_be_replaced_a_stream_is_shown_once(
    serve: Serve, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(streamed(*answer("one")))
    stream: Any = compatible.call("m", stream=True, base_url=server.url)(fn)()
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", object)
    with pytest.raises(NotImplementedError):
        stream._ipython_display_()
    stream.collect()
    with pytest.raises(NotImplementedError):
        stream._ipython_display_()
    assert shown == []
