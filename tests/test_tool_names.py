"""Names that an API refuses are refused when a call is decorated, by each API's own rule."""

from __future__ import annotations

from typing import Any

import mirascope.core as core
import pytest
from mirascope.core import BaseTool, UsageError
from pydantic import Field

APIS = {
    "chat": ("openai", {"api": "chat"}),
    "responses": ("openai", {"api": "responses"}),
    "messages": ("anthropic", {}),
    "generate": ("google", {}),
    "compatible": ("compatible", {"base_url": "http://127.0.0.1:9/v1"}),
    "local": ("local", {}),
}
REFUSED = {
    "chat": ["wetter_für", "天気", "a.b", "a:b", "a b", "a" * 65, "weather\n"],
    "responses": ["wetter_für", "天気", "a.b", "a:b", "a b", "a" * 129, "weather\n"],
    "messages": ["wetter_für", "天気", "a.b", "a:b", "a b", "a" * 129, "weather\n"],
    "generate": ["wetter_für", "天気", "a b", "a" * 129, "1st", "-a", "weather\n"],
    "compatible": [],
    "local": [],
}
TAKEN = {
    "chat": ["a", "A-b_9", "1st", "_", "a" * 64],
    "responses": ["a", "A-b_9", "1st", "_", "a" * 128],
    "messages": ["a", "A-b_9", "1st", "_", "a" * 128],
    "generate": ["a", "A-b_9", "_", "a.b", "a:b", "a" * 128],
    "compatible": ["wetter_für", "天気", "a.b", "a" * 300],
    "local": ["wetter_für", "天気", "a.b", "a" * 300],
}


def named(name: str) -> Any:
    def tool(city: str) -> str:
        return city

    tool.__name__ = name
    return tool


def decorate(api: str, tool: Any) -> Any:
    provider, settings = APIS[api]

    @getattr(core, provider).call("m", tools=[tool], **settings)
    def ask() -> str:
        return "Hi"

    return ask


@pytest.mark.parametrize(("api", "name"), [(a, n) for a, names in REFUSED.items() for n in names])
def test_a_name_that_the_api_refuses(api: str, name: str) -> None:
    class Renamed(BaseTool):
        @classmethod
        def tool_name(cls) -> str:
            return name

    for tool in (named(name), Renamed):
        with pytest.raises(UsageError) as caught:
            decorate(api, tool)
        assert f"the tool name {name!r} is refused by {APIS[api][0]!r}" in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("api", "name"), [(a, n) for a, names in TAKEN.items() for n in names])
def test_a_name_that_the_api_takes(api: str, name: str) -> None:
    decorate(api, named(name))


@pytest.mark.parametrize("api", APIS)
def test_a_lambda_has_no_name(api: str) -> None:
    with pytest.raises(UsageError, match="a lambda has no name"):
        decorate(api, lambda city: city)


@pytest.mark.parametrize("api", [api for api in APIS if api != "local"])
def test_tools_that_the_function_returns_follow_the_same_rule(api: str) -> None:
    provider, settings = APIS[api]

    @getattr(core, provider).call(
        "m",
        base_url="http://127.0.0.1:9/v1",
        api_key="k",
        **{k: v for k, v in settings.items() if k != "base_url"},
    )
    def ask() -> Any:
        return {"messages": [{"role": "user", "content": "Hi"}], "tools": [lambda city: city]}

    with pytest.raises(UsageError, match="a lambda has no name"):
        ask()


def test_the_names_of_arguments() -> None:
    def book(größe: int) -> None: ...

    class Book(BaseTool):
        größe: int = Field(alias="size")

    with pytest.raises(UsageError, match="the argument 'größe' of the tool 'book' is refused"):
        decorate("messages", book)
    decorate("messages", Book)
    decorate("chat", book)
