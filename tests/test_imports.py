"""What imports load, what they don't, and that every way to a provider leads to one module."""

from __future__ import annotations

import importlib
import itertools
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any, get_origin

import pytest

from .plugins.lab import clean_environment

ROOT = Path(__file__).resolve().parents[1]
PROVIDERS = sorted(path.parent.name for path in ROOT.glob("providers/*/pyproject.toml"))

SDKS = {"openai", "anthropic", "google.genai", "xllamacpp", "groq", "mistralai"}
HTTP_CLIENTS = {"httpx", "httpx2", "httpcore", "httpcore2", "aiohttp", "requests", "urllib3"}
HEAVY = SDKS | HTTP_CLIENTS | {"pluggy", "typer", "rich"}
REGISTRY = {f"mirascope.core.plugins.{name}" for name in ("_registry", "_discovery", "_hooks")}


def run(code: str) -> Any:
    """Run code in a process of its own and return the JSON value that it prints last."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(code)],
        env=clean_environment(),
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout.splitlines()[-1])


def loaded_by(code: str) -> set[str]:
    """Return the modules that are loaded once code has run; a scan of ours is one of them."""
    return set(
        run(
            f"""
            import importlib.metadata, json, sys

            entry_points = importlib.metadata.entry_points

            def seen(**params):
                if params.get("group") == "mirascope.providers":
                    sys.modules["A SCAN OF ENTRY POINTS"] = sys
                return entry_points(**params)

            importlib.metadata.entry_points = seen
            {code}
            print(json.dumps(list(sys.modules)))
            """
        )
    )


def test_importing_core_loads_no_sdk_no_http_client_no_pluggy_and_scans_nothing() -> None:
    modules = loaded_by("import mirascope.core")
    assert modules & (HEAVY | REGISTRY | {"A SCAN OF ENTRY POINTS"}) == set()
    assert not any(name.startswith("mirascope_") for name in modules)


def test_importing_core_imports_importlib_metadata_only_if_pydantic_does() -> None:
    # The import costs more than the scan itself. pydantic looks for its own plugins with it when
    # the first model is made.
    code = "import json, sys; {}; print(json.dumps('importlib.metadata' in sys.modules))"
    quiet = "import os; os.environ['PYDANTIC_DISABLE_PLUGINS'] = '1'; import "
    model = "pydantic; type('Model', (pydantic.BaseModel,), {})"
    assert run(code.format(quiet + "mirascope.core")) is run(code.format(quiet + model))


def test_the_scan_is_seen_where_there_is_one() -> None:
    modules = loaded_by("import mirascope.core.plugins as p; p.statuses")
    assert "pluggy" in modules
    assert "A SCAN OF ENTRY POINTS" not in modules
    assert "A SCAN OF ENTRY POINTS" in loaded_by(
        "import mirascope.core.plugins as p; p.provider('compatible')"
    )


@pytest.mark.parametrize("name", PROVIDERS)
def test_importing_a_provider_loads_no_sdk_and_no_http_client(name: str) -> None:
    for code in (f"import mirascope_{name}", f"from mirascope.core import {name}"):
        modules = loaded_by(code)
        assert modules & (HEAVY | REGISTRY | {"A SCAN OF ENTRY POINTS"}) == set()
        assert f"mirascope_{name}" in modules


@pytest.mark.parametrize("name", PROVIDERS)
def test_decorating_a_function_loads_no_sdk_and_no_http_client(name: str) -> None:
    modules = loaded_by(
        f"from mirascope.core import {name}; {name}.call('m', stream=True)(lambda: 'hi')()"
    )
    assert modules & (SDKS | HTTP_CLIENTS) == set()


@pytest.mark.parametrize("name", PROVIDERS)
def test_loading_a_plugin_by_name_loads_no_sdk_and_no_http_client(name: str) -> None:
    modules = loaded_by(
        f"from mirascope.core.plugins import load_provider; load_provider({name!r})"
    )
    assert modules & (SDKS | HTTP_CLIENTS) == set()
    assert "A SCAN OF ENTRY POINTS" in modules


FORMS = {
    "the package": "import mirascope_openai",
    "f1": "from mirascope.core import openai",
    "f2": "from mirascope.core.openai import OpenAIStream",
    "f3": "import mirascope.core.openai as m",
    "an attribute": "import mirascope.core; mirascope.core.openai",
}


def imported(imports: str) -> str:
    """Import, check that every name is one module, and return that module's name."""
    return str(
        run(
            f"""
            import json, sys
            {imports}
            import mirascope.core, mirascope.core.openai, mirascope_openai
            from mirascope.core import openai
            from mirascope.core.openai import OpenAIStream, call
            import mirascope.core.openai as m

            assert mirascope.core.openai is mirascope_openai is openai is m
            assert sys.modules["mirascope.core.openai"] is mirascope_openai
            assert OpenAIStream is mirascope_openai.OpenAIStream
            assert call is mirascope_openai.call
            print(json.dumps(openai.__name__))
            """
        )
    )


