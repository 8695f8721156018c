"""`tool_choice=` by one rule: each provider's own words for it, and clear refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from mirascope.core import TOOL_CHOICES, BaseTool, ToolChoiceKind, UsageError
from mirascope.core.testing import Server
from mirascope_tests.turns import WAYS, Way, calling

Serve = Callable[..., Server]


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Search(BaseTool):
    """Search for a text."""

    text: str

    def call(self) -> str:
        return self.text


CHAT = {"required": "required", "named": {"type": "function", "function": {"name": "Search"}}}
RESPONSES = {"required": "required", "named": {"type": "function", "name": "Search"}}
EXPECTED: dict[str, dict[str, Any]] = {
    "compatible": {"auto": "auto", "none": "none", **CHAT},
    "openai": {"auto": "auto", "none": "none", **CHAT},
    "responses": {"auto": "auto", "none": "none", **RESPONSES},
    "anthropic": {
        "auto": {"type": "auto"},
        "none": {"type": "none"},
        "required": {"type": "any"},
        "named": {"type": "tool", "name": "Search"},
    },
    "google": {
        "auto": {"mode": "AUTO"},
        "none": {"mode": "NONE"},
        "required": {"mode": "ANY"},
        "named": {"mode": "ANY", "allowedFunctionNames": ["Search"]},
    },
}


def chosen(way: Way, body: Any) -> Any:
    """What a request says of its tools, in the words of its API."""
    if way.provider == "google":
        return (body.get("toolConfig") or {}).get("functionCallingConfig")
    return body.get("tool_choice")


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_each_choice_in_the_words_of_the_api(way: Way, serve: Serve) -> None:
    given = {
        "auto": ["auto"],
        "none": ["none"],
        "required": ["required", "any"],
        "named": [Search, "Search"],
    }
    server = serve(*[calling()] * 20)
    for stream in (True, False):
        for kind, values in given.items():
            for value in values:
                ask = way.decorate(server, [add, Search], "Hi", stream=stream, tool_choice=value)
                result = await way.read(ask)
                assert (
                    chosen(way, server.requests[-1].json) == EXPECTED[way.api or way.provider][kind]
                )
                assert result.call_params["tool_choice"] == value


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_the_last_word_is_the_dynamic_configuration(way: Way, serve: Serve) -> None:
    server = serve(calling())
    config = {"messages": "Hi", "tools": [add], "call_params": {"tool_choice": add}}
    await way.read(way.decorate(server, [Search], config, tool_choice=Search))
    name = str(chosen(way, server.requests[0].json))
    assert "add" in name
    assert "Search" not in name


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_choice_without_anything_to_choose(way: Way, serve: Serve) -> None:
    server = serve(calling(), calling())
    for choice in ("auto", "none"):
        await way.read(way.decorate(server, [], "Hi", tool_choice=choice))
        assert chosen(way, server.requests[-1].json) is None
    for choice, tools, message in (
        ("required", [], "tool_choice is 'required', but the tools of the call are: none$"),
        ("Search", [add], "'Search', but the tools of the call are: 'add'; or write 'auto'"),
        (Search, [add], "'Search', but the tools of the call are: 'add'; or write 'auto'"),
        ("requierd", [add], "tool_choice is 'requierd', but the tools of the call are: 'add'"),
    ):
        with pytest.raises(UsageError, match=message):
            await way.read(way.decorate(server, tools, "Hi", tool_choice=choice))
    assert len(server.requests) == 2


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_the_own_form_of_the_api_passes_unchanged(way: Way, serve: Serve) -> None:
    server = serve(calling())
    own: dict[str, Any] = {"tool_choice": EXPECTED[way.api or way.provider]["named"]}
    if way.provider == "google":
        named = {"mode": "ANY", "allowed_function_names": ["Search"]}
        own = {"tool_config": {"function_calling_config": named}}
    await way.read(way.decorate(server, [Search], "Hi", **own))
    assert chosen(way, server.requests[0].json) == EXPECTED[way.api or way.provider]["named"]


@pytest.mark.parametrize("way", [way for way in WAYS if way.provider == "google"], ids=str)
async def test_gemini_keeps_the_rest_of_its_tool_config(way: Way, serve: Serve) -> None:
    server = serve(calling())
    place = {"retrieval_config": {"languageCode": "de"}}
    await way.read(way.decorate(server, [add], "Hi", tool_choice=add, toolConfig=place))
    assert server.requests[0].json["toolConfig"]["retrievalConfig"]
    twice = {"functionCallingConfig": {"mode": "AUTO"}}
    with pytest.raises(UsageError, match="tool_choice and tool_config both say"):
        await way.read(way.decorate(server, [add], "Hi", tool_choice=add, tool_config=twice))


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_tools_of_the_api_can_be_named_too(way: Way, serve: Serve) -> None:
    own = {
        "google": {"function_declarations": [{"name": "look_up"}]},
        "anthropic": {"name": "look_up", "input_schema": {"type": "object"}},
        "responses": {"type": "function", "name": "look_up", "parameters": {}, "strict": False},
    }
    chat = {"type": "function", "function": {"name": "look_up"}}
    server = serve(calling())
    params = {"tools": [own.get(way.api or way.provider, chat)], "tool_choice": "look_up"}
    await way.read(way.decorate(server, [add], "Hi", call_params=params))
    assert "look_up" in str(chosen(way, server.requests[0].json))


def test_a_provider_that_can_be_told_less() -> None:
    from mirascope_compatible import CompatibleProvider

    class Acme(CompatibleProvider):
        name = "acme"
        tool_choices: ClassVar[frozenset[ToolChoiceKind]] = TOOL_CHOICES - {"none", "tool"}

    from mirascope.core import Call

    call: Any = Call(Acme())
    for choice, shown in (("none", "none"), (add, "add")):

        @call("m", tools=[add], tool_choice=choice)
        def ask() -> str:
            return "Hi"

        with pytest.raises(UsageError, match=f"'acme' can't be told tool_choice '{shown}'"):
            ask()


def test_a_provider_that_was_never_asked() -> None:
    from mirascope.core import Call
    from mirascope_compatible import CompatibleProvider

    class Acme(CompatibleProvider):
        name = "acme"
        tool_choices: ClassVar[frozenset[ToolChoiceKind]] = frozenset()

    call: Any = Call(Acme())

    @call("m", tools=[add], stream=True, tool_choice="required")
    def ask() -> str:
        return "Hi"

    assert ask().call_kwargs["tool_choice"] == "required"

    @call("m", tools=[add], stream=True, tool_choice=add)
    def ask_add() -> str:
        return "Hi"

    with pytest.raises(UsageError, match="'acme' can't be told tool_choice 'add'"):
        ask_add()
