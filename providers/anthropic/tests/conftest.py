"""One test body for synchronous and asynchronous calls, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import mirascope_anthropic
import pytest
from mirascope.core.testing.fixtures import serve as serve
from mirascope_tests.api import Reading

KEY = "sk-ant-loopback-0123456789abcdef"
MODEL = "claude-sonnet-5"


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No profile of this machine has a say."""
    for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path))


@dataclass(frozen=True)
class Way:
    """One of the two ways of calling."""

    is_async: bool

    def client(self, url: str, **options: Any) -> Any:
        """A client of the SDK that does not retry."""
        client_class = anthropic.AsyncAnthropic if self.is_async else anthropic.Anthropic
        return client_class(**{"base_url": url, "api_key": KEY, "max_retries": 0, **options})

    def decorated(self, *, model: str = MODEL, returns: Any = None, **call: Any) -> Any:
        """A function that asks for a book of a genre."""
        call.setdefault("stream", True)
        if self.is_async:

            @mirascope_anthropic.call_async(model, **call)
            async def recommend_book(genre: str = "fantasy") -> Any:
                """Recommend a {genre} book."""
                return returns
        else:

            @mirascope_anthropic.call(model, **call)
            def recommend_book(genre: str = "fantasy") -> Any:
                """Recommend a {genre} book."""
                return returns

        return recommend_book

    def read(
        self,
        url: str | None = None,
        visit: Callable[[Any, Any], object] = lambda chunk, tool: None,
        **call: Any,
    ) -> Reading:
        """Call and read to the end, whatever the end is; `visit` leaves the loop with False."""
        return asyncio.run(self._read(url, visit, call))

    def fetch(self, url: str, **call: Any) -> Any:
        """Call without streaming."""

        async def run() -> Any:
            async with self._connected(url, call):
                result = self.decorated(stream=False, **call)()
                return await result if self.is_async else result

        return asyncio.run(run())

    @contextlib.asynccontextmanager
    async def _connected(self, url: str | None, call: dict[str, Any]) -> Any:
        if url is None:
            yield
            return
        client = call["client"] = call.get("client") or self.client(url)
        try:
            yield
        finally:
            await client.close() if self.is_async else client.close()

    async def _read(self, url: str | None, visit: Any, call: dict[str, Any]) -> Reading:
        async with self._connected(url, call):
            return await self.drain(self.decorated(**call), visit)

    async def drain(self, fn: Any, visit: Any = lambda chunk, tool: None) -> Reading:
        """Call a decorated function and read to the end, whatever the end is."""
        reading = Reading(await fn() if self.is_async else fn())
        with contextlib.suppress(_Left):
            try:
                if self.is_async:
                    async for item in reading.stream:
                        self._take(reading, item, visit)
                else:
                    for item in reading.stream:
                        self._take(reading, item, visit)
            except _Left:
                raise
            except Exception as error:
                reading.error = error
        return reading

    @staticmethod
    def _take(reading: Reading, item: tuple[Any, Any], visit: Any) -> None:
        reading.items.append(item)
        if visit(*item) is False:
            raise _Left


class _Left(Exception):  # noqa: N818 - a signal: the test's own loop left early
    pass


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def way(request: pytest.FixtureRequest) -> Way:
    """Synchronous and asynchronous calls."""
    return Way(request.param)
