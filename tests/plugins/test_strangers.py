"""Plugins as wheels in an environment of their own, good ones and bad ones side by side."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from mirascope.core.testing import ReceivedRequest, Reply, Server, streamed
from mirascope_tests.chat import answer

from . import lab

pytestmark = lab.needs_uv

ACME = b'M acme-large r-1\nT Hello,\nT  stranger\nU {"in": 3, "out": 5}\nX stop\n'

PLUGIN = """
from mirascope.core.plugins import ProviderSpec, hookimpl

@hookimpl
def mirascope_provider():
    return ProviderSpec(
        name={name!r}, api_version=1, package={module!r}, title="A plugin",
        apis={{"chat": make}}, capabilities=frozenset(),
    )

def make():
    from mirascope_compatible import CompatibleProvider
    class Made(CompatibleProvider):
        name = {name!r}
    return Made()
"""


def plugin(name: str, module: str | None = None) -> str:
    return PLUGIN.format(name=name, module=module or f"mirascope_{name}")


# Distribution: the provider it claims, its code, how it is listed, and why.
BAD = {
    "mirascope-broken": (
        "broken",
        "import sdk_that_is_missing\n",
        "broken",
        "failed to import 'mirascope_broken': ModuleNotFoundError: No module named "
        "'sdk_that_is_missing'; upgrade mirascope-broken or uninstall it",
    ),
    "mirascope-typo": (
        "typo",
        plugin("typo").replace("def mirascope_provider", "def mirascope_providr"),
        "broken",
        "unknown hook 'mirascope_providr': did you mean 'mirascope_provider'?",
    ),
    "mirascope-future": (
        "future",
        plugin("future").replace("api_version=1", "api_version=99"),
        "incompatible",
        "speaks plugin API 99, this core 1 to 1: upgrade mirascope-core",
    ),
    "mirascope-dup-a": ("dup", plugin("dup"), "conflict", "uninstall one"),
    "mirascope-dup-b": ("dup", plugin("dup"), "conflict", "uninstall one"),
    "mirascope-off": (
        "off",
        "raise RuntimeError('a plugin that is disabled is never imported')\n",
        "disabled",
        "is disabled by MIRASCOPE_DISABLE_PLUGINS='off': change the variable to use it",
    ),
    "mirascope-raises": (
        "raises",
        plugin("raises").replace("return ", "raise RuntimeError('no licence') or "),
        "broken",
        "mirascope_provider() raised RuntimeError: no licence; upgrade mirascope-raises or "
        "uninstall it",
    ),
    "mirascope-nonsense": (
        "nonsense",
        plugin("nonsense").replace("return ProviderSpec", "return dict"),
        "broken",
        "mirascope_provider() returned a 'dict', not a ProviderSpec; upgrade mirascope-nonsense or "
        "uninstall it",
    ),
    "mirascope-misnamed": (
        "misnamed",
        plugin("other"),
        "broken",
        "it calls itself 'other'; ProviderSpec.name must equal the entry point's name; upgrade "
        "mirascope-misnamed or uninstall it",
    ),
    "mirascope-hollow": (
        "hollow",
        plugin("hollow").replace("return Made()", "return object()"),
        "broken",
        "its API 'chat' is a 'object', not a Provider; upgrade mirascope-hollow or uninstall it",
    ),
    "mirascope-nosdk": (
        "nosdk",
        plugin("nosdk").replace("title=", "sdk='sdk-that-is-missing', title="),
        "broken",
        "its SDK 'sdk-that-is-missing' is not installed: uv pip install --python ",
    ),
}

PYPROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "{dist}"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["mirascope-core>=0.1,<1"]

[project.entry-points."mirascope.providers"]
{name} = "{module}"
"""


@functools.cache
def bad_wheels() -> dict[str, Path]:
    sources = lab.workplace() / "bad"
    for dist, (name, code, _, _) in BAD.items():
        module = dist.replace("-", "_")
        package = sources / dist / module
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(code)
        (sources / dist / "pyproject.toml").write_text(
            PYPROJECT.format(dist=dist, name=name, module=module)
        )
    return dict(lab.build_workspace(sources, out="bad"))


@functools.cache
def strangers() -> lab.Environment:
    """Core with its command line, and every plugin that is no part of this project."""
    ours = lab.first_party_wheels()
    return lab.environment(
        "strangers",
        f"mirascope-core[cli] @ {ours['mirascope-core'].as_uri()}",
        ours["mirascope-compatible"],
        *lab.stranger_wheels().values(),
        *bad_wheels().values(),
    )


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """Both services: Acme's, and Beta's chat completions."""

    def reply(request: ReceivedRequest) -> Reply:
        if request.path == "/v1/answers":
            return streamed(*ACME.splitlines(keepends=True))
        return streamed(
            *(e.replace(b"gpt-4o-2024-08-06", b"beta-1") for e in answer("Hello,", " stranger"))
        )

    return serve(reply)


