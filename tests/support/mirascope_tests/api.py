"""One test body for both ways of calling and for both providers of chat completions."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from mirascope.core.testing import Server

KEY = "sk-loopback-0123456789abcdef"


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
            client = client_class(http_client=http_class(verify=TLS), **given)
        else:
            import httpx

            client_class = httpx.AsyncClient if self.is_async else httpx.Client
            client = client_class(**{"base_url": url, "timeout": 60, "verify": TLS, **options})
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
        return stream if self.is_async else Each(iter(stream))

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
        return stream.text() if self.is_async else Each(stream.text())

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


class Each:
    """What `async for` takes, over a synchronous iterator and held by nothing else."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        self._next = iterator.__next__

    def __aiter__(self) -> Each:
        return self

    async def __anext__(self) -> Any:
        try:
            return self._next()
        except StopIteration:
            raise StopAsyncIteration from None


TLS = ssl.create_default_context()
"""Never used on loopback, and what takes nearly all of the time of making a client."""
_BEARER = {"Authorization": f"Bearer {KEY}"}
