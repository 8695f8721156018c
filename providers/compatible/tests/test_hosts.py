"""Hosts: servers by name. Where their calls go, which key goes there, and what they cost."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx
import pytest
from mirascope.core import (
    AuthenticationError,
    UnknownPriceWarning,
    UnknownProviderError,
    UsageError,
    call,
    compatible,
    prices,
)
from mirascope.core.plugins import isolated_registry, load_host, load_provider
from mirascope.core.testing import Server, redirect, streamed, whole
from mirascope_compatible import Host
from mirascope_compatible._presets import presets
from mirascope_tests.api import API
from mirascope_tests.chat import answer, completion

Serve = Callable[..., Server]
HERE = Path(__file__).parents[1]
PRESETS = presets()
HOST_KEY = "acme-0123456789abcdef-own"
OPENAI_KEY = "sk-openai-0123456789abcdef"


@pytest.fixture(autouse=True)
def _environment_of_a_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    for host in PRESETS.values():
        for variable in host.key_variables:
            monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key for the host Acme, and one for OpenAI."""
    monkeypatch.setenv("ACME_API_KEY", HOST_KEY)
    monkeypatch.setenv("OPENAI_API_KEY", OPENAI_KEY)


@pytest.fixture(autouse=True)
def _nothing_registered() -> Iterator[None]:
    with prices.isolated():
        yield


def acme(server: Server, **fields: Any) -> Host:
    return Host(**{"name": "acme", "base_url": server.url, "api_key_env": "ACME_API_KEY", **fields})


def sent_keys(server: Server) -> list[str | None]:
    return [request.headers.get("authorization") for request in server.requests]


def holds_no_key(server: Server) -> bool:
    return not any(
        key in f"{request.path} {request.headers} {request.body!r}"
        for request in server.requests
        for key in (HOST_KEY, OPENAI_KEY)
    )


# Where a call goes


