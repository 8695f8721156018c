"""One test body for both ways of calling, over real sockets and the real SDK."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import mirascope_google as google
import pytest
from google import genai
from mirascope.core.testing import Server
from mirascope.core.testing.fixtures import serve as serve
from mirascope_tests.api import Each

KEY = "AIza-loopback-0123456789abcdef0123456789"


@dataclass(frozen=True)
class Way:
    """Calls and streams, synchronous or asynchronous."""

    is_async: bool

    @contextlib.asynccontextmanager
    async def client(self, server: Server, **options: Any) -> AsyncIterator[genai.Client]:
        """A client of the SDK for the server."""
        http_options = {"base_url": server.url, **options.pop("http_options", {})}
        client = genai.Client(**{"api_key": KEY, "http_options": http_options, **options})
        try:
            yield client
        finally:
            client.close()
            await client.aio.aclose()

    def function(self, result: Any = None, doc: str = "Recommend a {genre} book.") -> Any:
        """A function to decorate."""
        if self.is_async:

            async def recommend_book(genre: str = "fantasy") -> Any:
                return result
        else:

            def recommend_book(genre: str = "fantasy") -> Any:
                return result

        recommend_book.__doc__ = doc
        return recommend_book

    async def ask(self, client: Any, result: Any = None, **options: Any) -> Any:
        """Decorate a function, call it, and return the stream or the response."""
        options = {"model": "gemini-2.5-flash", "stream": True, "client": client, **options}
        decorate = google.call_async if self.is_async else google.call
        made = decorate(**options)(self.function(result))("fantasy")
        return await made if self.is_async else made

    async def wait(self, value: Any) -> Any:
        """Wait for what the asynchronous twin of a method returns."""
        return await value if self.is_async else value

    def each(self, stream: Any) -> Any:
        """What `async for` takes, held by nothing but the loop."""
        return stream if self.is_async else Each(iter(stream))

    async def items(self, stream: Any) -> list[tuple[Any, Any]]:
        """Read to the end."""
        return [item async for item in self.each(stream)]


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def way(request: pytest.FixtureRequest) -> Way:
    """Synchronous and asynchronous."""
    return Way(request.param)
