"""The event loop stays free: of imports, of clients in the making, of synchronous streams."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import BlockedLoopWarning, ClientCache, Connection
from mirascope.core._transport import _blocked_loop
from mirascope.core.testing import Server, streamed, whole

from .conftest import FULL
from .wires import WIRES, Wire

Serve = Callable[..., Server]
FIRST_CALL = Path(__file__).with_name("first_call.py")


@pytest.mark.parametrize("client", ["default", "own"] if FULL else ["default"])
@pytest.mark.parametrize("kind", ["stream", "whole"] if FULL else ["stream"])
def test_the_first_call_holds_nothing_up(
    wire: Wire, kind: str, client: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    stream = kind == "stream"
    server = serve(streamed(wire.delta("Hi"), *wire.end) if stream else whole(wire.whole("Hi")))
    command = [sys.executable, str(FIRST_CALL), wire.name, server.url, client, kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    outcome, _, seconds = done.stdout.strip().rpartition(" ")
    assert outcome == "'Hi'"
    assert done.stderr == ""
    # Importing an SDK takes a second or more. The most of what is left is the SDK's model of a
    # whole answer of the Responses API, 0.1 s; the others take half of that and less.
    assert float(seconds) < 0.15


class TestClientsInTheMaking:
    """Clients of asynchronous calls are made in a thread, by one call for all that wait."""

    def cache(self) -> Any:
        return ClientCache[Any, Any](close=lambda _: None, aclose=_aclose)

    def test_calls_at_once_have_one(self) -> None:
        cache, made = self.cache(), []

        def make() -> object:
            time.sleep(0.05)
            made.append(threading.current_thread())
            return object()

        async def main() -> set[int]:
            connection = Connection()
            clients = await asyncio.gather(
                *(cache.asynchronous(connection, make) for _ in range(10))
            )
            return set(map(id, clients))

        assert len(asyncio.run(main())) == 1
        assert len(made) == 1
        assert made[0] is not threading.current_thread()

    def test_a_call_that_gives_up_leaves_it_to_the_next(self) -> None:
        cache, made = self.cache(), []
        go_on = threading.Event()

        def make() -> object:
            go_on.wait(5)
            made.append(1)
            return object()

        async def main() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await cache.asynchronous(Connection(), make)
            go_on.set()
            await cache.asynchronous(Connection(), make)

        asyncio.run(main())
        assert made == [1]

    def test_a_failure_is_everybodys_and_not_kept(self) -> None:
        cache = self.cache()
        outcomes = iter([ValueError("no key"), "client"])

        def make() -> object:
            time.sleep(0.02)
            outcome = next(outcomes)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        async def main() -> None:
            calls = [cache.asynchronous(Connection(), make) for _ in range(3)]
            failures = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(failure) for failure in failures] == [ValueError] * 3
            assert await cache.asynchronous(Connection(), make) == "client"

        asyncio.run(main())

    def test_one_that_is_never_done_holds_no_loop_up(self) -> None:
        cache, go_on = self.cache(), threading.Event()

        async def main() -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await cache.asynchronous(Connection(), lambda: go_on.wait(5))

        start = time.monotonic()
        asyncio.run(main())
        assert time.monotonic() - start < 2
        go_on.set()


async def _aclose(_: Any) -> None:
    """Nothing to close."""


class TestBlockedLoop:
    @pytest.fixture(autouse=True)
    def _anew(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_blocked_loop, "_warned", False)

    def test_a_synchronous_call_warns_once(self, wire: Wire, stream: bool, serve: Serve) -> None:
        server = serve(streamed(wire.delta("Hi"), *wire.end) if stream else whole(wire.whole("Hi")))

        async def main() -> None:
            wire.read(server.url, is_async=False, stream=stream)
            wire.read(server.url, is_async=False, stream=stream)

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            asyncio.run(main())
        found = [w for w in caught if issubclass(w.category, BlockedLoopWarning)]
        assert len(found) == 1
        text = str(found[0].message)
        assert "'async def'" in text
        assert "asyncio.to_thread" in text
        assert "\n" not in text
        # It points to the line that reads.
        assert found[0].filename.endswith("wires.py")

    @pytest.mark.parametrize("where", ["no loop", "a thread", "a notebook"])
    def test_what_blocks_no_loop_is_silent(
        self, where: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wire = WIRES[-1]
        server = serve(streamed(wire.delta("Hi"), *wire.end))

        def read() -> Any:
            return wire.read(server.url, is_async=False)

        async def main() -> Any:
            return read() if where == "a notebook" else await asyncio.to_thread(read)

        if where == "a notebook":
            monkeypatch.setitem(sys.modules, "ipykernel", sys)
        outcome = read() if where == "no loop" else asyncio.run(main())
        assert outcome.error is None
        assert outcome.result.content == "Hi"