@pytest.fixture
def settings(server: Server) -> dict[str, str]:
    return {
        "ACME_BASE_URL": server.url.removesuffix("/v1"),
        "ACME_API_KEY": "acme-key",
        "BETA_BASE_URL": server.url,
        "BETA_API_KEY": "beta-key",
        "MIRASCOPE_DISABLE_PLUGINS": "off",
    }


# Good ones

ROUTES = {
    "its own package": """
        import mirascope_acme as acme

        call = acme.call("acme-large", stream=True)
    """,
    "its name": """
        import mirascope_acme as acme
        from mirascope.core import call

        call = call("acme/acme-large", stream=True)
    """,
    "core": """
        import mirascope_acme
        from mirascope.core import acme

        assert acme is mirascope_acme
        call = acme.call("acme-large", stream=True)
    """,
}

STREAM = """
import json

@call
def greet(who):
    \"\"\"Greet {who}.\"\"\"

stream = greet("a stranger")
assert type(stream) is acme.AcmeStream, stream
print(json.dumps({
    "texts": [chunk.content for chunk, _ in stream if chunk.content],
    "state": stream.state,
    "cost": str(stream.cost_details.total),
    "message": stream.message_param,
    "sent": stream.user_message_param,
}))
"""


@pytest.mark.parametrize("route", ROUTES)
def test_a_stranger_s_provider_streams(route: str, settings: dict[str, str]) -> None:
    assert strangers().json(dedent(ROUTES[route]) + STREAM, **settings) == {
        "texts": ["Hello,", " stranger"],
        "state": "completed",
        "cost": "0.000046",
        "message": {"role": "assistant", "text": "Hello, stranger"},
        "sent": {"role": "user", "text": "Greet a stranger."},
    }


def test_a_stranger_s_provider_streams_asynchronously(settings: dict[str, str]) -> None:
    code = """
        import asyncio, json
        import mirascope_beta as beta
        from mirascope.core import call_async

        @call_async("beta/beta-1", stream=True)
        async def greet(who):
            "Greet {who}."

        async def main():
            stream = await greet("a stranger")
            assert type(stream) is beta.BetaAsyncStream
            texts = [chunk.content async for chunk, _ in stream if chunk.content]
            print(json.dumps([texts, str(stream.cost_details.total)]))

        asyncio.run(main())
    """
    assert strangers().json(dedent(code), **settings) == [["Hello,", " stranger"], "0.000159"]


@pytest.mark.parametrize(
    ("model", "tokens"), [("acme/acme-large", ("3", "5")), ("beta/beta-1", ("12", "102"))]
)
def test_the_command_line_runs_a_stranger_s_provider(
    model: str, tokens: tuple[str, str], settings: dict[str, str]
) -> None:
    done = strangers().run("-m", "mirascope", "run", "-m", model, "Greet a stranger.", **settings)
    assert (done.returncode, done.stdout) == (0, "Hello, stranger\n"), done.stderr
    (summary,) = done.stderr.splitlines()
    assert model.partition("/")[2] in summary
    assert all(re.search(rf"\b{count}\b", summary) for count in tokens), summary
    assert "$" in summary


def test_a_recording_of_a_stranger_s_wire_is_replayed() -> None:
    recording = lab.workplace() / "hello.acme"
    recording.write_bytes(ACME)
    for more in ((), ("--chunk-bytes", "1")):
        done = strangers().run(
            *("-m", "mirascope", "replay", str(recording), "--provider", "acme"),
            *("--format", "json", *more),
        )
        result = json.loads(done.stdout)
        assert (result["state"], result["text"]) == ("completed", "Hello, stranger")
        assert result["usage"] == {"in": 3, "out": 5}


# Bad ones


def listed(**env: str) -> dict[str, dict[str, Any]]:
    done = strangers().run("-m", "mirascope", "providers", "--format", "json", **env)
    assert (done.returncode, done.stderr) == (0, "")
    return {record["name"]: record for record in json.loads(done.stdout)}


def test_every_plugin_is_listed_with_its_reason_and_none_hurts_another() -> None:
    found = listed(MIRASCOPE_DISABLE_PLUGINS="off")
    assert set(found) == {"acme", "beta", "compatible", *(name for name, *_ in BAD.values())}
    for name in ("acme", "beta", "compatible"):
        assert (found[name]["state"], found[name]["reason"]) == ("ok", None)
    assert found["acme"]["distributions"] == ["mirascope-acme 0.1.0"]
    assert found["acme"]["package"] == "mirascope_acme"
    assert found["acme"]["sdk"].startswith("httpx 0.")
    assert found["acme"]["apis"] == ["lines"]
    for dist, (name, _, state, reason) in BAD.items():
        record = found[name]
        assert record["state"] == state
        assert reason in record["reason"]
        assert f"{dist} 1.0" in record["reason"]
        assert f"{dist} 1.0" in record["distributions"]


