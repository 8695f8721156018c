"""The registry: what is found, what is refused and why, and what hooks may do."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import (
    BrokenProviderError,
    Cost,
    DisabledProviderError,
    IncompatibleProviderError,
    MissingProviderError,
    Provider,
    ProviderConflictError,
    StreamTruncatedError,
    UnknownProviderError,
    call,
)
from mirascope.core import provider as provider_by_name
from mirascope.core.plugins import (
    PluginState,
    ProviderSpec,
    configure,
    hookimpl,
    isolated_registry,
    load_provider,
    provider,
    register_plugin,
    register_provider,
    statuses,
)
from mirascope.core.testing import replay
from mirascope_compatible import CompatibleProvider

from .plugins.installed import Site, site

HELLO = (
    b'data: {"id":"r1","model":"m-1","choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'
    b'data: {"id":"r1","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}}\n\n'
    b"data: [DONE]\n\n"
)


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as found:
        yield found


class Plugin:
    """A plugin that is an object."""

    def __init__(self, name: str = "gamma", provider: object = None, **fields: Any) -> None:
        self.name = name
        self.provider = provider
        self.fields = fields

    @hookimpl
    def mirascope_provider(self) -> ProviderSpec:
        return ProviderSpec(
            **{
                "name": self.name,
                "api_version": 1,
                "package": "mirascope_compatible",
                "title": "A plugin",
                "apis": {"chat": lambda: self.provider},
                "capabilities": frozenset(),
                **self.fields,
            }
        )


class GammaProvider(CompatibleProvider):
    name = "gamma"
    base_url = "http://127.0.0.1:9/v1"


def named(name: str) -> Provider:
    return type("NamedProvider", (GammaProvider,), {"name": name})()


# What is found


def test_an_installed_plugin_is_found_and_only_it_is_imported(installed: Site) -> None:
    installed.install("mirascope-wanted")
    installed.install("mirascope-other")
    assert provider("wanted").package == "mirascope_wanted"
    assert "mirascope_wanted" in sys.modules
    assert "mirascope_other" not in sys.modules


def test_the_same_description_is_returned_each_time(installed: Site) -> None:
    installed.install("mirascope-wanted")
    assert provider("wanted") is provider("wanted")
    assert provider_by_name is provider


def test_a_name_that_nobody_has_is_unknown_and_a_close_one_is_suggested(installed: Site) -> None:
    installed.install("mirascope-wanted")
    with pytest.raises(UnknownProviderError, match=r"'wamted'.*did you mean 'wanted'") as info:
        call("wamted/model", stream=True)
    assert info.value.provider == "wamted"
    assert "wanted" in str(info.value)


def test_a_name_of_this_project_that_is_missing_gives_the_command(
    installed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in an environment that has core alone.
    monkeypatch.setattr(sys, "path", [str(installed.path)])
    with pytest.raises(MissingProviderError) as info:
        provider("openai")
    said = str(info.value)
    assert said.startswith("provider 'openai' is not installed: ")
    assert said.endswith(' "mirascope-core[openai]"')


# What is refused. Each reason names the distribution and the way out.

NOT_A_PROVIDER = """
    from mirascope.core.plugins import ProviderSpec, hookimpl

    @hookimpl
    def mirascope_provider():
        return ProviderSpec(
            name="bad", api_version=1, package="mirascope_bad", title="Bad",
            apis={"chat": APIS}, capabilities=frozenset(),
        )
