"""Where a key from the environment goes: to the address that it belongs to, for every provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mirascope.core import AuthenticationError, MirascopeError, UsageError, call
from mirascope.core.testing import Server, whole

KEY = "env-0123456789abcdefghij"
GIVEN = "given-0123456789abcdefgh"
ERROR = {"error": {"message": "who are you?"}}
MODELS = {
    "compatible": ("compatible/a-model", "OPENAI"),
    "openai": ("openai/a-model", "OPENAI"),
    "responses": ("openai/a-model", "OPENAI"),
    "anthropic": ("anthropic/a-model", "ANTHROPIC"),
    "google": ("google/a-model", "GEMINI"),
}
ADDRESS = {"GEMINI": "GOOGLE_GEMINI_BASE_URL"}
PROVIDERS = pytest.mark.parametrize("provider", MODELS)


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Callable[..., BaseException]:
    """Make a call that the server refuses, and return its error."""

    def ask(provider: str, **settings: Any) -> BaseException:
        arguments = {"api": "responses"} if provider == "responses" else {}
        decorate = call(MODELS[provider][0], **arguments, **settings)

        def hi() -> None:
            """Hi"""

        async def hi_async() -> None:
            """Hi"""

        def run() -> None:
            if request.param == "sync":
                decorate(hi)()
            else:
                asyncio.run(decorate(hi_async)())

        with pytest.raises(MirascopeError) as caught:
            run()
        return caught.value

    return ask


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(whole(ERROR, status=401)) as started:
        yield started


def url(server: Server, provider: str) -> str:
    return f"http://127.0.0.1:{server.port}" + ("/v1" if "OPENAI" in MODELS[provider][1] else "")


def sent(server: Server) -> str:
    """All that the one request carried."""
    (received,) = server.requests
    return json.dumps([received.path, received.headers, received.body.decode()])


@PROVIDERS
def test_not_to_another_address(
    ask: Any, server: Server, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = MODELS[provider][1]
    monkeypatch.setenv(f"{name}_API_KEY", KEY)
    for family in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{family}_CUSTOM_HEADERS", f"X-Gateway: {KEY}")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", KEY)
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    error = ask(provider, base_url=url(server, provider))
    assert KEY not in sent(server)
    assert type(error) is AuthenticationError
    assert "give api_key= as well, or name the address in the environment" in str(error)


@PROVIDERS
def test_to_the_address_that_the_environment_names(
    ask: Any, server: Server, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = MODELS[provider][1]
    monkeypatch.setenv(f"{name}_API_KEY", KEY)
    monkeypatch.setenv(ADDRESS.get(name, f"{name}_BASE_URL"), url(server, provider))
    # The same server by another spelling is the same server.
    error = ask(provider, base_url=url(server, provider).upper().replace("HTTP:", "http:"))
    assert KEY in sent(server)
    assert "api_key" not in str(error)


@PROVIDERS
def test_one_that_is_given_goes_wherever_the_call_goes(
    ask: Any, server: Server, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{MODELS[provider][1]}_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", KEY)
    error = ask(provider, base_url=url(server, provider), api_key=GIVEN)
    assert KEY not in sent(server)
    assert GIVEN in sent(server)
    assert "api_key" not in str(error)


@PROVIDERS
def test_the_same_host_at_another_port_is_another_address(
    ask: Any, server: Server, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = MODELS[provider][1]
    monkeypatch.setenv(f"{name}_API_KEY", KEY)
    monkeypatch.setenv(ADDRESS.get(name, f"{name}_BASE_URL"), "http://127.0.0.1:9/v1")
    ask(provider, base_url=url(server, provider))
    assert KEY not in sent(server)


def test_the_machines_own_credentials_go_to_google_only(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = ask(
        "google",
        base_url="http://127.0.0.1:9",
        vertexai=True,
        project="a-project",
        location="us-central1",
    )
    assert type(error) is UsageError
    assert "give credentials= or api_key= as well" in str(error)
