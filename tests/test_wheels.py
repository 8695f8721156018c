"""What is in the wheels, what they ask for, and that each provider stands on its own."""

from __future__ import annotations

import functools
import re
import zipfile
from collections.abc import Mapping
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from .plugins import lab

pytestmark = lab.needs_uv

PROVIDERS = sorted(path.parent.name for path in lab.ROOT.glob("providers/*/pyproject.toml"))
DISTRIBUTIONS = ["mirascope-core", *(f"mirascope-{name}" for name in PROVIDERS)]

# What a provider brings along beside core: nobody else's SDK.
OTHERS = {"openai", "anthropic", "google-genai", "xllamacpp", "httpx", "httpx2"}


@functools.cache
def wheel(dist: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(lab.first_party_wheels()[dist])


@functools.cache
def metadata(dist: str) -> Message:
    (name,) = [n for n in wheel(dist).namelist() if n.endswith(".dist-info/METADATA")]
    return Parser().parsestr(wheel(dist).read(name).decode())


def requirements(dist: str, *, extra: str | None = None) -> Mapping[str, str]:
    """What a distribution requires, by name, the extras apart."""
    found: dict[str, str] = {}
    for line in metadata(dist).get_all("Requires-Dist", []):
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        if ("extra" in marker) is (extra is not None) and (extra is None or repr(extra) in marker):
            name = re.match(r"[A-Za-z0-9._-]+", requirement)
            assert name is not None
            found[name[0].lower()] = requirement[name.end() :]
    return found


@pytest.mark.parametrize("dist", DISTRIBUTIONS)
def test_a_wheel_has_the_package_and_nothing_else(dist: str) -> None:
    names = wheel(dist).namelist()
    package = "mirascope" if dist == "mirascope-core" else dist.replace("-", "_")
    sources = lab.ROOT / ("core" if dist == "mirascope-core" else f"providers/{dist[10:]}") / "src"
    expected = {
        str(path.relative_to(sources))
        for path in (sources / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    info = {name for name in names if ".dist-info/" in name}
    assert set(names) - info == expected
    assert f"{package}/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in info)
    # What `new-provider` writes has tests of its own.
    own = [name for name in names if "/scaffold/templates/" not in name]
    assert not any("/test_" in name or "/tests/" in name for name in own)


@pytest.mark.parametrize("dist", DISTRIBUTIONS)
def test_metadata_is_what_an_index_shows(dist: str) -> None:
    message = metadata(dist)
    assert message["Name"] == dist
    assert message["License-Expression"] == "MIT"
    assert message["Requires-Python"] == ">=3.11"
    assert message["Summary"]
    assert message["Description-Content-Type"] == "text/markdown"
    assert "Typing :: Typed" in message.get_all("Classifier", [])
    license_text = next(n for n in wheel(dist).namelist() if n.endswith("/licenses/LICENSE"))
    assert wheel(dist).read(license_text) == (lab.ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_s_requirements_have_a_floor_and_a_cap(name: str) -> None:
    required = requirements(f"mirascope-{name}")
    assert required["mirascope-core"] == "<1,>=0.1"
    for requirement, versions in required.items():
        # Calendar versions promise nothing that a cap could express.
        calendar = re.search(r">=20\d\d", versions)
        assert ">=" in versions, f"{requirement} has no floor"
        assert "<" in versions or calendar or requirement == "typing-extensions", requirement


def test_core_requires_no_sdk_and_no_http_client() -> None:
    required = requirements("mirascope-core")
    assert set(required) == {"docstring-parser", "pluggy", "pydantic", "typing-extensions"}
    assert all(">=" in versions for versions in required.values())


@pytest.mark.parametrize("name", PROVIDERS)
def test_core_s_extra_is_the_provider_with_a_floor_and_a_cap(name: str) -> None:
    assert requirements("mirascope-core", extra=name) == {f"mirascope-{name}": "<1,>=0.1"}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_with_prices_ships_them(name: str) -> None:
    package = lab.ROOT / "providers" / name / "src" / f"mirascope_{name}"
    shipped = f"mirascope_{name}/prices.toml" in wheel(f"mirascope-{name}").namelist()
    declared = any(
        re.search(r"prices_package.*=.*\"", path.read_text()) for path in package.glob("*.py")
    )
    assert shipped is declared is (package / "prices.toml").exists()


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_works_with_its_own_dependencies_alone(name: str) -> None:
    wheels = lab.first_party_wheels()
    needed = _closure(f"mirascope-{name}")
    made = lab.environment(f"only-{name}", *(wheels[dist] for dist in sorted(needed)))
    present, spec, state, reason = made.json(
        f"""
import json
from importlib.metadata import distributions
from mirascope.core import {name}, call
from mirascope.core.plugins import statuses
import mirascope_{name}

assert {name} is mirascope_{name}
call("{name}/model", stream=True)
status = next(status for status in statuses() if status.name == "{name}")
print(json.dumps([
    [dist.name.lower() for dist in distributions()], status.spec.package, status.state,
    status.reason,
]))
"""
    )
    assert (spec, state, reason) == (f"mirascope_{name}", "ok", "")
    assert {dist for dist in present if dist.startswith("mirascope-")} == needed
    allowed = {requirement for dist in needed for requirement in requirements(dist)}
    # What an SDK itself stands on comes with it.
    allowed |= {"httpx", "httpx2"} if allowed & {"openai", "anthropic", "google-genai"} else set()
    assert OTHERS & set(present) <= allowed


def _closure(dist: str) -> set[str]:
    """A distribution and those of this project that it requires."""
    ours = [name for name in requirements(dist) if name.startswith("mirascope-")]
    return {dist}.union(*map(_closure, ours))


def test_the_entry_points_are_as_declared(tmp_path: Path) -> None:
    for name in PROVIDERS:
        (entry_points,) = [
            n for n in wheel(f"mirascope-{name}").namelist() if n.endswith("/entry_points.txt")
        ]
        text = wheel(f"mirascope-{name}").read(entry_points).decode()
        sections = [part.split() for part in text.strip().split("\n\n")]
        assert ["[mirascope.providers]", name, "=", f"mirascope_{name}._plugin"] in sections
        others = [section[0] for section in sections if section[0] != "[mirascope.providers]"]
        assert others == (["[mirascope.hosts]"] if name == "compatible" else [])


def test_pytest_finds_the_fixtures() -> None:
    (declared,) = [n for n in wheel("mirascope-core").namelist() if n.endswith("entry_points.txt")]
    text = wheel("mirascope-core").read(declared).decode()
    assert "[pytest11]\nmirascope._pytest_plugin = mirascope._pytest_plugin" in text