"""
SPEC = NOT_A_PROVIDER.replace("APIS", "lambda: None")

BAD = {
    "import error": (
        "import sdk_that_is_missing",
        r"failed to import 'mirascope_bad': ModuleNotFoundError: .*'sdk_that_is_missing'",
    ),
    "exit on import": ("raise SystemExit(3)", r"failed to import 'mirascope_bad': SystemExit: 3"),
    "wrong hook": (
        SPEC.replace("def mirascope_provider", "def mirascope_providr"),
        r"unknown hook 'mirascope_providr': did you mean 'mirascope_provider'\?",
    ),
    "wrong hook beside the right one": (
        SPEC + "\n    @hookimpl\n    def mirascope_stream_ended(stream): pass\n",
        r"unknown hook 'mirascope_stream_ended'",
    ),
    "wrong argument": (
        SPEC + "\n    @hookimpl\n    def mirascope_cost(provider, model, tokens): pass\n",
        r"'tokens'",
    ),
    "no hookimpl": (
        SPEC.replace("@hookimpl", ""),
        r"no mirascope_provider hook: is @hookimpl missing from the function\?$",
    ),
    "raises": (
        SPEC.replace("return ProviderSpec", "raise RuntimeError('no licence') or ProviderSpec"),
        r"mirascope_provider\(\) raised RuntimeError: no licence",
    ),
    "nonsense": (
        SPEC.replace("return ProviderSpec", "return dict"),
        r"mirascope_provider\(\) returned a 'dict', not a ProviderSpec",
    ),
    "none": (SPEC.replace("return ProviderSpec", "ProviderSpec"), r"returned a 'NoneType'"),
    "another name": (SPEC.replace('name="bad"', 'name="good"'), r"calls itself 'good'"),
    "version is text": (
        SPEC.replace("api_version=1", "api_version='1'"),
        r"api_version must be a whole number, not '1'",
    ),
    "no API": (SPEC.replace('{"chat": lambda: None}', "{}"), r"ProviderSpec.apis is empty"),
    "APIs are no mapping": (
        SPEC.replace('{"chat": lambda: None}', '["chat"]'),
        r"apis must be a mapping of names to callables",
    ),
    "API is no provider": (SPEC, r"API 'chat' is a 'NoneType', not a Provider"),
    "API fails to load": (
        NOT_A_PROVIDER.replace("APIS", "lambda: 1 / 0"),
        r"API 'chat'.*ZeroDivisionError",
    ),
    "API of another name": (
        NOT_A_PROVIDER.replace(
            "APIS", "lambda: __import__('mirascope_compatible').CompatibleProvider()"
        ),
        r"CompatibleProvider.name is 'compatible', and must be 'bad' as in its ProviderSpec",
    ),
    "configure raises": (
        SPEC + "\n    @hookimpl\n    def mirascope_configure(settings): raise KeyError('region')\n",
        r"mirascope_configure\(\) raised KeyError: 'region'",
    ),
    "wrapped observer": (
        SPEC + "\n    @hookimpl(wrapper=True)\n    def mirascope_stream_started(stream):\n"
        "        return (yield)\n",
        r"'mirascope_stream_started'.*wrapper",
    ),
    "wrapped cost": (
        SPEC + "\n    @hookimpl(wrapper=True)\n    def mirascope_cost(usage):\n"
        "        return (yield)\n",
        r"'mirascope_cost' can't be a hook wrapper",
    ),
    "awaited": (
        SPEC + "\n    @hookimpl\n    async def mirascope_stream_started(stream): pass\n",
        r"'mirascope_stream_started' is an 'async def'",
    ),
    "panic on import": (
        "class Panic(BaseException): pass\nraise Panic('at the disco')",
        r"failed to import 'mirascope_bad': Panic: at the disco",
    ),
    "capabilities in a list": (
        SPEC.replace("frozenset()", "['sync', 'telepathy']"),
        r"capabilities must be a frozenset of Capability, not \['sync'",
    ),
    "unknown capability": (
        SPEC.replace("frozenset()", "frozenset({'telepathy'})"),
        r"capabilities has 'telepathy'",
    ),
    "key variable as text": (
        SPEC.replace("capabilities=", "api_key_env='X_KEY', capabilities="),
        r"api_key_env must be a tuple of names, such as \('ACME_API_KEY',\), not 'X_KEY'",
    ),
    "version is a truth": (
        SPEC.replace("api_version=1", "api_version=True"),
        r"api_version must be a whole number, not True",
    ),
    "title is a number": (SPEC.replace('title="Bad"', "title=5"), r"title must be text, not 5"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_plugin_is_refused_with_its_reason_and_hurts_no_other(
    bad: str, installed: Site
) -> None:
    code, reason = BAD[bad]
    installed.install("mirascope-bad", code=code, version="2.5")
    configure(team="blue")
    register_provider(Plugin("zeta", named("zeta")))
    for _ in range(2):
        with pytest.raises(BrokenProviderError, match=reason) as info:
            load_provider("bad")
        assert info.value.provider == "bad"
        assert "(mirascope-bad 2.5)" in str(info.value)
        # The general advice is given where no better one is known.
        fixed = bad in {"wrong hook", "wrong hook beside the right one", "no hookimpl"}
        if bad == "awaited":
            assert str(info.value).endswith("where there is something to wait for")
            continue
        assert str(info.value).endswith("?" if fixed else "; upgrade mirascope-bad or uninstall it")
        assert "\n" not in str(info.value)
    found = {status.name: status for status in statuses()}
    assert found["bad"].state is PluginState.BROKEN
    assert found["bad"].distributions == ("mirascope-bad 2.5",)
    assert found["bad"].reason == str(info.value)
    assert found["zeta"].state is PluginState.OK
    assert found["compatible"].state is PluginState.OK


@pytest.mark.parametrize(
    ("version", "way_out"), [(99, "upgrade mirascope-core"), (0, "upgrade mirascope-old")]
)
def test_another_plugin_api_is_incompatible_and_says_what_to_upgrade(
    version: int, way_out: str, installed: Site
) -> None:
    code = SPEC.replace("api_version=1", f"api_version={version}").replace('"bad"', '"old"')
    # A hook that only the newer core has must not hide the reason.
    code += "\n    @hookimpl\n    def mirascope_hook_to_come(stream): pass\n"
    installed.install("mirascope-old", code=code)
    with pytest.raises(IncompatibleProviderError, match=way_out) as info:
        provider("old")
    assert "(mirascope-old 1.0)" in str(info.value)
    assert f"plugin API {version}" in str(info.value)
    status = next(status for status in statuses() if status.name == "old")
    assert status.state is PluginState.INCOMPATIBLE


def test_two_distributions_with_one_name_conflict_and_neither_is_imported(installed: Site) -> None:
    installed.install("mirascope-dup-b", name="dup")
    installed.install("mirascope-dup-a", name="dup")
    with pytest.raises(ProviderConflictError) as info:
        provider("dup")
    assert "mirascope-dup-a 1.0 and mirascope-dup-b 1.0" in str(info.value)
    assert "uninstall one" in str(info.value)
    assert not {"mirascope_dup_a", "mirascope_dup_b"} & sys.modules.keys()
    status = next(status for status in statuses() if status.name == "dup")
    assert status.state is PluginState.CONFLICT
    assert status.distributions == ("mirascope-dup-a 1.0", "mirascope-dup-b 1.0")


def test_registering_one_by_hand_settles_a_conflict(installed: Site) -> None:
    installed.install("mirascope-dup-b", name="dup")
    installed.install("mirascope-dup-a", name="dup")
    register_provider(Plugin("dup", named("dup")), replace=True)
    assert provider("dup").title == "A plugin"
    status = next(status for status in statuses() if status.name == "dup")
    assert status.state is PluginState.OK


@pytest.mark.parametrize("value", ["off", " other , off", "all"])
def test_a_disabled_plugin_is_not_imported(
    value: str, installed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.install("mirascope-off")
    monkeypatch.setenv("MIRASCOPE_DISABLE_PLUGINS", value)
    with pytest.raises(DisabledProviderError) as info:
        provider("off")
    assert "(mirascope-off 1.0)" in str(info.value)
    assert f"MIRASCOPE_DISABLE_PLUGINS={value!r}" in str(info.value)
    assert "mirascope_off" not in sys.modules
    status = next(status for status in statuses() if status.name == "off")
    assert status.state is PluginState.DISABLED


def test_a_name_that_is_not_lower_case_is_refused_before_it_is_imported(installed: Site) -> None:
    installed.install("mirascope-shouting", name="Shouting")
    with pytest.raises(BrokenProviderError, match=r"\(mirascope-shouting 1.0\).*lower case"):
        provider("Shouting")
    assert "mirascope_shouting" not in sys.modules


def test_a_missing_sdk_is_a_reason(installed: Site) -> None:
    code = SPEC.replace("lambda: None", "PROVIDER").replace(
        "title=", "sdk='sdk-that-is-missing', title="
    )
    code = code.replace(
        "@hookimpl",
        "from mirascope_compatible import CompatibleProvider as PROVIDER\n\n    @hookimpl",
    )
    installed.install("mirascope-bad", code=code)
    status = next(status for status in statuses() if status.name == "bad")
    assert status.state is PluginState.BROKEN
    assert "'sdk-that-is-missing' is not installed" in status.reason


def test_an_api_that_the_provider_does_not_have_is_named_with_those_it_has() -> None:
    with isolated_registry():
        register_provider(Plugin("gamma", GammaProvider()))
        with pytest.raises(UnknownProviderError, match=r"no API 'responses'; it has: chat"):
            load_provider("gamma", "responses")


# Registering by hand


def test_a_name_that_is_taken_needs_replace() -> None:
    first, second = GammaProvider(), GammaProvider()
    with isolated_registry():
        register_provider(Plugin("gamma", first))
        assert load_provider("gamma") is first
        with pytest.raises(ProviderConflictError, match="replace=True"):
            register_provider(Plugin("gamma", second))
        register_provider(Plugin("gamma", second), replace=True)
        assert load_provider("gamma") is second


def test_an_installed_name_is_taken_too() -> None:
    with isolated_registry():
        with pytest.raises(ProviderConflictError, match="'openai' is taken"):
            register_provider(Plugin("openai"))
        register_provider(Plugin("openai", named("openai")), replace=True)
        assert provider("openai").title == "A plugin"
    assert provider("openai").title == "OpenAI"


def test_a_plugin_that_fails_to_register_leaves_the_old_one_in_place() -> None:
    class Failing(Plugin):
        @hookimpl
        def mirascope_configure(self, settings: object) -> None:
            raise RuntimeError("no")

    good = GammaProvider()
    with isolated_registry():
        configure(team="blue")
        register_provider(Plugin("gamma", good))
        with pytest.raises(BrokenProviderError, match="raised RuntimeError: no"):
            register_provider(Failing("gamma", GammaProvider()), replace=True)
        assert load_provider("gamma") is good


def test_an_isolated_registry_forgets_and_the_outer_one_comes_back() -> None:
    before = provider("compatible")
    with isolated_registry():
        register_provider(Plugin("gamma", GammaProvider()))
        assert provider("gamma").name == "gamma"
        assert provider("compatible") is not before
    with pytest.raises(UnknownProviderError):
        provider("gamma")
    assert provider("compatible") is before


def test_two_threads_load_a_plugin_once(installed: Site) -> None:
    code = SPEC.replace('"bad"', '"slow"').replace("lambda: None", "make")
    installed.install(
        "mirascope-slow",
        code="""
    import time
    from mirascope_compatible import CompatibleProvider
    made = []

    class SlowProvider(CompatibleProvider):
        name = "slow"

    def make():
        time.sleep(0.05)
        made.append(SlowProvider())
        return made[-1]

    time.sleep(0.05)
