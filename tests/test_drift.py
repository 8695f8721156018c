"""What is said in two places says the same in both."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import Decoder, Provider
from mirascope.core.plugins import PLUGIN_API, ProviderSpec, load_provider, provider
from mirascope.core.plugins._first_party import FIRST_PARTY
from mirascope.core.plugins._hooks import ProviderHooks

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "plugin-reference.md"
PROVIDERS = sorted(path.parent.name for path in ROOT.glob("providers/*/pyproject.toml"))
DISTRIBUTIONS = ["core", *(f"providers/{name}" for name in PROVIDERS)]


def pyproject(distribution: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / distribution / "pyproject.toml").read_text())


# The providers of this project


def test_the_providers_are_the_same_everywhere() -> None:
    assert sorted(FIRST_PARTY) == PROVIDERS
    core = ROOT / "core" / "src" / "mirascope" / "core"
    shims = [p.stem for p in core.glob("*.py") if "alias(__name__" in p.read_text()]
    assert sorted(shims) == PROVIDERS
    extras = pyproject("core")["project"]["optional-dependencies"]
    assert sorted(extras.keys() - {"all", "cli", "testing"}) == PROVIDERS
    assert extras["all"] == [f"mirascope-core[{','.join(PROVIDERS)}]"]
    sources = pyproject(".")["tool"]["uv"]["sources"]
    assert sources.keys() == {"mirascope-core", *(f"mirascope-{name}" for name in PROVIDERS)}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_shim_is_the_model_of_all_shims(name: str) -> None:
    text = (ROOT / "core" / "src" / "mirascope" / "core" / f"{name}.py").read_text()
    body = text.partition('"""\n\n')[2]
    assert body == (
        "from typing import TYPE_CHECKING\n\n"
        "if TYPE_CHECKING:\n"
        f"    from mirascope_{name} import *  "
        "# pyright: ignore[reportWildcardImportFromLibrary]\n"
        "else:\n"
        "    from ._shims import alias\n\n"
        f'    alias(__name__, "mirascope_{name}")\n'
    )
    assert f"`mirascope-{name}`" in text.partition("\n")[0]


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_description_agrees_with_its_distribution(name: str) -> None:
    project = pyproject(f"providers/{name}")["project"]
    assert project["name"] == f"mirascope-{name}"
    entry_points = project["entry-points"]
    assert entry_points["mirascope.providers"] == {name: f"mirascope_{name}._plugin"}
    assert entry_points.keys() - {"mirascope.providers"} <= {"mirascope.hosts"}
    spec = provider(name)
    assert (spec.name, spec.package) == (name, f"mirascope_{name}")
    assert spec.api_version == PLUGIN_API
    assert (spec.sdk or "").lower() in ("", *map(_name, project["dependencies"]))
    for api in spec.apis:
        loaded = load_provider(name, api)
        assert (loaded.name, loaded.api) == (name, api)
        assert loaded.response_class is not None


@pytest.mark.parametrize("name", PROVIDERS)
def test_prices_belong_to_the_provider_that_ships_them(name: str) -> None:
    path = ROOT / "providers" / name / "src" / f"mirascope_{name}" / "prices.toml"
    if not path.exists():
        assert load_provider(name).prices_package is None
        return
    assert tomllib.loads(path.read_text())["provider"] == name
    assert load_provider(name).prices_package == f"mirascope_{name}"


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return match[0].lower()


# Versions


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_version_is_the_newest_of_the_changelog(distribution: str) -> None:
    changelog = ROOT / distribution / "CHANGELOG.md"
    if not changelog.exists():
        changelog = ROOT / "CHANGELOG.md"
    if not changelog.exists():
        pytest.skip("there is no changelog yet")
    versions = re.findall(r"^## (\d+\.\d+\.\d+)\b", changelog.read_text(), re.MULTILINE)
    assert versions[:1] == [pyproject(distribution)["project"]["version"]]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_distributions_are_described_alike(distribution: str) -> None:
    project = pyproject(distribution)["project"]
    core = pyproject("core")["project"]
    for key in ("requires-python", "license", "license-files", "readme", "classifiers"):
        assert project[key] == core[key]
    assert pyproject(distribution)["build-system"] == pyproject("core")["build-system"]
    assert (ROOT / distribution / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


# The authors' guide

HOOKS = [name for name in vars(ProviderHooks) if name.startswith("mirascope_")]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_exact_arguments(hook: str) -> None:
    parameters = list(inspect.signature(getattr(ProviderHooks, hook)).parameters)[1:]
    assert f"### `{hook}({', '.join(parameters)})`\n" in GUIDE.read_text()


def test_no_hook_is_documented_that_does_not_exist() -> None:
    documented = re.findall(r"^### `(mirascope_\w+)\(", GUIDE.read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(HOOKS)


def _rows(section: str) -> list[str]:
    """The names in the first column of the table under a heading."""
    text = GUIDE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)`", text, re.MULTILINE)


def test_every_field_of_the_description_is_documented() -> None:
    assert _rows("`ProviderSpec`") == list(ProviderSpec.__dataclass_fields__)


def test_everything_that_a_provider_must_or_may_define_is_documented() -> None:
    internal = {"opening_error", "stream_error"}
    public = [n for n in vars(Provider) if not n.startswith("_") and n not in internal]
    annotated = [n for n in Provider.__annotations__ if n not in public]
    assert sorted(_rows("`Provider`")) == sorted([*annotated, *public])


def test_every_delta_is_documented() -> None:
    deltas = importlib.import_module("mirascope.core._provider._deltas")
    names = [cls.__name__ for cls in deltas.Delta.__args__]
    assert sorted(_rows("The decoder")) == sorted(names)


def test_every_part_of_a_decoder_and_every_framer_is_documented() -> None:
    wire = importlib.import_module("mirascope.core.wire")
    framers = [name for name in wire.__all__ if name.endswith("Framer") and name != "Framer"]
    text = GUIDE.read_text()
    for name in [*(n for n in vars(Decoder) if not n.startswith("_")), *framers]:
        assert re.search(rf"`{name}\b", text), f"{name} is not in the guide"


def test_every_unit_of_a_price_is_documented() -> None:
    units = importlib.import_module("mirascope.core._prices._table").UNITS
    assert _rows("`prices.toml`") == list(units)
