"""`mirascope providers` as a process, with plugins that are really installed (L2)."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from importlib.metadata import version
from pathlib import Path

import pytest
from mirascope_tests.programs import running
from rich.cells import cell_len

GOOD = """\
from mirascope.core.plugins import ProviderSpec, hookimpl
from mirascope_compatible import CompatibleProvider

class Acme(CompatibleProvider):
    name = {name!r}

@hookimpl
def mirascope_provider():
    return ProviderSpec(
        name={name!r}, api_version={api_version}, package=__name__,
        title="A {name} \\u6a5f provider", apis={{"chat": Acme}}, capabilities=frozenset(),
        sdk={sdk!r},
    )
"""


HOOK = """\
from mirascope.core.plugins import hookimpl

@hookimpl
def mirascope_call_finished(result): ...
"""


HOST = """\
from mirascope_compatible import Host

acme_host = Host(
    name="acme_host", title="Acme 機", base_url="https://api.acme.example/v1",
    api_key_env=("ACME_API_KEY", "ACME_KEY"),
)
no_prices = Host(name="no_prices", base_url="https://x.example", prices_package="acme_none")
"""


def good(name: str, *, api_version: int = 1, sdk: str | None = None) -> str:
    return GOOD.format(name=name, api_version=api_version, sdk=sdk)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory of installed distributions: two good ones, and one of each kind of trouble."""

    def install(
        distribution: str, name: str, code: str, group: str = "mirascope.providers"
    ) -> None:
        module = distribution.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(code, "utf-8")
        info = tmp_path / f"{module}-2.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.5\n"
        )
        value = f"{module}:{name}" if group == "mirascope.hosts" else module
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")

    install("acme-good", "acme", good("acme"))
    install("acme-typer", "with_sdk", good("with_sdk", sdk="typer"))
    install("acme-broken", "broken", "raise RuntimeError('the \\x1b[31mdisk\\n is on fire')")
    install("acme-new", "newer", good("newer", api_version=99))
    install("acme-one", "twice", good("twice"))
    install("acme-two", "twice", good("twice"))
    install("acme-no-sdk", "nosdk", good("nosdk", sdk="a-missing-sdk"))
    install("acme-panic", "panic", "class Panic(BaseException): ...\nraise Panic('no core')")
    install("acme-lone", "lone", good("lone").replace("__name__", "'no_package'"))
    install("acme-free", "free", good("free").replace("= 'free'", "= 'free'; prices_package = 'x'"))
    install("acme-loud", "loud", "print('loaded')\n" + HOOK, group="mirascope.plugins")
    install("acme-mute", "mute", "x = 1", group="mirascope.plugins")
    install("acme-off", "off", good("off"))
    install("acme-hosts", "acme_host", HOST, group="mirascope.hosts")
    install("acme-none", "no_prices", HOST, group="mirascope.hosts")
    install("acme-lost", "lost", "lost = 1", group="mirascope.hosts")
    return tmp_path


def providers(site: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "mirascope", "providers", *arguments],
        capture_output=True,
        timeout=60,
        env={
            **os.environ,
            "PYTHONPATH": str(site),
            "MIRASCOPE_DISABLE_PLUGINS": "off",
            "COLUMNS": "80",
            **env,
        },
    )
    # What a plugin prints is no part of the list, and what is wrong with one is told there too.
    lines = done.stderr.decode().splitlines()
    assert {line.partition(":")[0] for line in lines} <= {"loaded", "a plugin is not active"}
    return done


STATES = {
    "acme": "ok",
    "broken": "broken",
    "newer": "incompatible",
    "nosdk": "broken",
    "free": "broken",
    "lone": "broken",
    "loud": "ok",
    "mute": "broken",
    "off": "disabled",
    "panic": "broken",
    "twice": "conflict",
    "with_sdk": "ok",
}


