"""What every test has: coroutines that run, a clean environment, servers, and both APIs."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from mirascope.core._prices import _calculate
from mirascope.core.testing import Server

from .api import API, KEY, TLS
from .shared import MISSING, SHARED

# The first text that hypothesis makes builds its table of characters, which takes seconds on a busy
# machine. How fast inputs come says nothing about what is tested.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

# Variables of this machine that would have a say in what is called, and how.
_FOREIGN = ("OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_")


# A shell that starts the tests in the background has them ignore Ctrl-C, and so every program that
# a test starts, interrupts and waits for.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or on continuous integration fail, what needs the files that are missing."""
    if item.get_closest_marker("shared") is None or SHARED.is_dir():
        return
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"{MISSING}; with CI=1 they must be", pytrace=False)
    # Raised at one place for all tests, so that pytest reports them in one line.
    pytest.skip(MISSING)


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
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    _calculate._warned.clear()
    yield
    _calculate._warned.clear()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers of chat completions; the address ends as those of OpenAI's API do."""
    with contextlib.ExitStack() as stack:
        yield lambda *scripts, **options: stack.enter_context(
            Server(*scripts, **{"path": "/v1", **options})
        )


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
                http_client=openai.DefaultHttpxClient(verify=TLS),
            )
        )