@pytest.mark.parametrize("order", list(itertools.permutations(FORMS, 2)), ids=" then ".join)
def test_every_way_leads_to_one_module_in_every_order(order: tuple[str, ...]) -> None:
    assert imported("; ".join(FORMS[form] for form in order)) == "mirascope_openai"


@pytest.mark.parametrize("sdk_first", [True, False])
def test_the_sdk_of_the_same_name_stays_itself(sdk_first: bool) -> None:
    imports = ["import openai as sdk", "from mirascope.core import openai"]
    code = "; ".join(imports if sdk_first else reversed(imports))
    assert imported(f"{code}; assert sdk.OpenAI and sdk is not openai") == "mirascope_openai"


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_public_classes_of_a_provider_are_pickled_by_reference(name: str) -> None:
    package = importlib.import_module(f"mirascope_{name}")
    core = importlib.import_module("mirascope.core")
    classes = [value for value in vars(package).values() if isinstance(value, type)]
    assert classes
    for cls in classes:
        assert pickle.loads(pickle.dumps(cls)) is cls
        assert cls.__module__.startswith(("mirascope_", "mirascope.core"))
    assert getattr(core, name) is package


def test_a_star_import_of_core_loads_no_provider() -> None:
    modules = loaded_by("from mirascope.core import *")
    assert not any(name.startswith("mirascope_") for name in modules)
    assert modules & HEAVY == set()


def test_an_attribute_that_is_nobody_s_is_an_attribute_error() -> None:
    core = importlib.import_module("mirascope.core")
    assert not hasattr(core, "opnai")
    assert not hasattr(core, "__wrapped__")
    with pytest.raises(AttributeError, match=r"'mirascope.core' has no attribute 'opnai'"):
        _ = core.opnai
    with pytest.raises(ImportError, match="cannot import name 'opnai'"):
        from mirascope.core import opnai  # noqa: F401


def test_an_import_that_fails_inside_a_provider_is_not_reported_as_a_missing_provider() -> None:
    assert (
        run(
            """
        import json, sys
        sys.modules["mirascope_openai._stream"] = None
        texts = []
        for code in ("from mirascope.core import openai", "import mirascope.core.openai"):
            try:
                exec(code)
            except ImportError as error:
                texts.append([type(error).__name__, str(error)])
        print(json.dumps(texts))
        """
        )
        == [
            [
                "ModuleNotFoundError",
                "import of mirascope_openai._stream halted; None in sys.modules",
            ]
        ]
        * 2
    )


PUBLIC = [
    "mirascope",
    "mirascope.core",
    "mirascope.core.base",
    "mirascope.core.plugins",
    "mirascope.core.wire",
    "mirascope.cli",
    "mirascope.llm",
    *(f"mirascope_{name}" for name in PROVIDERS),
]


def order(name: str) -> tuple[int, list[int | str]]:
    """The order of ruff's RUF022: constants, classes, the rest; numbers by their value."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


@pytest.mark.parametrize("package", PUBLIC)
def test_all_is_sorted_complete_and_importable(package: str) -> None:
    module = importlib.import_module(package)
    names: list[str] = module.__all__
    assert names == sorted(set(names), key=order)
    for name in names:
        assert getattr(module, name) is not None
        assert not name.startswith("_")
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, type(sys))
        and name not in ("TYPE_CHECKING", "annotations", "PROVIDER")
    }
    assert public <= set(names), "a public name is missing from __all__"


@pytest.mark.parametrize("package", [name for name in PUBLIC if name != "mirascope.cli"])
def test_everything_public_is_documented(package: str) -> None:
    module = importlib.import_module(package)
    undocumented = [
        name
        for name in module.__all__
        if (isinstance(value := getattr(module, name), type) or callable(value))
        # A type alias has its docstring in the source alone.
        and get_origin(value) is None
        and not (value.__doc__ or "").strip()
    ]
    assert undocumented == []