def test_the_table_in_a_pipe(site: Path) -> None:
    done = providers(site)
    assert done.returncode == 0
    header, *rows = done.stdout.decode().splitlines()
    hosts = next(number for number, row in enumerate(rows) if row.startswith("host "))
    rows = rows[:hosts]
    assert header.split() == ["name", "title", "distribution", "SDK", "plugin", "API", "state"]
    by_name = {row.split()[0]: row for row in rows}
    assert by_name.keys() >= STATES.keys() | {"openai", "compatible"}
    state_column = header.index("state")
    title_column = header.index("title")
    for name, state in STATES.items():
        row = by_name[name]
        if name in ("loud", "mute"):
            # They have a table of their own, with fewer columns.
            assert re.search(rf"  {state}\b", row)
            continue
        # One ideograph takes two columns.
        column = state_column - row.count("機")
        assert row[column:].split(":")[0] == state
        assert row[title_column - 2 : title_column] == "  "
    assert by_name["with_sdk"].endswith("ok")
    assert ["2.5", "typer", version("typer"), "1", "ok"] == by_name["with_sdk"].split()[-5:]
    assert "acme-one 2.5 and acme-two 2.5" in by_name["twice"]
    # Nothing is cut at 80 columns, folded, or sent to a terminal as it is.
    assert "RuntimeError: the ␛[31mdisk is on fire" in by_name["broken"]
    assert "'a-missing-sdk' is not installed" in by_name["nosdk"]
    assert "MIRASCOPE_DISABLE_PLUGINS='off'" in by_name["off"]
    assert "speaks plugin API 99" in by_name["newer"]


def test_the_hosts_in_a_pipe(site: Path) -> None:
    done = providers(site, ACME_KEY="a-key-0123456789")
    lines = done.stdout.decode().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("host "))
    header, *rows = lines[start:]
    assert header.split() == ["host", "address", "key", "prices", "distribution", "state"]
    by_name = {row.split()[0]: row for row in rows}
    assert list(by_name) == sorted(by_name)
    assert by_name.keys() >= {"acme_host", "lost", "deepseek", "ollama"}
    address = header.index("address")
    assert all(row[address - 2 : address] == "  " for row in rows)
    assert by_name["acme_host"].split()[1:] == [
        *("https://api.acme.example/v1", "ACME_KEY", "(set)", "-", "acme-hosts", "2.5", "ok"),
    ]
    assert "none needed" in by_name["ollama"]
    assert " free " in by_name["ollama"]
    assert "broken: provider 'lost' (acme-lost 2.5): its entry point is a 'int'" in by_name["lost"]
    assert b"a-key-0123456789" not in done.stdout


def test_json(site: Path) -> None:
    done = providers(site, "--format", "json")
    assert done.returncode == 0
    found = {status["name"]: status for status in json.loads(done.stdout)}
    assert {name: found[name]["state"] for name in STATES} == STATES
    assert found["acme"] == {
        "name": "acme",
        "title": "A acme 機 provider",
        "distributions": ["acme-good 2.5"],
        "package": "acme_good",
        "sdk": None,
        "api_version": 1,
        "apis": ["chat"],
        "capabilities": [],
        "state": "ok",
        "reason": None,
    }
    assert not found.keys() & {"acme_host", "lost", "deepseek"}


def test_the_hosts_in_json(site: Path) -> None:
    done = providers(site, "--hosts", "--format", "json")
    assert done.returncode == 0
    found = {status["name"]: status for status in json.loads(done.stdout)}
    assert "acme" not in found
    assert found["acme_host"] == {
        "name": "acme_host",
        "title": "Acme 機",
        "distributions": ["acme-hosts 2.5"],
        "package": "mirascope_compatible",
        "sdk": None,
        "api_version": 1,
        "apis": ["chat"],
        "capabilities": ["async", "sync"],
        "state": "ok",
        "reason": None,
        "base_url": "https://api.acme.example/v1",
        "api_key_env": ["ACME_API_KEY", "ACME_KEY"],
        "prices": "",
    }
    assert (found["lost"]["state"], found["lost"]["base_url"]) == ("broken", None)
    assert found["ollama"]["prices"] == "free"
    assert found["no_prices"]["prices"] == "can't be read"
    assert found["openrouter"]["prices"] == "reported"
    assert found["xai"]["prices"].startswith("reported, ")
    lines = providers(site, "--hosts").stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == ["host", *found]


