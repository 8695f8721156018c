"""A name of Mirascope v1 is here as the same object, or its import says what to write instead."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import re
import sys
import tomllib
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_overloads

import mirascope
import pytest
from mirascope import _left_out, core, llm
from mirascope.core import MirascopeError, UnknownProviderError, compatible
from mirascope.core._tools._toolset import Toolset
from mirascope.core.plugins import _elsewhere
from mirascope.core.plugins._first_party import FIRST_PARTY
from mirascope.core.testing import Server, streamed, whole
from mirascope_tests.api import KEY
from mirascope_tests.chat import answer, completion
from pydantic import BaseModel

from .plugins.installed import site
from .test_imports import HEAVY, REGISTRY, loaded_by, run

Serve = Callable[..., Server]

V1 = tomllib.loads(Path(__file__).with_name("v1_names.toml").read_text("utf-8"))
NAMES = [(module, name) for module, names in V1["names"].items() for name in names.split()]
MODULES = V1["modules"]["modules"].split()
NEUTRAL = ("mirascope", "mirascope.core", "mirascope.core.base", "mirascope.llm")

LEFT_OUT = re.compile(r"^Mirascope v1's (provider )?'[\w.]+' is not here: \S[^\n]{12,}$")

PREFIX = {
    "anthropic": "Anthropic",
    "compatible": "Compatible",
    "google": "Google",
    "local": "Local",
    "openai": "OpenAI",
}


def imported(module: str, name: str) -> object:
    namespace: dict[str, Any] = {}
    exec(f"from {module} import {name}", namespace)
    return namespace[name]


# There, or refused with words


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_name_is_here_or_says_what_to_write_instead(module: str, name: str) -> None:
    try:
        value = imported(module, name)
    except ImportError as error:
        refusal = str(error)
    else:
        assert value is not None
        if module in ("mirascope", "mirascope.core.base") and hasattr(core, name):
            assert value is getattr(core, name)
        return
    assert LEFT_OUT.match(refusal), refusal
    assert f"{name}'" in refusal
    found = importlib.import_module(module)
    assert not hasattr(found, name)
    if module in NEUTRAL:
        with pytest.raises(AttributeError, match=re.escape(refusal)):
            getattr(found, name)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_to_write_instead(module: str) -> None:
    statements = [f"import {module}", f"from {module} import anything"]
    package, _, last = module.rpartition(".")
    statements.append(f"from {package} import {last}")
    for statement in statements:
        with pytest.raises(ImportError) as caught:
            exec(statement)
        assert LEFT_OUT.match(str(caught.value)), f"{statement}: {caught.value}"
        assert caught.value.name is not None


@pytest.mark.parametrize(
    ("statement", "way_out"),
    [
        ("from mirascope.retries.tenacity import collect_errors", r"tenacity .*error\.__cause__"),
        ("from mirascope.retries import fallback", "except APIError"),
        ("from mirascope.integrations.langfuse import with_langfuse", "an observer plugin"),
        ("from mirascope.tools import DuckDuckGoSearch", "a tool is any function"),
        ("from mirascope.core import BasePrompt", "a function with @prompt_template"),
        ("from mirascope.core import merge_decorators", "one above the other"),
        ("from mirascope.core.base import call_factory", "a provider is a plugin"),
        ("from mirascope.llm import override", r"call\('anthropic/…'\)\(fn\)"),
        ("from mirascope.core import gemini", "use 'google'"),
        ("from mirascope.core import vertex", r"'google' with client=genai.Client\(vertexai=True"),
        ("from mirascope.core import azure", r"'openai' with client=AzureOpenAI\(\)"),
        ("from mirascope.core import bedrock", r"'anthropic' with client=AnthropicBedrock\(\)"),
        ("from mirascope.core import cohere", r"compatible\.call\(…, base_url=…\)"),
        ("from mirascope.core import groq", r"compatible\.call\(…, host='groq'\)"),
        ("from mirascope.core.groq import GroqStream", r"compatible\.call\(…, host='groq'\)"),
    ],
)
def test_the_way_out(statement: str, way_out: str) -> None:
    with pytest.raises(ImportError, match=way_out):
        exec(statement)


def test_a_name_that_nobody_ever_had_is_an_ordinary_error() -> None:
    for package in NEUTRAL:
        with pytest.raises(ImportError, match=f"cannot import name 'opnai' from '{package}'"):
            imported(package, "opnai")
        module = importlib.import_module(package)
        assert not hasattr(module, "opnai")
        assert not hasattr(module, "__wrapped__")
        with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'opnai'"):
            _ = module.opnai
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'mirascope.opnai'"):
        importlib.import_module("mirascope.opnai")
    assert importlib.util.find_spec("mirascope.core.opnai") is None


def test_nothing_is_refused_that_is_here() -> None:
    for package in NEUTRAL:
        names = importlib.import_module(package).__all__
        assert not [name for name in names if package != "mirascope.core" and name in LISTED]
    assert _elsewhere.ELSEWHERE.keys().isdisjoint(FIRST_PARTY)


def test_every_refusal_is_for_a_name_that_v1_had() -> None:
    had = {name for module, name in NAMES if module in NEUTRAL}
    modules = {module.split(".")[1] for module in MODULES if module.count(".")}
    assert had >= LISTED
    assert modules >= _left_out.MODULES.keys()
    assert {module.rpartition(".")[2] for module in MODULES} >= _elsewhere.ELSEWHERE.keys()


LISTED = _left_out.NAMES.keys()


def test_a_plugin_may_have_the_name_of_a_provider_of_v1(tmp_path: Path) -> None:
    with site(tmp_path) as installed:
        installed.install("mirascope-groq", name="groq")
        assert imported("mirascope.core", "groq") is sys.modules["mirascope_groq"]
        with pytest.raises(ModuleNotFoundError, match=r"No module named 'mirascope\.core\.groq'"):
            importlib.import_module("mirascope.core.groq")
    with pytest.raises(ImportError, match="Mirascope v1's provider 'groq' is not here"):
        imported("mirascope.core", "groq")


HOSTS = {name for name, text in _elsewhere.ELSEWHERE.items() if "host=" in text}


@pytest.mark.parametrize("name", sorted(HOSTS))
def test_a_provider_that_is_a_host_now_is_found_by_name(name: str) -> None:
    assert core.provider(name).base_url
    llm.call(name, "model")
    compatible.call("model", host=name)


@pytest.mark.parametrize("name", sorted(_elsewhere.ELSEWHERE.keys() - HOSTS))
def test_a_provider_that_is_asked_for_by_name(name: str) -> None:
    for decorate in (
        lambda: core.call(f"{name}/model"),
        lambda: llm.call(name, "model"),
        lambda: core.provider(name),
    ):
        with pytest.raises(UnknownProviderError) as caught:
            decorate()
        text = str(caught.value)
        assert text.startswith(f"no provider {name!r} is installed (installed: anthropic, ")
        assert text.endswith(_elsewhere.ELSEWHERE[name])


# What is loaded


def test_importing_the_top_loads_nothing() -> None:
    modules = loaded_by("before = set(sys.modules); import mirascope")
    ours = {name for name in modules if name.partition(".")[0] == "mirascope"}
    assert ours == {"mirascope", "mirascope._left_out"}
    assert "pydantic" not in modules


@pytest.mark.parametrize(
    "code",
    [
        "from mirascope import *",
        "from mirascope import llm",
        "from mirascope.core import base",
        "import mirascope; mirascope.core.base; mirascope.llm.call; dir(mirascope)",
    ],
)
def test_the_neutral_names_load_no_provider(code: str) -> None:
    modules = loaded_by(code)
    assert modules & (HEAVY | REGISTRY | {"A SCAN OF ENTRY POINTS"}) == set()
    assert not any(name.startswith("mirascope_") for name in modules)


def test_the_finder_stands_last_and_once() -> None:
    finders = run(
        """
        import importlib, json, sys
        import mirascope
        importlib.reload(mirascope)
        print(json.dumps([getattr(finder, "__module__", "") for finder in sys.meta_path]))
        """
    )
    assert finders.count("mirascope._left_out") == 1
    assert finders[-1] == "mirascope._left_out"


def test_the_top_lists_its_names() -> None:
    assert {*mirascope.__all__, "__version__"} <= {*dir(mirascope), "__version__"}
    assert re.match(r"\d+\.\d+", mirascope.__version__)


# A provider's names, by one rule


@pytest.mark.parametrize("provider", FIRST_PARTY)
def test_the_names_of_a_provider(provider: str) -> None:
    module = importlib.import_module(f"mirascope.core.{provider}")
    prefix = PREFIX[provider]
    assert module.__dict__[f"{provider}_call"] is module.call
    assert module.__dict__[f"{prefix}Tool"] is core.BaseTool
    assert (
        module.__dict__[f"Async{prefix}DynamicConfig"] is module.__dict__[f"{prefix}DynamicConfig"]
    )
    message = module.__dict__[f"{prefix}MessageParam"]

    class Chat(BaseModel):
        history: list[message] = []

    messages = [{"role": "user", "parts": [{"text": "Hi"}], "extra": 1}]
    assert Chat(history=messages).history == messages
    listed = f"{provider}_call {prefix}Tool Async{prefix}DynamicConfig {prefix}MessageParam"
    assert {*listed.split()} <= {*module.__all__}


# llm.call


@pytest.fixture
def address(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Server]:
    def start(*replies: Any) -> Server:
        server = serve(*replies)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        return server

    return start


@pytest.mark.parametrize("provider", ["openai", "compatible"])
def test_llm_call(address: Callable[..., Server], provider: str) -> None:
    server = address(
        whole(completion("Dune.")), whole(completion("Emma.")), streamed(*answer("Du", "ne."))
    )

    @llm.call(provider=provider, model="gpt-4o", call_params={"temperature": 0.5})
    def recommend(genre: str) -> str:
        return f"Recommend a {genre} book."

    @llm.call(provider, "gpt-4o")
    async def recommend_later(genre: str) -> str:
        return f"Recommend a {genre} book."

    @llm.call(provider, "gpt-4o", stream=True)
    def stream_book(genre: str) -> str:
        return f"Recommend a {genre} book."

    response = recommend("crime")
    assert isinstance(response, llm.CallResponse)
    assert (response.content, response.provider, response.call_params) == (
        "Dune.",
        provider,
        {"temperature": 0.5},
    )
    assert asyncio.run(recommend_later("crime")).content == "Emma."
    stream = stream_book("crime")
    assert isinstance(stream, llm.Stream)
    chunks = [chunk for chunk, _ in stream]
    assert isinstance(chunks[0], llm.CallResponseChunk)
    assert stream.content == "Dune."
    sent = [request.json["messages"][0]["content"] for request in server.requests]
    assert sent == ["Recommend a crime book."] * 3


def test_llm_call_takes_what_call_takes() -> None:
    call = llm.call("openai", "gpt-5", api="responses", stream=True)(lambda: "Hi")
    assert type(call()).__name__ == "OpenAIResponsesStream"
    # A model's own name may have a slash in it.
    assert llm.call("compatible", "meta/llama")(lambda: "Hi") is not None
    with pytest.raises(MirascopeError, match="'openai' has no API 'respones'"):
        llm.call("openai", "gpt-5", api="respones")


def test_llm_call_is_typed_as_call_is() -> None:
    # Overloads are filed under the module that they were written in.
    written = SimpleNamespace(__module__="mirascope.llm._call", __qualname__="call")
    ours, theirs = get_overloads(written), get_overloads(core.Call.__call__)  # type: ignore[arg-type]
    assert len(ours) == len(theirs) > 1
    for mine, same in zip(ours, theirs, strict=True):
        parameters = list(signature(mine).parameters.values())
        assert parameters.pop(0).name == "provider"
        others = list(signature(same).parameters.values())[1:]
        # Of a provider's own class of responses, a name that is a string can't tell.
        assert [
            (p.name, p.default, p.annotation.replace("BaseCallResponse[Any]", "ResponseT"))
            for p in parameters
        ] == [(p.name, p.default, p.annotation) for p in others]


# Tools


def test_the_name_of_a_tool_by_its_name_in_v1() -> None:
    def author_of(title: str, year: int = 1965) -> str:
        """Tell the author of a book."""
        return f"Frank Herbert, {year}"

    class Publisher(core.BaseTool):
        """Tell the publisher of a book."""

        title: str

    class Renamed(Publisher):
        @classmethod
        def _name(cls) -> str:
            return f"{super()._name().lower()}_of"

    class Named(Renamed):
        @classmethod
        def tool_name(cls) -> str:
            return "named"

    function, publisher, renamed, named = Toolset([author_of, Publisher, Renamed, Named]).types
    assert [tool.tool_name() for tool in (function, publisher, renamed, named)] == [
        "author_of",
        "Publisher",
        "renamed_of",
        "named",
    ]
    assert (function._name(), publisher._name(), renamed._name()) == (
        "author_of",
        "Publisher",
        "renamed_of",
    )
    tool: Any = function.from_tool_call(core.ToolCall("1", "author_of", "{}"), {"title": "Dune"})
    assert (tool._name(), tool.title, tool.year) == ("author_of", "Dune", 1965)
    assert tool.model_dump() == {"title": "Dune", "year": 1965}
    assert Renamed(title="Dune")._name() == "renamed_of"

    # A parameter may have the name of the alias.
    def odd(_name: str) -> str:
        """A tool."""
        return _name

    (odd_type,) = Toolset([odd]).types
    assert odd_type.tool_name() == "odd"
