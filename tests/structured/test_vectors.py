"""The vectors of structured streams through the public API: deltas in, partials and the end out."""

from __future__ import annotations

import importlib.util
import json
import sys
from functools import cache
from typing import Any

import pytest
from mirascope_tests.shared import SHARED, each, needs_shared

HERE = SHARED / "structured"
VECTORS: list[dict[str, Any]] = (
    json.loads((HERE / "vectors.json").read_text("utf-8")) if HERE.is_dir() else []
)


@cache
def beside(name: str) -> Any:
    """A module that stands beside the vectors."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@needs_shared
@pytest.mark.parametrize("vector", each(VECTORS, lambda vector: vector["id"]))
def test_a_vector(vector: dict[str, Any]) -> None:
    beside("view")
    models = beside("models").MODELS
    assert beside("check").wrong(vector, models[vector["model"]]) is None
