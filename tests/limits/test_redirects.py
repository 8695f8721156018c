"""Neither the key nor the prompt goes where a redirect points."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from mirascope.core import APIError, BadRequestError
from mirascope.core.testing import Server, whole

from .conftest import FULL
from .wires import KEY, PROMPT, Wire

Serve = Callable[..., Server]
STATUSES = [301, 302, 303, 307, 308] if FULL else [302, 307]


@pytest.fixture
def other(serve: Serve) -> Server:
    """The server that the first one points to."""
    return serve(whole({}))


def redirect(serve: Serve, other: Server, status: int = 307, **headers: str) -> Server:
    address = (
        other.url.replace("127.0.0.1", "user:pass-word@localhost") + "/elsewhere?token=t0ken#f"
    )
    return serve(whole(b"", status=status, headers={"location": address, **headers}))


def check(error: Any, first: Server, other: Server, status: int) -> None:
    assert other.requests == []
    assert other.connections == []
    assert len(first.requests) == 1
    assert isinstance(error, BadRequestError)
    assert error.status == status
    text = str(error)
    assert f"the server points to 'http://localhost:{other.port}/v1/elsewhere'" in text
    assert "base_url=" in text
    assert "\n" not in text
    for secret in (KEY, PROMPT, "pass-word", "t0ken"):
        assert secret not in text


@pytest.mark.parametrize("status", STATUSES)
def test_a_default_client_follows_none(
    wire: Wire, is_async: bool, stream: bool, status: int, serve: Serve, other: Server
) -> None:
    first = redirect(serve, other, status)
    error = wire.read(first.url, is_async=is_async, stream=stream).error
    check(error, first, other, status)


def test_the_sdks_own_loop_follows_none(
    wire: Wire, is_async: bool, serve: Serve, other: Server
) -> None:
    first = redirect(serve, other)
    error = wire.read(first.url, is_async=is_async, sdk_iteration=True).error
    check(error, first, other, 307)


def made_by_sdk(wire: Wire, url: str, is_async: bool, **options: Any) -> Any:
    """A client of the user's own, in the way in which most are made."""
    base_url = wire.settings(url)["base_url"]
    if wire.name == "google":
        from google import genai

        return genai.Client(api_key=KEY, http_options={"base_url": base_url, **options})
    sdk = importlib.import_module(wire.name.partition("-")[0])
    name = "Anthropic" if wire.name == "anthropic" else "OpenAI"
    kind = getattr(sdk, f"Async{name}" if is_async else name)
    return kind(api_key=KEY, base_url=base_url, **options)


def test_a_users_client_whose_http_client_the_sdk_made_follows_none(
    wire: Wire, is_async: bool, stream: bool, serve: Serve, other: Server
) -> None:
    if wire.name == "compatible":
        pytest.skip("there is no SDK")
    first = redirect(serve, other)

    def make_client() -> Any:
        return made_by_sdk(wire, first.url, is_async)

    error = wire.read(first.url, is_async=is_async, stream=stream, make_client=make_client).error
    check(error, first, other, 307)


def test_a_users_own_http_client_does_what_its_user_set(
    wire: Wire, is_async: bool, stream: bool, serve: Serve, other: Server
) -> None:
    first = redirect(serve, other)

    def make_client() -> Any:
        if wire.name == "google":
            arguments = {"follow_redirects": True}
            return made_by_sdk(
                wire, first.url, is_async, client_args=arguments, async_client_args=arguments
            )
        if wire.name == "compatible":
            import httpx

            kind = httpx.AsyncClient if is_async else httpx.Client
            return kind(base_url=first.url, follow_redirects=True)
        sdk = importlib.import_module(wire.name.partition("-")[0])
        kind = sdk.DefaultAsyncHttpxClient if is_async else sdk.DefaultHttpxClient
        return made_by_sdk(wire, first.url, is_async, http_client=kind())

    wire.read(first.url, is_async=is_async, stream=stream, make_client=make_client)
    assert len(other.requests) == 1


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/v2/chat", "'/v2/chat'"),
        ("https://[half", "an address that can't be read"),
        ("mailto:nobody", "mailto:nobody"),
        ("http://h/" + "x" * 5000, "http://h/xxx"),
        ("http://h/\x1b[2Jred", ""),
    ],
)
def test_odd_addresses(wire: Wire, is_async: bool, location: str, shown: str, serve: Serve) -> None:
    server = serve(whole(b"", status=308, headers={"location": location}))
    error = wire.read(server.url, is_async=is_async, stream=True).error
    assert isinstance(error, APIError)
    text = str(error)
    assert "\x1b" not in text
    assert len(text) < 1000
    if isinstance(error, BadRequestError):
        assert shown in text
    else:
        # Clients look at the address themselves, and refuse what is not one.
        assert error.status is None


def test_a_status_without_an_address_is_an_ordinary_error(
    wire: Wire, is_async: bool, serve: Serve
) -> None:
    server = serve(whole({"error": {"message": "choose one"}}, status=300))
    error = wire.read(server.url, is_async=is_async).error
    assert isinstance(error, APIError)
    assert "points to" not in str(error)
