"""The authors' guide, followed literally, gives working plugins."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mirascope.core.testing import ReceivedRequest, Reply, Server, streamed
from mirascope_tests.chat import answer

from . import lab
from .lines import lines_of

GUIDE = (lab.ROOT / "docs" / "plugins.md").read_text("utf-8")
FILES = dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', GUIDE, re.M | re.S))
COMMANDS = [
    block.splitlines() for block in re.findall(r"^```console\n(.*?)^```", GUIDE, re.M | re.S)
]


@pytest.mark.parametrize("name", ["acme", "beta"])
def test_the_code_in_the_guide_is_the_code_that_is_tested(name: str) -> None:
    sources = {
        f"mirascope-{name}/{path.relative_to(lab.STRANGERS / name)}": path.read_text("utf-8")
        for path in (lab.STRANGERS / name).rglob("*")
        if path.suffix in (".py", ".toml")
    }
    in_guide = {path: FILES[path] for path in FILES if path.startswith(f"mirascope-{name}/")}
    assert in_guide == sources


@lab.needs_uv
def test_the_guide_followed_literally_gives_working_plugins(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    def reply(request: ReceivedRequest) -> Reply:
        if request.path == "/v1/answers":
            return streamed(FILES["hello.acme"].encode())
        return streamed(*answer("Hello, ", "world"))

    server = serve(reply)
    expected_requests = ["beta-1", "org/gamma-1", "acme-large", "acme-large", "acme-large"]
    ours = lab.first_party_wheels()
    made = lab.environment(
        "guide",
        f"mirascope-core[cli,testing] @ {ours['mirascope-core'].as_uri()}",
        ours["mirascope-compatible"],
    )
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    def run(command: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            shlex.split(command),
            cwd=tmp_path,
            env=lab.clean_environment(
                PATH=os.pathsep.join(
                    [str(made.path / "bin"), str(Path(str(lab.UV)).parent), os.environ["PATH"]]
                ),
                VIRTUAL_ENV=str(made.path),
                UV_PYTHON_DOWNLOADS="never",
                BETA_BASE_URL=server.url,
                BETA_API_KEY="beta-key",
                GAMMA_BASE_URL=server.url,
                GAMMA_API_KEY="gamma-key",
                ACME_BASE_URL=server.url.removesuffix("/v1"),
                ACME_API_KEY="acme-key",
                **env,
            ),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    printed: dict[str, str] = {}
    for block in COMMANDS:
        for index, line in enumerate(block):
            if not line.startswith("$ "):
                continue
            command = line.removeprefix("$ ")
            # What the guide installs is at hand: the index is asked only for the build's backend.
            done = run(command, UV_OFFLINE="1")
            done = done if done.returncode == 0 else run(command)
            assert done.returncode == 0, f"{command}\n{done.stderr}"
            expected = [text for text in block[index + 1 : index + 2] if text[:2] != "$ "]
            assert not expected or done.stdout.splitlines() == expected
            printed[command] = done.stdout
    listed = printed["mirascope providers"]
    assert re.search(r"^beta .*mirascope-beta 0\.1\.0 .*\bok$", listed, re.M), listed
    assert re.search(r"^\d+ passed", printed["pytest -q mirascope-delta/tests"], re.M)
    for name in ("acme", "beta"):
        assert re.search(r"^\d+ passed", printed[f"pytest -q mirascope-{name}/tests"], re.M)
        kit = run(f"python -m mirascope.core.testing {name} mirascope-{name}/tests")
        counted = re.search(rf"^{name}: (\d+) of (\d+)$", kit.stdout, re.M)
        assert counted is not None, kit.stdout
        assert counted[1] == counted[2]
    listed = run("mirascope providers").stdout
    assert re.search(r"^delta .*mirascope-delta 0\.1\.0 .*\bok$", listed, re.M), listed
    assert re.search(r"^acme .*mirascope-acme 0\.1\.0 .*\bok$", listed, re.M), listed
    assert printed['mirascope run -m beta/beta-1 "Say hello"'] == "Hello, world\n"
    assert printed['mirascope run -m gamma/org/gamma-1 "Say hello"'] == "Hello, world\n"
    assert printed['mirascope run -m acme/acme-large "Say hello"'] == "Hello, world\n"
    greeted = run("python hello.py")
    assert greeted.stdout == "Hello, world\n{'in': 3, 'out': 5} $0.000046\n"
    assert "acme: 5 tokens\n" in greeted.stderr
    assert [request.json["model"] for request in server.requests] == expected_requests


@pytest.mark.parametrize(("name", "most"), [("beta", 40), ("acme", 150)])
def test_how_little_there_is_to_write(name: str, most: int) -> None:
    """Lines of Python without blank ones, comments and docstrings."""
    written = sum(
        lines_of(text)
        for path, text in FILES.items()
        if path.startswith(f"mirascope-{name}/src/") and path.endswith(".py")
    )
    assert 0 < written <= most
    assert f"| {written} |" in GUIDE
