"""Hosts that plugins bring: whose name counts, what is refused and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mirascope.core import (
    BrokenProviderError,
    DisabledProviderError,
    IncompatibleProviderError,
    ProviderConflictError,
    call,
    compatible,
)
from mirascope.core.plugins import (
    PluginState,
    ProviderSpec,
    hookimpl,
    host_statuses,
    isolated_registry,
    load_host,
    load_provider,
    provider,
    register_provider,
    statuses,
)
from mirascope_compatible import CompatibleProvider, Host

from .plugins.installed import Site, site

HOST = """
    from mirascope_compatible import Host

    HOST = Host(name={name!r}, base_url="https://{dist}.example/v1")
"""


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as found:
        yield found


def install(site: Site, dist: str, name: str, code: str = HOST) -> None:
    code = code.format(name=name, dist=dist)
    site.install(dist, name=name, code=code, group="mirascope.hosts")


def address(name: str) -> str | None:
    host = load_host(name)
    assert isinstance(host, CompatibleProvider)
    return host.base_url


def test_a_distribution_brings_a_host_by_one_line(installed: Site) -> None:
    install(installed, "acme-hosts", "acme")
    assert address("acme") == "https://acme-hosts.example/v1"
    assert load_provider("acme") is load_host("acme")
    assert provider("acme").base_url == "https://acme-hosts.example/v1"
    [found] = [status for status in host_statuses() if status.name == "acme"]
    assert (found.distributions, found.state) == (("acme-hosts 1.0",), PluginState.OK)
    # A host is not a plugin for a provider, nor a package to import.
    assert "acme" not in {status.name for status in statuses()}
    with pytest.raises(ImportError):
        exec("from mirascope.core import acme")


def test_a_host_of_one_s_own_comes_before_a_preset(installed: Site) -> None:
    assert address("groq") == "https://api.groq.com/openai/v1"
    install(installed, "my-groq", "groq")
    with site(installed.path):
        assert address("groq") == "https://my-groq.example/v1"
        [found] = [status for status in host_statuses() if status.name == "groq"]
        assert found.distributions == ("my-groq 1.0",)


def test_two_others_that_claim_a_name_are_in_conflict(installed: Site) -> None:
    install(installed, "one-hosts", "groq")
    install(installed, "two-hosts", "groq")
    with pytest.raises(ProviderConflictError, match=r"one-hosts 1\.0 and two-hosts 1\.0"):
        compatible.call("m", host="groq")
    assert address("deepseek") == "https://api.deepseek.com"


def test_a_plugin_for_a_provider_comes_first_where_a_provider_is_named(installed: Site) -> None:
    installed.install("mirascope-groq")
    assert provider("groq").package == "mirascope_groq"
    assert address("groq") == "https://api.groq.com/openai/v1"


def test_a_provider_registered_by_hand_comes_first_too() -> None:
    class Own(CompatibleProvider):
        name = "deepseek"

    own = Own()

    class Plugin:
        @hookimpl
        def mirascope_provider(self) -> ProviderSpec:
            return ProviderSpec(
                name="deepseek",
                api_version=1,
                package="mirascope_compatible",
                title="Own",
                apis={"chat": lambda: own},
                capabilities=frozenset(),
            )

    with isolated_registry():
        assert load_provider("deepseek") is load_host("deepseek")
        register_provider(Plugin())
        assert load_provider("deepseek") is own
        assert load_host("deepseek") is not own


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise RuntimeError('no disk')", "failed to import 'acme_hosts:HOST': RuntimeError"),
        ("", "has no attribute 'HOST'"),
        ("HOST = 'https://acme.example'", "its entry point is a 'str', not a host"),
        ("class HOST:\n    spec = lambda: 1/0", r"spec\(\) raised ZeroDivisionError"),
        ("class HOST:\n    spec = lambda: None", "must return a ProviderSpec with a base_url"),
        (
            "from mirascope_compatible import Host\n"
            "HOST = Host(name='other', base_url='https://acme.example')",
            "it calls itself 'other'",
        ),
        (
            "from mirascope_compatible import Host\n"
            "HOST = Host(name='acme', base_url='http://a.example', api_key_env='A_KEY')",
            "UsageError: host 'acme': its key would be sent in the clear",
        ),
    ],
)
def test_a_broken_one_says_whose_it_is_and_hurts_no_other(
    code: str, said: str, installed: Site
) -> None:
    installed.install("acme-hosts", name="acme", code=code, group="mirascope.hosts")
    with pytest.raises(BrokenProviderError, match=said) as info:
        compatible.call("m", host="acme")
    assert "acme-hosts 1.0" in str(info.value)
    assert "\n" not in str(info.value)
    states = {status.name: status.state for status in host_statuses()}
    assert states.pop("acme") is PluginState.BROKEN
    assert set(states.values()) == {PluginState.OK}


def test_one_for_another_plugin_api(installed: Site) -> None:
    code = (
        "from dataclasses import replace\nfrom mirascope_compatible import Host\n"
        "class Newer(Host):\n    def spec(self):\n"
        "        return replace(super().spec(), api_version=99)\n"
        "HOST = Newer(name='acme', base_url='https://acme.example')\n"
    )
    installed.install("acme-hosts", name="acme", code=code, group="mirascope.hosts")
    with pytest.raises(IncompatibleProviderError, match="speaks plugin API 99"):
        call("acme/m")


@pytest.mark.parametrize("value", ["groq", "all"])
def test_hosts_can_be_disabled(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRASCOPE_DISABLE_PLUGINS", value)
    with isolated_registry():
        with pytest.raises(DisabledProviderError, match="MIRASCOPE_DISABLE_PLUGINS"):
            compatible.call("m", host="groq")
        with pytest.raises(DisabledProviderError):
            call("groq/m")
        [found] = [status for status in host_statuses() if status.name == "groq"]
        assert found.state is PluginState.DISABLED


def test_a_host_that_is_given_needs_no_name_of_anybody(installed: Site) -> None:
    host = Host(name="groq", base_url="https://mine.example/v1")
    assert host.provider() is Host(name="groq", base_url="https://mine.example/v1").provider()
    assert address("groq") == "https://api.groq.com/openai/v1"
