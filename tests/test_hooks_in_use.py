"""Hooks count for every call, whichever way its provider was imported."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import (
    BrokenProviderError,
    Cost,
    StreamTruncatedError,
    call,
    prices,
    stream_from,
)
from mirascope.core.plugins import (
    hookimpl,
    isolated_registry,
    load_provider,
    register_plugin,
    unregister_plugin,
)
from mirascope.core.testing import Server, replay, sse, streamed
from mirascope_compatible import CompatibleProvider

from .plugins.installed import Site, site

BODY = (
    sse(
        {
            "model": "m-1",
            "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 5},
        }
    )
    + b"data: [DONE]\n\n"
)

COMPANY = """
    from decimal import Decimal
    from mirascope.core import AsyncCall, Call, Cost
    from mirascope.core.plugins import ProviderSpec, hookimpl
    from mirascope_compatible import CompatibleProvider

    class CompanyProvider(CompatibleProvider):
        name = "company"

    PROVIDER = CompanyProvider()
    call, call_async = Call(PROVIDER), AsyncCall(PROVIDER)
    seen = []

    @hookimpl
    def mirascope_provider():
        return ProviderSpec(
            name="company", api_version=1, package="mirascope_company", title="Company",
            apis={"chat": lambda: PROVIDER}, capabilities=frozenset(),
        )

    @hookimpl
    def mirascope_cost(provider, usage):
        if provider == "company":
            return Cost(total=Decimal(usage.output_tokens))

    @hookimpl
    def mirascope_stream_started(stream):
        seen.append(stream.provider)
"""

AUDIT = """
    from mirascope.core.plugins import hookimpl

    seen = []

    @hookimpl
    def mirascope_call_finished(result):
        seen.append((result.provider, result.is_replay))
