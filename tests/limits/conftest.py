"""What the tests of limits share."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator

import pytest
import trustme
from mirascope.core.plugins import load_provider

from .wires import WIRES, Wire

FULL = os.environ.get("MIRASCOPE_LIMITS") == "full"
"""Whether the long form runs: `nox -s limits`."""

_WAYS = [
    pytest.param(False, True, id="sync-stream"),
    pytest.param(True, False, id="async-whole"),
    pytest.param(True, True, id="async-stream"),
    pytest.param(False, False, id="sync-whole"),
]
some_ways = pytest.mark.parametrize(("is_async", "stream"), _WAYS if FULL else _WAYS[:2])
"""For tests of what all four ways of calling share: two of them do in the default run."""


@pytest.fixture(params=WIRES, ids=lambda wire: wire.name)
def wire(request: pytest.FixtureRequest) -> Wire:
    # What is measured is not the import of an SDK.
    load_provider(request.param.name.partition("-")[0]).load()
    return request.param


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def is_async(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture(params=[True, False], ids=["stream", "whole"])
def stream(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture(scope="session")
def _certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("certificates") / "authority.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(autouse=True)
def _few_certificates(_certificate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading those of every authority takes most of the time of making a client."""
    monkeypatch.setenv("SSL_CERT_FILE", _certificate)


class Memory:
    """How much more memory than at the beginning was in use at once."""

    @property
    def peak(self) -> int:
        return tracemalloc.get_traced_memory()[1]


@pytest.fixture
def memory() -> Iterator[Memory]:
    tracemalloc.start()
    try:
        yield Memory()
    finally:
        tracemalloc.stop()