"""
        + code,
    )
    barrier = threading.Barrier(4)
    found: list[tuple[ProviderSpec, Provider]] = []

    def load() -> None:
        barrier.wait(timeout=10)
        found.append((provider("slow"), load_provider("slow")))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert len(found) == 4
    assert len({id(spec) for spec, _ in found}) == 1
    assert len({id(loaded) for _, loaded in found}) == 1
    assert len(sys.modules["mirascope_slow"].made) == 1


# Hooks


class Observer:
    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []

    @hookimpl
    def mirascope_stream_started(self, stream: Any) -> None:
        self.seen.append(("started", stream.provider, str(stream.state)))

    @hookimpl
    def mirascope_stream_finished(self, stream: Any) -> None:
        self.seen.append(("finished", str(stream.state), stream.content))

    @hookimpl
    def mirascope_stream_failed(self, stream: Any, error: Exception) -> None:
        self.seen.append(("failed", str(stream.state), type(error).__name__))


def read(body: bytes) -> Any:
    stream = replay(GammaProvider(), body)
    for _ in stream:
        pass
    return stream


def test_observers_are_told_of_every_stream_once() -> None:
    observer = Observer()
    with isolated_registry():
        register_plugin(observer)
        read(HELLO)
        stopped = replay(GammaProvider(), HELLO)
        next(iter(stopped))
        stopped.close()
        stopped.close()
        with pytest.raises(StreamTruncatedError):
            read(HELLO[:90])
    assert observer.seen == [
        ("started", "gamma", "streaming"),
        ("finished", "completed", "Hello"),
        ("started", "gamma", "streaming"),
        ("finished", "stopped", "Hello"),
        ("started", "gamma", "streaming"),
        ("failed", "truncated", "StreamTruncatedError"),
    ]


def test_an_observer_that_raises_is_logged_and_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Faulty:
        @hookimpl
        def mirascope_stream_started(self, stream: Any) -> None:
            raise RuntimeError("started")

        @hookimpl
        def mirascope_stream_finished(self) -> None:
            raise RuntimeError("finished")

        @hookimpl
        def mirascope_stream_failed(self, error: Exception) -> None:
            raise RuntimeError("failed")

    first, last = Observer(), Observer()
    with isolated_registry(), caplog.at_level(logging.ERROR, "mirascope.plugins"):
        register_plugin(first)
        register_plugin(Faulty())
        register_plugin(last)
        assert read(HELLO).content == "Hello"
        with pytest.raises(StreamTruncatedError):
            read(HELLO[:90])
    kinds = ["started", "finished", "started", "failed"]
    assert [kind for kind, *_ in first.seen] == kinds, "the faulty one hid the stream from others"
    assert [kind for kind, *_ in last.seen] == kinds
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == kinds
    assert all("Faulty" in record.getMessage() for record in caplog.records)


def test_the_first_plugin_that_knows_a_cost_has_the_last_word() -> None:
    class Contract:
        @hookimpl
        def mirascope_cost(self, provider: str, model: str, usage: Any) -> Cost | None:
            if (provider, model) != ("gamma", "m-1"):
                return None
            return Cost(total=Decimal(usage.output_tokens) / 10, notes=("our contract",))

    class NoOpinion:
        @hookimpl
        def mirascope_cost(self) -> None:
            return None

    with isolated_registry():
        assert read(HELLO).cost is None
        register_plugin(Contract())
        register_plugin(NoOpinion())
        stream = read(HELLO)
        assert stream.cost == 0.5
        assert stream.cost_details.notes == ("our contract",)
        assert read(HELLO.replace(b"m-1", b"m-2")).cost is None


@pytest.mark.parametrize("answer", [RuntimeError("down"), 0.25, "free"])
def test_a_cost_hook_that_fails_or_talks_nonsense_is_logged_and_passed_over(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty:
        @hookimpl
        def mirascope_cost(self) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    with isolated_registry(), caplog.at_level(logging.ERROR, "mirascope.plugins"):
        register_plugin(Faulty())
        assert read(HELLO).cost is None
    assert "mirascope_cost" in caplog.text


def test_settings_reach_plugins_that_are_loaded_before_and_after() -> None:
    class Configured(Plugin):
        def __init__(self, name: str) -> None:
            super().__init__(name, named(name))
            self.settings: list[dict[str, Any]] = []

        @hookimpl
        def mirascope_configure(self, settings: Any) -> None:
            self.settings.append(dict(settings))
            with pytest.raises(TypeError):
                settings["team"] = "red"

    early, late = Configured("early"), Configured("late")
    with isolated_registry():
        register_provider(early)
        configure(team="blue")
        register_provider(late)
        configure(region="eu")
    assert early.settings == late.settings == [{"team": "blue"}, {"region": "eu"}]


def test_a_plugin_that_fails_to_be_configured_keeps_no_other_from_it() -> None:
    class Faulty:
        @hookimpl
        def mirascope_configure(self, settings: Any) -> None:
            raise RuntimeError("no")

    seen: list[str] = []

    class Good:
        @hookimpl
        def mirascope_configure(self, settings: Any) -> None:
            seen.append(settings["team"])

    with isolated_registry():
        register_plugin(Good())
        register_plugin(Faulty())
        with pytest.raises(BrokenProviderError, match=r"Faulty.*raised RuntimeError: no"):
            configure(team="blue")
    assert seen == ["blue"]


def test_an_observer_with_an_unknown_hook_is_refused() -> None:
    class Typo:
        @hookimpl
        def mirascope_stream_ended(self, stream: Any) -> None: ...

    with (
        isolated_registry(),
        pytest.raises(BrokenProviderError, match="unknown hook 'mirascope_stream_ended'"),
    ):
        register_plugin(Typo())