"""


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as found:
        yield found


@pytest.fixture
def url() -> Iterator[str]:
    with Server(streamed(BODY)) as server:
        yield server.url


@pytest.mark.parametrize("route", ["import", "name", "loaded before"])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_call_costs_the_same_by_every_route(
    route: str, is_async: bool, installed: Site, url: str
) -> None:
    installed.install("mirascope-company", code=COMPANY)
    installed.install("mirascope-audit", code=AUDIT, group="mirascope.plugins")
    company = importlib.import_module("mirascope_company")
    if route == "loaded before":
        load_provider("company")
    make = company.call("m-1", stream=True, base_url=url)
    if route == "name":
        make = call("company/m-1", stream=True, base_url=url)

    if is_async:

        @make
        async def ask() -> None:
            """Hi"""

        async def main() -> Any:
            stream: Any = await ask()
            async for _ in stream:
                pass
            return stream

        stream = asyncio.run(main())
    else:

        @make
        def ask_at_once() -> None:
            """Hi"""

        stream = ask_at_once()
        for _ in stream:
            pass
    assert (stream.cost, company.seen) == (5.0, ["company"])
    assert importlib.import_module("mirascope_audit").seen == [("company", False)]


def test_a_call_that_is_not_streamed_and_a_stored_one_have_the_hooks_too(
    installed: Site,
) -> None:
    installed.install("mirascope-company", code=COMPANY)
    company = importlib.import_module("mirascope_company")
    usage = {"prompt_tokens": 3, "completion_tokens": 5}
    assert prices.cost(company.PROVIDER, "m-1", usage) == Cost(total=Decimal(5))
    stream = replay(company.PROVIDER, BODY)
    stream.collect()
    assert stream.cost == 5


def test_a_plugin_without_a_provider_is_found_and_tells_a_replay_from_a_call(
    installed: Site,
) -> None:
    installed.install("mirascope-audit", code=AUDIT, group="mirascope.plugins")
    replay("compatible", BODY).collect()
    assert importlib.import_module("mirascope_audit").seen == [("compatible", True)]


def test_a_broken_plugin_without_a_provider_is_logged_once_and_hurts_nothing(
    installed: Site, caplog: pytest.LogCaptureFixture
) -> None:
    installed.install("mirascope-audit", code="1 / 0", group="mirascope.plugins")
    installed.install("mirascope-hollow", code="", group="mirascope.plugins")
    installed.install("mirascope-stray", code=COMPANY, group="mirascope.plugins")
    with caplog.at_level(logging.WARNING, "mirascope.plugins"):
        for _ in range(2):
            assert replay("compatible", BODY).collect().content == "Hi"
    assert [record.getMessage() for record in caplog.records] == [
        "a plugin is not active: plugin 'audit' (mirascope-audit 1.0): failed to import "
        "'mirascope_audit': ZeroDivisionError: division by zero; upgrade mirascope-audit or "
        "uninstall it",
        "a plugin is not active: plugin 'hollow' (mirascope-hollow 1.0): it has no hook: is "
        "@hookimpl missing from its functions?",
        "a plugin is not active: plugin 'stray' (mirascope-stray 1.0): it adds a provider: its "
        "entry point belongs in the group 'mirascope.providers'",
    ]


def test_a_provider_s_broken_plugin_is_logged_and_its_package_works(
    installed: Site, caplog: pytest.LogCaptureFixture
) -> None:
    installed.install("mirascope-company", code=COMPANY.replace("api_version=1", "api_version=9"))
    company = importlib.import_module("mirascope_company")
    with caplog.at_level(logging.WARNING, "mirascope.plugins"):
        assert replay(company.PROVIDER, BODY).collect().cost is None
    (record,) = caplog.records
    assert "mirascope-company 1.0" in record.getMessage()
    assert "speaks plugin API 9" in record.getMessage()


@pytest.mark.parametrize("name", ["audit", "mirascope-audit", "mirascope_audit", "all"])
def test_a_plugin_without_a_provider_can_be_disabled_by_either_name(
    name: str,
    installed: Site,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("MIRASCOPE_DISABLE_PLUGINS", name)
    installed.install("mirascope-audit", code="1 / 0", group="mirascope.plugins")
    with caplog.at_level(logging.WARNING, "mirascope.plugins"):
        assert replay(CompatibleProvider(), BODY).collect().content == "Hi"
    assert caplog.records == []


def test_a_disabled_name_that_nobody_has_is_told(
    installed: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MIRASCOPE_DISABLE_PLUGINS", "opnai, mirascope-openai")
    with caplog.at_level(logging.WARNING, "mirascope.plugins"):
        for _ in range(2):
            replay(CompatibleProvider(), BODY).collect()
    assert [record.getMessage() for record in caplog.records] == [
        "MIRASCOPE_DISABLE_PLUGINS names 'opnai', which no plugin has: is it misspelt?"
    ]


def test_an_author_s_own_plugin_is_to_be_mended_where_its_source_is(installed: Site) -> None:
    installed.install("mirascope-mine", code="1 / 0", editable="/home/me/mirascope-mine")
    with pytest.raises(BrokenProviderError, match=r"mend it in '/home/me/mirascope-mine'$"):
        load_provider("mine")


def test_a_provider_s_plugin_without_mirascope_provider_is_told_its_group(installed: Site) -> None:
    installed.install("mirascope-audit", code=AUDIT)
    with pytest.raises(BrokenProviderError, match=r"in the group 'mirascope.plugins'$"):
        load_provider("audit")


# Costs


class Contract:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    @hookimpl
    def mirascope_cost(self, provider: str, model: str, usage: Any) -> Any:
        return self.answer(provider, model, usage)

    def __repr__(self) -> str:
        return "Contract()"


def fail(*_: Any) -> Any:
    raise SystemExit("down")


def test_a_broken_cost_hook_loses_its_own_answer_only_and_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with isolated_registry(), caplog.at_level(logging.ERROR, "mirascope.plugins"):
        register_plugin(Contract(lambda *_: Cost(total=Decimal("0.42"))))
        register_plugin(Contract(fail))
        register_plugin(Contract(lambda *_: "free"))
        stream = replay(CompatibleProvider(), BODY)
        stream.collect()
        assert stream.cost == 0.42
    assert sorted({record.getMessage() for record in caplog.records}) == [
        "mirascope_cost of the plugin Contract() failed",
        "mirascope_cost of the plugin Contract() returned 'free', not a Cost: it is ignored",
    ]


def test_a_cost_hook_may_ask_for_the_list_price() -> None:
    def less(provider: str, model: str, usage: Any) -> Any:
        cost = prices.cost(provider, model, usage)
        return None if cost is None else Cost(total=cost.total / 2)

    usage = {"prompt_tokens": 1000, "completion_tokens": 1000}
    with isolated_registry():
        listed = prices.cost("openai", "gpt-4o", usage)
        register_plugin(Contract(less))
        halved = prices.cost("openai", "gpt-4o", usage)
        assert listed is not None
        assert halved is not None
        assert halved.total * 2 == listed.total > 0


# Observers


class Watcher:
    def __init__(self, error: type[BaseException] | None = None) -> None:
        self.seen: list[str] = []
        self.error = error

    def _saw(self, what: str) -> None:
        self.seen.append(what)
        if self.error is not None:
            raise self.error(what)

    @hookimpl
    def mirascope_stream_started(self) -> None:
        self._saw("started")

    @hookimpl
    def mirascope_stream_finished(self, stream: Any) -> None:
        self._saw(f"finished {stream.state}")

    @hookimpl
    def mirascope_stream_failed(self, error: Exception) -> None:
        self._saw(type(error).__name__)


@pytest.mark.parametrize("error", [None, SystemExit])
def test_what_begins_ends_and_what_did_not_begin_does_not(
    error: type[BaseException] | None, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = Watcher(error)
    with isolated_registry(), caplog.at_level(logging.ERROR, "mirascope.plugins"):
        register_plugin(watcher)
        replay("compatible", BODY).close()
        assert watcher.seen == []
        if error is None:
            # And dropped; the traceback of an observer that raised holds on to its stream.
            replay("compatible", BODY).open()
        replay("compatible", BODY).collect()
        with pytest.raises(StreamTruncatedError):
            replay("compatible", BODY[:20]).collect()
    ends = [*([] if error else ["finished stopped"]), "finished completed", "StreamTruncatedError"]
    assert watcher.seen == [each for end in ends for each in ("started", end)]
    assert len(caplog.records) == (len(watcher.seen) if error else 0)


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        (None, "it has no hook: is @hookimpl missing"),
        (5, "it has no hook: is @hookimpl missing"),
        (Watcher, "it is a class: give an instance of it"),
    ],
)
def test_what_is_no_plugin_is_not_registered(plugin: Any, reason: str) -> None:
    with isolated_registry(), pytest.raises(BrokenProviderError, match=reason):
        register_plugin(plugin)


def test_a_plugin_that_is_registered_twice_is_told_once() -> None:
    watcher = Watcher()
    with isolated_registry():
        for _ in range(2):
            register_plugin(watcher)
        stream_from(BODY, provider="compatible").collect()
        unregister_plugin(watcher)
        stream_from(BODY, provider="compatible").collect()
    assert watcher.seen == ["started", "finished completed"]