@pytest.mark.usefixtures("keys")
async def test_a_host_is_a_server_with_a_name(compatible_api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hel", "lo")))
    ask = compatible_api.ask("org/model-1", host=acme(server))
    reading = await compatible_api.drain(await compatible_api.call(ask))
    assert reading.error is None
    assert "".join(reading.texts) == "Hello"
    assert reading.stream.provider == "acme"
    [request] = server.requests
    assert request.path == "/v1/chat/completions"
    # The model's name is the server's: a slash in it says nothing about hosts.
    assert request.json["model"] == "org/model-1"
    assert "host" not in request.json
    assert sent_keys(server) == [f"Bearer {HOST_KEY}"]


@pytest.mark.usefixtures("keys")
async def test_a_call_without_a_stream(compatible_api: API, serve: Serve) -> None:
    server = serve(whole(completion("Hi")))
    ask = compatible_api.ask("m", host=acme(server), stream=False)
    response = await compatible_api.call(ask)
    assert (response.content, response.provider) == ("Hi", "acme")
    assert isinstance(response, compatible.CompatibleCallResponse)
    assert sent_keys(server) == [f"Bearer {HOST_KEY}"]


async def test_no_model_s_name_is_taken_for_a_host(
    compatible_api: API, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(streamed(*answer("Hi")))
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("DEEPSEEK_API_KEY", HOST_KEY)
    for model in ("deepseek/deepseek-chat", "openrouter/auto", "groq/compound", "mistral"):
        reading = await compatible_api.drain(await compatible_api.call(compatible_api.ask(model)))
        assert reading.error is None
        assert reading.stream.provider == "compatible"
        assert server.requests[-1].json["model"] == model
    assert sent_keys(server) == [None] * 4


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_goes_to_its_own_address(
    name: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = PRESETS[name]
    monkeypatch.setenv("OPENAI_API_KEY", OPENAI_KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    for variable in host.key_variables[:1]:
        monkeypatch.setenv(variable, HOST_KEY)
    proxy = serve(whole({"error": {"message": "no way out"}}, status=502), path="")

    with httpx.Client(proxy=proxy.url) as client:

        @compatible.call("some/model", host=name, client=client)
        def ask() -> None:
            """Hi"""

        with pytest.raises(Exception):  # noqa: B017 - the proxy leads nowhere
            ask()
    [request] = proxy.requests
    address = httpx.URL(host.base_url)
    if address.scheme == "https":
        assert (request.method, request.path) == ("CONNECT", f"{address.host}:443")
    else:
        assert request.path == f"{host.base_url}/chat/completions"
        assert host.is_local
    assert holds_no_key(proxy)


# Keys


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("way", ["base_url", "client", "call_params", "environment"])
async def test_a_host_s_key_goes_to_no_other_address(
    way: str, compatible_api: API, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = serve(streamed(*answer("own"))), serve(streamed(*answer("other")))
    given: dict[str, Any] = {"host": acme(own)}
    fn = None
    async with compatible_api.client(other.url) as client:
        if way == "base_url":
            given["base_url"] = other.url
        elif way == "client":
            given["client"] = client
        elif way == "call_params":
            fn = compatible_api.function("Hi", {"call_params": {"base_url": other.url}})
        else:
            for variable in ("OPENAI_BASE_URL", "ACME_BASE_URL", "BASE_URL"):
                monkeypatch.setenv(variable, other.url)
        reading = await compatible_api.drain(
            await compatible_api.call(compatible_api.ask("m", fn=fn, **given))
        )
    assert reading.error is None
    if way == "environment":
        # No variable leads a host's calls elsewhere.
        assert (reading.texts, sent_keys(own)) == (["own"], [f"Bearer {HOST_KEY}"])
        assert other.requests == []
    else:
        assert (reading.texts, sent_keys(other)) == (["other"], [None])
        assert own.requests == []
    assert holds_no_key(other)


@pytest.mark.usefixtures("keys")
async def test_a_key_that_is_given_goes_where_it_is_given_for(
    compatible_api: API, serve: Serve
) -> None:
    own, other = serve(streamed(*answer("own"))), serve(streamed(*answer("other")))
    for given, server in (({}, own), ({"base_url": other.url}, other)):
        ask = compatible_api.ask("m", host=acme(own), api_key="given-key-0123", **given)
        assert (await compatible_api.drain(await compatible_api.call(ask))).error is None
        assert sent_keys(server) == ["Bearer given-key-0123"]


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("follow", [False, True])
async def test_no_key_follows_a_redirect(follow: bool, compatible_api: API, serve: Serve) -> None:
    other = serve(streamed(*answer("other")))
    own = serve(redirect(f"{other.url}/chat/completions"))
    options: dict[str, Any] = {"host": acme(own)}
    async with compatible_api.client("", follow_redirects=True) as client:
        if follow:
            options["client"] = client
        await compatible_api.drain(await compatible_api.call(compatible_api.ask("m", **options)))
    assert sent_keys(own) == [f"Bearer {HOST_KEY}"]
    assert len(other.requests) <= follow
    assert holds_no_key(other)


async def test_openai_s_key_is_nobody_else_s(
    compatible_api: API, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", OPENAI_KEY)
    server = serve(streamed(*answer("Hi")))
    keyless = acme(server, api_key_env=())
    reading = await compatible_api.drain(
        await compatible_api.call(compatible_api.ask("m", host=keyless))
    )
    assert (reading.error, sent_keys(server)) == (None, [None])


async def test_a_missing_key_is_said_before_anything_is_sent(
    compatible_api: API, serve: Serve
) -> None:
    server = serve(streamed(*answer("Hi")))
    host = acme(server, api_key_env=("ACME_API_KEY", "ACME_KEY"))
    reading = await compatible_api.drain(
        await compatible_api.call(compatible_api.ask("m", host=host))
    )
    assert isinstance(reading.error, AuthenticationError)
    assert str(reading.error) == "acme/m: no key is known: set ACME_API_KEY or give api_key="
    assert server.requests == []
    # Whoever authenticates in another way is let through.
    ask = compatible_api.ask("m", host=host, headers={"X-Acme-Key": "abc"})
    assert (await compatible_api.drain(await compatible_api.call(ask))).error is None


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("place", ["client", "headers"])
async def test_what_the_user_authenticates_with_is_not_replaced(
    place: str, compatible_api: API, serve: Serve
) -> None:
    server = serve(streamed(*answer("Hi")))
    own = {"authorization": "Token of-the-user-0123"}
    async with compatible_api.client("", headers=own) as client:
        given = {"client": client} if place == "client" else {"headers": own}
        ask = compatible_api.ask("m", host=acme(server), **given)
        assert (await compatible_api.drain(await compatible_api.call(ask))).error is None
    assert sent_keys(server) == ["Token of-the-user-0123"]


def test_the_first_variable_that_is_set_counts(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(whole(completion()))
    host = acme(server, api_key_env=("ACME_API_KEY", "ACME_KEY"))
    ask = compatible.call("m", host=host)(lambda: "Hi")
    monkeypatch.setenv("ACME_API_KEY", "")
    monkeypatch.setenv("ACME_KEY", "second-0123456")
    ask()
    monkeypatch.setenv("ACME_API_KEY", HOST_KEY)
    ask()
    assert sent_keys(server) == ["Bearer second-0123456", f"Bearer {HOST_KEY}"]


def test_no_key_is_ever_sent_in_the_clear() -> None:
    with pytest.raises(UsageError, match="in the clear"):
        Host(name="acme", base_url="http://acme.example/v1", api_key_env="ACME_API_KEY")
    Host(name="acme", base_url="http://acme.example/v1")
    Host(name="acme", base_url="http://localhost:1/v1", api_key_env="ACME_API_KEY")


# Quirks


async def test_a_server_that_refuses_to_be_asked_for_usage(
    compatible_api: API, serve: Serve
) -> None:
    server = serve(streamed(*answer("Hi")))
    host = acme(server, api_key_env=(), stream_usage=False)
    for given in ({}, {"stream_options": {"include_usage": True}}):
        ask = compatible_api.ask("m", host=host, **given)
        assert (await compatible_api.drain(await compatible_api.call(ask))).error is None
    assert [request.json.get("stream_options") for request in server.requests] == [
        None,
        {"include_usage": True},
    ]
    assert PRESETS["mistral"].stream_usage is False


# Names


def test_an_unknown_name_is_one_line_with_the_way_out() -> None:
    with pytest.raises(UnknownProviderError) as caught:
        compatible.call("deepseek-chat", host="deepsek")
    message = str(caught.value)
    assert "\n" not in message
    assert "no host 'deepsek' is known; did you mean 'deepseek'?" in message
    assert ", ".join(PRESETS) in message
    assert "base_url= and api_key=" in message
    with pytest.raises(UnknownProviderError, match="did you mean 'openrouter'"):
        compatible.call_async("m", host="OpenRouter")
    with pytest.raises(UsageError, match="host must be the name of a known server or a Host"):
        compatible.call("m", host=3)  # pyright: ignore
    with pytest.raises(UnknownProviderError, match="did you mean 'deepseek'"):
        call("deepsek/deepseek-chat")


def test_a_host_is_found_by_name_where_providers_are(serve: Serve) -> None:
    assert load_provider("deepseek") is load_host("deepseek") is PRESETS["deepseek"].provider()
    with isolated_registry():
        assert load_provider("openrouter").name == "openrouter"

    @call("openrouter/deepseek/deepseek-chat", stream=True)
    def ask() -> None:
        """Hi"""

    stream = ask()
    assert (stream.provider, stream.model) == ("openrouter", "deepseek/deepseek-chat")
    assert isinstance(stream, compatible.CompatibleStream)


@pytest.mark.parametrize("decorator", [call, compatible.call])
def test_a_host_in_the_wrong_place_is_not_sent_to_the_server(decorator: Any, serve: Serve) -> None:
    server = serve(whole(completion()))
    model = "compatible/m" if decorator is call else "m"
    given = {"host": "groq"} if decorator is call else {"call_params": {"host": "groq"}}
    ask = decorator(model, base_url=server.url, **given)(lambda: "Hi")
    with pytest.raises(UsageError, match=r"host is an argument of compatible.call\(\)"):
        ask()
    assert server.requests == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "Acme"}, r"\[a-z\]"),
        ({"base_url": "acme.example/v1"}, "must be an address"),
        ({"base_url": ""}, "must be an address"),
        ({"base_url": "https://[::1"}, "must be an address"),
    ],
)
def test_a_host_is_checked_where_it_is_made(fields: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Host(**{"name": "acme", "base_url": "https://acme.example/v1", **fields})


# What it costs


TABLE = """
schema = 1
provider = "acme"
updated = 2026-11-22
[models."gpt-4o-2024-08-06"]
prices = [{ input = 1, output = 2 }]
"""


@pytest.mark.usefixtures("keys")
async def test_prices_are_by_host_and_exact_at_its_own_address_only(
    compatible_api: API, serve: Serve
) -> None:
    own, other = serve(streamed(*answer("own"))), serve(streamed(*answer("other")))
    host = acme(own, prices_package="acme_prices_of_this_test")
    table = prices.PriceTable.from_toml(TABLE, "acme")
    host.provider().__dict__["prices"] = table

    async def cost(**given: Any) -> Any:
        ask = compatible_api.ask("m", host=host, **given)
        return (await compatible_api.drain(await compatible_api.call(ask))).stream.cost_details

    found = await cost()
    assert (str(found), found.exact, found.basis) == ("$0.000216", True, "list")
    found = await cost(base_url=other.url)
    assert (str(found), found.exact) == ("$0.000216", False)
    assert found.notes == (
        "another server than the provider's own answered: the prices are those of acme",
    )
    async with compatible_api.client(other.url) as client:
        assert (await cost(client=client)).exact is False


@pytest.mark.usefixtures("keys")
async def test_a_host_without_prices_warns_once(compatible_api: API, serve: Serve) -> None:
    server = serve(streamed(*answer("Hi")))
    host = acme(server)

    async def cost() -> Any:
        ask = compatible_api.ask("m", host=host)
        return (await compatible_api.drain(await compatible_api.call(ask))).stream.cost

    with pytest.warns(UnknownPriceWarning, match="no prices are known for host 'acme'"):
        assert await cost() is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await cost() is None


async def test_what_runs_here_costs_nothing_and_elsewhere_nobody_knows(
    compatible_api: API, serve: Serve
) -> None:
    server = serve(streamed(*answer("Hi")))
    local = Host(name="here", base_url="http://localhost:1/v1", is_local=True)
    ask = compatible_api.ask("m", host=local, base_url=server.url)
    cost = (await compatible_api.drain(await compatible_api.call(ask))).stream.cost_details
    assert (cost.total, cost.exact) == (0, False)
    assert "a server on this machine is taken to run the model itself" in cost.notes
    usage = {"prompt_tokens": 5, "completion_tokens": 5}
    with pytest.warns(UnknownPriceWarning, match="no price is known for ollama model 'm'"):
        assert prices.cost("ollama", "m", usage, context={"base_url": "http://10.0.0.1"}) is None


@pytest.mark.usefixtures("keys")
async def test_a_cost_that_is_reported_counts(compatible_api: API, serve: Serve) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.25}
    server = serve(streamed(*answer("Hi", usage=usage)))
    ask = compatible_api.ask("m", host=acme(server, reports_cost=True))
    cost = (await compatible_api.drain(await compatible_api.call(ask))).stream.cost_details
    assert (str(cost), cost.basis, cost.exact) == ("$0.25", "provider", True)


# The data


def test_the_entry_points_are_the_file_s() -> None:
    project = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))["project"]
    declared = project["entry-points"]["mirascope.hosts"]
    assert declared == {name: f"mirascope_compatible._presets:{name}" for name in PRESETS}
    ours = {e.name: e for e in entry_points(group="mirascope.hosts")}
    assert {name: entry.load() for name, entry in ours.items()} == dict(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_whole(name: str) -> None:
    host = PRESETS[name]
    assert host.name == name
    assert not host.base_url.endswith("/")
    assert host.title
    assert host.docs_url is not None
    assert host.docs_url.startswith("https://")
    assert bool(host.key_variables) is not host.is_local
    assert all(re.fullmatch(r"[A-Z][A-Z_]*_API_KEY", v) for v in host.key_variables)
    assert "OPENAI_API_KEY" not in host.key_variables


def test_no_key_variable_and_no_address_belongs_to_two() -> None:
    variables = [v for host in PRESETS.values() for v in host.key_variables]
    addresses = [host.base_url for host in PRESETS.values()]
    assert len(variables) == len(set(variables))
    assert len(addresses) == len(set(addresses))


def test_nothing_of_it_is_read_at_import() -> None:
    code = (
        "import sys, mirascope_compatible as c\n"
        "c.call('m', base_url='http://127.0.0.1:9/v1')(lambda: 'Hi')\n"
        "print('tomllib' in sys.modules, 'mirascope_compatible._presets' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["False", "False"]
