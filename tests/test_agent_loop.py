"""The agent of the page on tools: it streams, calls tools, and goes on until the model answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import Messages
from mirascope.core.testing import Server
from mirascope_tests.documents import blocks
from mirascope_tests.turns import calling, returned

Serve = Callable[..., Server]
ASKS = ("history:", "asyncio.run(")
PAGE = Path(__file__).parents[1] / "docs" / "tools.md"


@pytest.fixture(params=["openai", "anthropic", "google"])
def page(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the blocks of the page that make tools and loops, with a provider and a server."""
    provider: str = request.param

    def run(server: Server) -> dict[str, Any]:
        root = server.url.removesuffix("/v1")
        for name, value in (
            ("OPENAI_BASE_URL", server.url),
            ("ANTHROPIC_BASE_URL", root),
            ("GOOGLE_GEMINI_BASE_URL", root),
            *((f"{name}_API_KEY", "key-of-nobody") for name in ("OPENAI", "ANTHROPIC", "GOOGLE")),
        ):
            monkeypatch.setenv(name, value)
        namespace: dict[str, Any] = {"__name__": "document"}
        for code in (code for code in blocks(PAGE, "python") if "def converse" in code):
            code = code.replace("Messages, openai", f"Messages, {provider} as openai")
            # Without what asks a model at once.
            made = [part for part in code.split("\n\n") if not part.lstrip().startswith(ASKS)]
            exec(compile("\n\n".join(made), "tools.md", "exec"), namespace)
        return namespace

    return run


def history() -> list[Any]:
    return [Messages.User("What is the weather in Lisbon?")]


@pytest.mark.parametrize("is_async", [False, True])
def test_it_goes_on_until_the_model_answers(
    page: Callable[..., Any], serve: Serve, is_async: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if is_async:
        call, output = ("search_books", {"topic": "whales"}), ["All about whales"]
    else:
        call, output = ("get_weather", {"city": "Lisbon"}), "sun in Lisbon"
    wrong, unknown = (call[0], {"nothing": 1}), ("made_up", {})
    server = serve(calling(call, call), calling(wrong, unknown), calling())
    names = page(server)
    said = history()
    converse = names["converse_async"] if is_async else names["converse"]
    answer = converse(said)
    assert (asyncio.run(answer) if is_async else answer) == "Fine."
    assert capsys.readouterr().out == "Fine."
    assert len(server.requests) == 3
    first, second, *errors = returned(server.requests[2].json)
    assert {str(first), str(second)} <= {str(output), f'["{output[0]}"]'}
    assert "don't fit" in str(errors[0])
    assert "made_up" in str(errors[1])
    assert len(said) >= 5, "the conversation is all there"


def test_it_is_bounded(page: Callable[..., Any], serve: Serve) -> None:
    server = serve(*[calling(("get_weather", {"city": "Lisbon"}))] * 3)
    names = page(server)
    with pytest.raises(RuntimeError, match="no answer after 3 steps"):
        names["converse"](history(), max_steps=3)
    assert len(server.requests) == 3


def test_tools_run_at_the_same_time(page: Callable[..., Any], serve: Serve) -> None:
    calls = [("search_books", {"topic": str(number)}) for number in range(5)]
    server = serve(calling(*calls), calling())
    names = page(server)
    running, most = 0, 0

    async def sleep(_: float, real: Any = asyncio.sleep) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await real(0.05)
        running -= 1

    names["asyncio"] = type("asyncio", (), {**vars(asyncio), "sleep": staticmethod(sleep)})
    asyncio.run(names["converse_async"](history()))
    assert most == 5
