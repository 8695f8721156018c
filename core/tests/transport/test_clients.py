"""Which client a call gets: the user's own, or the default one of its settings and environment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Self

import pytest
from mirascope.core import ClientCache, Connection, UsageError


class Client:
    """A client that can be entered, as all are that hold connections."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None: ...


class AsyncClient:
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        self.closed = True


class Both(Client, AsyncClient):  # type: ignore[misc]
    async def close(self) -> None: ...  # type: ignore[override]


class Stub:
    """An object with a method of the right name, as tests hand in."""


class Wrapped:
    """What instruments a client: it can be entered itself, and shows the client's class."""

    def __init__(self, client: object) -> None:
        self._client = client

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return type(self._client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def cache() -> ClientCache[Client, AsyncClient]:
    return ClientCache(
        close=lambda client: client.close(),
        aclose=lambda client: client.close(),
        environment=("ACME_", "ACNE_"),
        names=("an acme.Client", "an acme.AsyncClient"),
    )


@pytest.fixture(params=["sync", "async"])
def picks(
    request: pytest.FixtureRequest, cache: ClientCache[Client, AsyncClient]
) -> Callable[..., list[Any]]:
    """The clients of some connections, picked in one event loop where there is one."""

    def picked(*connections: Connection | Callable[[], Connection], **more: Any) -> list[Any]:
        def each() -> Any:
            return (c if isinstance(c, Connection) else c() for c in connections)

        if request.param == "sync":
            return [cache.sync(c, Client, **more) for c in each()]

        async def pick() -> list[Any]:
            return [await cache.asynchronous(c, AsyncClient, **more) for c in each()]

        return asyncio.run(pick())

    return picked


def test_the_default_client_is_that_of_the_settings(picks: Callable[..., list[Any]]) -> None:
    one = {"base_url": "http://a", "api_key": "k"}
    first, same, other, bare = picks(
        Connection(settings=one),
        Connection(settings=dict(reversed(one.items()))),
        Connection(settings={**one, "api_key": "l"}),
        Connection(),
    )
    assert first is same
    assert len({id(client) for client in (first, other, bare)}) == 3


def test_the_default_client_is_that_of_the_environment(
    picks: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def under(name: str, value: str) -> Callable[[], Connection]:
        def connection() -> Connection:
            monkeypatch.setenv(name, value)
            return Connection()

        return connection

    first, other, third, unread, again = picks(
        under("ACME_KEY", "1"),
        under("ACME_KEY", "2"),
        under("ACNE_KEY", "1"),
        under("OTHER_ACME_KEY", "1"),
        under("ACME_KEY", "2"),
    )
    assert len({id(client) for client in (first, other, third)}) == 3
    assert third is unread is again


def test_a_key_of_ones_own_stands_for_settings_and_environment(
    picks: Callable[..., list[Any]],
) -> None:
    connections = [Connection(settings={"base_url": url}) for url in ("http://a", "http://b")]
    first, second = picks(*connections, key="all")
    assert first is second


@pytest.mark.parametrize("value", [{"a": 1}, ["a"]])
def test_a_setting_without_a_hash(picks: Callable[..., list[Any]], value: Any) -> None:
    connection = Connection(settings={"api_key": "k", "base_url": value})
    with pytest.raises(UsageError, match=r"base_url can't be '(dict|list)'.*client= of your own$"):
        picks(connection)
    assert len(picks(connection, key="all")) == 1


@pytest.mark.parametrize("client", [Client(), Both(), Stub(), Wrapped(Client())])
def test_a_client_for_synchronous_calls(
    cache: ClientCache[Client, AsyncClient], client: Any
) -> None:
    assert cache.sync(Connection(client=client, settings={"base_url": {}}), Client) is client


@pytest.mark.parametrize("client", [AsyncClient(), Both(), Stub(), Wrapped(AsyncClient())])
def test_a_client_for_asynchronous_calls(
    cache: ClientCache[Client, AsyncClient], client: Any
) -> None:
    picked = asyncio.run(cache.asynchronous(Connection(client=client), AsyncClient))
    assert picked is client


@pytest.mark.parametrize("wrap", [lambda client: client, Wrapped])
def test_a_client_of_the_other_kind(
    cache: ClientCache[Client, AsyncClient], wrap: Callable[[Any], Any]
) -> None:
    with pytest.raises(UsageError) as caught:
        cache.sync(Connection(client=wrap(AsyncClient())), Client)
    assert str(caught.value) == (
        "client is asynchronous ('AsyncClient'): give an acme.Client, or decorate an 'async def'"
    )
    with pytest.raises(UsageError) as caught:
        asyncio.run(cache.asynchronous(Connection(client=wrap(Client())), AsyncClient))
    assert str(caught.value) == (
        "client is synchronous ('Client'): give an acme.AsyncClient to an 'async def'"
    )


def test_a_provider_may_know_better() -> None:
    cache = ClientCache[Any, Any](
        close=lambda _: None,
        aclose=lambda client: client.close(),
        is_async=lambda client: None if isinstance(client, Client) else True,
    )
    client = Client()
    assert cache.sync(Connection(client=client), Client) is client
    assert asyncio.run(cache.asynchronous(Connection(client=client), Client)) is client
    with pytest.raises(UsageError, match="give a synchronous client"):
        cache.sync(Connection(client=Stub()), Client)


def test_a_client_is_closed_once_with_its_event_loop() -> None:
    closed: list[str] = []

    async def aclose(client: str) -> None:
        closed.append(client)

    cache: ClientCache[str, str] = ClientCache(close=closed.append, aclose=aclose)

    async def use() -> None:
        assert await cache.get_async("key", lambda: "client") == "client"

    async def run() -> None:
        loop = asyncio.get_running_loop()
        await use()
        await loop.shutdown_asyncgens()
        # Whatever the end of the generators has set going.
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(run())
    assert closed == ["client"]