def test_json_of_plugins_that_are_not_well(site: Path) -> None:
    found = {s["name"]: s for s in json.loads(providers(site, "--format", "json").stdout)}
    assert found["openai"]["sdk"] == f"openai {version('openai')}"
    assert found["twice"]["distributions"] == ["acme-one 2.5", "acme-two 2.5"]
    assert found["twice"]["title"] is None
    assert "claimed by" in found["twice"]["reason"]


def test_the_reasons_are_the_plugins_own(site: Path) -> None:
    found = {s["name"]: s for s in json.loads(providers(site, "--format", "json").stdout)}
    for name, reason in {
        "panic": "failed to import 'acme_panic': Panic: no core",
        "lone": "there is no package 'no_package', its ProviderSpec.package",
        "free": "its prices ('x') can't be read: ModuleNotFoundError",
        "mute": "it has no hook: is @hookimpl missing from its functions?",
    }.items():
        assert reason in found[name]["reason"]


def test_check_fails_for_what_is_not_ok_but_was_not_disabled(site: Path) -> None:
    assert providers(site, "--check").returncode == 1
    everything = ",".join(STATES.keys() - {"acme", "off"} | {"local", "lost"})
    off = providers(site, "--check", MIRASCOPE_DISABLE_PLUGINS=everything)
    assert off.returncode == 0
    assert b"disabled" in off.stdout


def in_a_terminal(site: Path, width: int, *arguments: str) -> str:
    """What `mirascope` writes into a terminal of a width."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with running(
        subprocess.Popen(
            [sys.executable, "-m", "mirascope", *arguments],
            stdout=slave,
            stderr=slave,
            stdin=slave,
            env={**environment, "PYTHONPATH": str(site), "TERM": "xterm-256color"},
        )
    ) as process:
        os.close(slave)
        output = b""
        try:
            while data := os.read(master, 65536):
                output += data
        except OSError:
            # Linux says so when the last process has left the terminal.
            pass
    os.close(master)
    assert process.returncode == 0
    return output.decode()


def test_the_table_in_a_terminal(site: Path) -> None:
    shown = in_a_terminal(site, 160, "providers")
    assert "─" in shown
    assert "\x1b[31mbroken" in shown
    assert "\x1b[31mdisk" not in shown
    assert "acme-one 2.5" in shown


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_word_is_broken_in_a_terminal(width: int, site: Path) -> None:
    shown = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", in_a_terminal(site, width, "providers"))
    lines = shown.partition("acme_host")[0].splitlines()
    # What is logged of a plugin is a line of its own, and no part of the table.
    listed = [line for line in lines if not line.startswith("a plugin is not active: ")]
    assert max(cell_len(line) for line in listed) <= width
    words = set(" ".join(listed).replace(",", " ").split())
    assert {"acme", "with_sdk", "acme-good", "acme-typer", "typer", "anthropic"} <= words
    assert {"mirascope-anthropic", "機", "broken:", "incompatible:"} <= words


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_name_of_a_model_is_broken_in_a_terminal(width: int, site: Path) -> None:
    names = json.loads(
        subprocess.check_output(
            [sys.executable, "-m", "mirascope", "models", "-q", "gpt-4o", "--format", "json"],
            env={**os.environ, "PYTHONPATH": str(site)},
            stderr=subprocess.DEVNULL,
        )
    )
    assert len(names) > 5
    shown = re.sub(
        r"\x1b\[[?\d;]*[A-Za-z]", "", in_a_terminal(site, width, "models", "-q", "gpt-4o")
    )
    # What is said of a plugin or a table that can't be read is a line of its own: `free: …`.
    listed = [line for line in shown.splitlines() if ": " not in line]
    assert max(map(cell_len, listed)) <= width
    assert {each["model"] for each in names if len(each["model"]) <= width} <= set(shown.split())


def test_the_help_in_a_narrow_terminal(site: Path) -> None:
    shown = in_a_terminal(site, 40, "--help")
    assert max(map(len, shown.splitlines())) <= 40
    assert "new-provider" in shown
