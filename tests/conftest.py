"""One test body for both ways of calling and both providers, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from mirascope.core._prices import _calculate

from .loopback import Received, Reply, Server

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
KEY = "sk-loopback-0123456789abcdef"

# The first text that hypothesis makes builds its table of characters, which takes seconds on a busy
# machine. How fast inputs come says nothing about what is tested.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine function in an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No variable of this machine has a say, and each test sees every warning once."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    _calculate._warned.clear()
    yield
    _calculate._warned.clear()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server with scripted replies; it is stopped at the end of the test."""
    with contextlib.ExitStack() as stack:

        def start(*replies: Reply | Callable[[Received], Reply]) -> Server:
            return stack.enter_context(Server(*replies))

        yield start


@dataclass
class Reading:
    """What one whole reading of a stream gave."""

    stream: Any
    items: list[tuple[Any, Any]] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def texts(self) -> list[str]:
        return [chunk.content for chunk, _ in self.items if chunk.content]

    @property
    def tools(self) -> list[Any]:
        return [tool for _, tool in self.items if tool is not None]


@dataclass(frozen=True)
class API:
    """A provider in one of its two ways: what differs between them, and nothing else."""

    provider: str
    is_async: bool

    @property
    def module(self) -> Any:
        return importlib.import_module(f"mirascope_{self.provider}")

    @property
    def decorator(self) -> Any:
        return self.module.call_async if self.is_async else self.module.call

    @contextlib.asynccontextmanager
    async def connected(self, server: Server, **options: Any) -> AsyncIterator[dict[str, Any]]:
        """How calls reach the server through a client that does not retry."""
        async with self.client(server.url, **options) as client:
            yield {"client": client, **({"headers": _BEARER} if self.provider != "openai" else {})}

    @contextlib.asynccontextmanager
    async def client(self, url: str, **options: Any) -> AsyncIterator[Any]:
        """A client of the kind that the provider's calls take."""
        if self.provider == "openai":
            import openai

            client_class: Any = openai.AsyncOpenAI if self.is_async else openai.OpenAI
            http_class: Any = (
                openai.DefaultAsyncHttpxClient if self.is_async else openai.DefaultHttpxClient
            )
            given = {"base_url": url, "api_key": KEY, "max_retries": 0, **options}
            client = client_class(http_client=http_class(verify=_TLS), **given)
        else:
            import httpx

            client_class = httpx.AsyncClient if self.is_async else httpx.Client
            client = client_class(**{"base_url": url, "timeout": 60, "verify": _TLS, **options})
        if self.is_async:
            async with client:
                yield client
        else:
            with client:
                yield client

    def ask(self, model: str = "gpt-4o", *, fn: Any = None, **call: Any) -> Any:
        """Decorate a function: by default one that recommends a book of a genre."""
        call.setdefault("stream", True)
        return self.decorator(model, **call)(fn or self.function("Recommend a {genre} book."))

    def function(self, template: str | None, result: Any = None) -> Any:
        """A function with one argument, asynchronous or not, that has a template."""
        if self.is_async:

            async def recommend_book(genre: str = "fantasy") -> Any:
                return result
        else:

            def recommend_book(genre: str = "fantasy") -> Any:
                return result

        recommend_book.__doc__ = template
        return recommend_book

    async def call(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a decorated function."""
        result = fn(*args, **kwargs)
        return await result if self.is_async else result

    def each(self, stream: Any) -> Any:
        """What `async for` takes: the stream itself, or a synchronous one seen that way.

        Nothing but the loop holds the iterator, as in the user's own loop.
        """
        return stream if self.is_async else _Each(iter(stream))

    async def result(self, value: Any) -> Any:
        """Wait for what the asynchronous twin of a method returns."""
        return await value if self.is_async else value

    async def close(self, stream: Any) -> None:
        """`close()` or `aclose()`."""
        await self.result(stream.aclose() if self.is_async else stream.close())

    async def cancel(self, stream: Any) -> None:
        """`cancel()`, which is the same for both."""
        stream.cancel()

    async def pause(self, seconds: float) -> None:
        """Be busy for a while, as a consumer of this kind is."""
        await asyncio.sleep(seconds) if self.is_async else time.sleep(seconds)

    def texts(self, stream: Any) -> Any:
        """`text()`, seen as `each` sees the stream."""
        return stream.text() if self.is_async else _Each(stream.text())

    @contextlib.asynccontextmanager
    async def block(self, stream: Any) -> AsyncIterator[Any]:
        """`with` or `async with`."""
        if self.is_async:
            async with stream as opened:
                yield opened
        else:
            with stream as opened:
                yield opened

    async def read(self, server: Server, **call: Any) -> Reading:
        """Call and read to the end, whatever the end is."""
        client = call.pop("client_options", {})
        async with self.connected(server, **client) as connection:
            return await self.drain(await self.call(self.ask(**{**connection, **call})))

    async def drain(self, stream: Any) -> Reading:
        """Read a stream to the end, whatever the end is."""
        reading = Reading(stream)
        try:
            async for item in self.each(stream):
                reading.items.append(item)
        except Exception as error:
            reading.error = error
        return reading


class _Each:
    def __init__(self, iterator: Iterator[Any]) -> None:
        self._next = iterator.__next__

    def __aiter__(self) -> _Each:
        return self

    async def __anext__(self) -> Any:
        try:
            return self._next()
        except StopIteration:
            raise StopAsyncIteration from None


_TLS = ssl.create_default_context()
"""Never used on loopback, and what takes nearly all of the time of making a client."""
_BEARER = {"Authorization": f"Bearer {KEY}"}

_ALL = [
    API(provider, is_async) for provider in ("compatible", "openai") for is_async in (False, True)
]


def _name(api: API) -> str:
    return f"{api.provider}-{'async' if api.is_async else 'sync'}"


@pytest.fixture(params=_ALL, ids=_name)
def api(request: pytest.FixtureRequest) -> API:
    """Each provider, synchronous and asynchronous."""
    return request.param


@pytest.fixture(params=[True, False], ids=["async", "sync"])
def openai_api(request: pytest.FixtureRequest) -> API:
    """The openai provider, synchronous and asynchronous."""
    return API("openai", request.param)


@pytest.fixture(params=[True, False], ids=["async", "sync"])
def compatible_api(request: pytest.FixtureRequest) -> API:
    """The compatible provider, synchronous and asynchronous."""
    return API("compatible", request.param)


@pytest.fixture(params=["compatible", "openai"])
def provider(request: pytest.FixtureRequest) -> str:
    """Each provider's name, where a test is about one of the two ways only."""
    return request.param


@pytest.fixture
def sdk_client() -> Iterator[Callable[[str], Any]]:
    """Make synchronous clients of OpenAI's SDK that do not retry."""
    import openai

    with contextlib.ExitStack() as stack:
        yield lambda url: stack.enter_context(
            openai.OpenAI(
                base_url=url,
                api_key=KEY,
                max_retries=0,
                http_client=openai.DefaultHttpxClient(verify=_TLS),
            )
        )