def test_the_list_for_people_has_one_line_for_each() -> None:
    env = {"MIRASCOPE_DISABLE_PLUGINS": "off"}
    done = strangers().run("-m", "mirascope", "providers", **env)
    assert done.returncode == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "mirascope-acme 0.1.0" in lines["acme"]
    assert lines["acme"].endswith(" ok")
    for name, _, state, reason in BAD.values():
        assert state in lines[name]
        assert reason in lines[name]
    # What to do stands there once: a fix that is known takes the place of the general advice.
    for name in ("typo", "nosdk"):
        assert "uninstall it" not in lines[name]
    assert strangers().run("-m", "mirascope", "providers", "--check", **env).returncode == 1


def test_all_plugins_can_be_disabled() -> None:
    found = listed(MIRASCOPE_DISABLE_PLUGINS="all")
    states = {record["state"] for record in found.values() if record["name"] != "dup"}
    assert states == {"disabled"}


# A missing SDK is the provider's own business once it is used.
@pytest.mark.parametrize("dist", [dist for dist in BAD if dist != "mirascope-nosdk"])
def test_using_a_bad_plugin_says_why_in_one_line(dist: str) -> None:
    name, _, _, reason = BAD[dist]
    done = strangers().run(
        *("-m", "mirascope", "run", "-m", f"{name}/model", "Hi"), MIRASCOPE_DISABLE_PLUGINS="off"
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert reason in line
    assert f"{dist} 1.0" in line


def test_a_bad_plugin_gives_its_reason_through_core_too() -> None:
    code = """
        import json
        import mirascope.core
        from mirascope.core import BrokenProviderError

        reasons = []
        try:
            from mirascope.core import broken
        except BrokenProviderError as error:
            reasons.append(str(error))
        try:
            mirascope.core.call("broken/model")
        except BrokenProviderError as error:
            reasons.append(str(error))
        print(json.dumps(reasons))
    """
    first, second = strangers().json(dedent(code))
    assert first == second
    assert "mirascope-broken 1.0" in first


# Core alone

FORMS = {
    "f1": "from mirascope.core import openai",
    "f2": "from mirascope.core.openai import OpenAIStream",
    "f3": "import mirascope.core.openai as m",
}


@functools.cache
def core_alone() -> lab.Environment:
    return lab.environment("core", lab.first_party_wheels()["mirascope-core"])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["openai", "compatible", "local"])
def test_a_provider_that_is_missing_gives_the_command(form: str, name: str) -> None:
    code = f"""
        import json
        import mirascope.core
        from mirascope.core import MissingProviderError

        for _ in range(2):
            try:
                {FORMS[form].replace("openai", name)}
            except MissingProviderError as error:
                text = str(error)
            assert not hasattr(mirascope.core, {name!r})
            assert {"mirascope.core." + name!r} not in __import__("sys").modules
        print(json.dumps(text))
    """
    assert core_alone().json(dedent(code)) == (
        f"provider '{name}' is not installed: "
        f'uv pip install --python {core_alone().python} "mirascope-core[{name}]"'
    )


def test_core_alone_works_and_has_no_command_line() -> None:
    code = """
        import json
        import mirascope.core
        from mirascope.core import MissingProviderError, UnknownProviderError, call
        from mirascope.core.plugins import statuses
        try:
            call("openai/gpt-4o")
        except MissingProviderError as error:
            missing = str(error)
        try:
            call("acme/acme-large")
        except UnknownProviderError as error:
            unknown = str(error)
        print(json.dumps([statuses(), missing, unknown]))
    """
    listed, missing, unknown = core_alone().json(dedent(code))
    assert listed == []
    assert missing.endswith(f' --python {core_alone().python} "mirascope-core[openai]"')
    assert unknown == "no provider 'acme' is installed (installed: none)"
    done = core_alone().run("-m", "mirascope", "providers")
    assert done.returncode == 1
    assert done.stderr == (
        "mirascope: the command line is an extra: "
        f'uv pip install --python {core_alone().python} "mirascope-core[cli]"\n'
    )


def test_uninstalling_a_provider_leaves_core_whole(settings: dict[str, str]) -> None:
    wheels = lab.first_party_wheels()
    made = lab.environment(
        "uninstall",
        wheels["mirascope-core"],
        wheels["mirascope-compatible"],
        *lab.stranger_wheels().values(),
    )
    made.uninstall("mirascope-acme", "mirascope-compatible")
    code = """
        import json
        import mirascope.core
        from mirascope.core import BrokenProviderError, UnknownProviderError, provider
        from mirascope.core.plugins import statuses

        try:
            provider("acme")
        except UnknownProviderError as error:
            print(error)
        assert mirascope.core.__file__
        print(json.dumps([[status.name, status.state] for status in statuses()]))
    """
    # Beta extends what is gone, which is Beta's trouble alone.
    assert made.json(dedent(code)) == [["beta", "broken"]]
    made.install(lab.stranger_wheels()["mirascope-acme"])
    assert made.json(dedent(ROUTES["its name"]) + STREAM, **settings)["state"] == "completed"
