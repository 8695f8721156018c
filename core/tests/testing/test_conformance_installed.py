"""Checks of an installed plugin: a sound distribution, and mutants that change one thing of it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mirascope.core.plugins import isolated_registry
from mirascope.core.testing.conformance import CHECKS, CheckState, ProviderConformance, Wire

INIT = """
from mirascope.core import AsyncCall, Call
from mirascope_compatible import (
    CompatibleAsyncStream, CompatibleCallResponse, CompatibleCallResponseChunk, CompatibleProvider,
    CompatibleStream,
)

class Stream(CompatibleStream):
    pass

class AsyncStream(CompatibleAsyncStream):
    pass

class SoundProvider(CompatibleProvider):
    name = "sound"
    base_url = "https://sound.example/v1"
    base_url_env = "SOUND_BASE_URL"
    api_key_env = "SOUND_API_KEY"
    stream_class = Stream
    async_stream_class = AsyncStream
    prices_package = "mirascope_sound"

PROVIDER = SoundProvider()
call = Call(PROVIDER)
call_async = AsyncCall(PROVIDER)
"""
PLUGIN = """
from mirascope.core.plugins import Capability, ProviderSpec, hookimpl
from mirascope_sound import PROVIDER

@hookimpl
def mirascope_provider():
    return ProviderSpec(
        name="sound", api_version=1, package="mirascope_sound", title="Sound", sdk="httpx",
        apis={"chat": lambda: PROVIDER},
        capabilities=frozenset({
            Capability.SYNC, Capability.ASYNC, Capability.TOOLS, Capability.USAGE_IN_STREAM,
            Capability.CACHED_TOKENS,
        }),
        api_key_env=("SOUND_API_KEY",),
    )
"""
PRICES = """
schema = 1
provider = "sound"
currency = "USD"
[models."model-1"]
prices = [{ input = 1, cache_read = 0.5, output = 2 }]
"""
METADATA = """Metadata-Version: 2.1
Name: mirascope-sound
Version: 1.0
Requires-Dist: mirascope-core>=0.1,<1
Requires-Dist: httpx>=0.27,<1
"""
FILES = {
    "mirascope_sound/__init__.py": INIT,
    "mirascope_sound/_plugin.py": PLUGIN,
    "mirascope_sound/prices.toml": PRICES,
    "mirascope_sound/py.typed": "",
    "mirascope_sound-1.0.dist-info/METADATA": METADATA,
    "mirascope_sound-1.0.dist-info/entry_points.txt": (
        "[mirascope.providers]\nsound = mirascope_sound._plugin\n"
    ),
}
CODE, ENTRY, TABLE = "__init__.py", "_plugin.py", "prices.toml"
UNCHECKED = """
    def open(self, request, connection):
        try:
            return super().open(request, connection)
        except Exception as error:
            if connection.client is None:
                raise
            raise OSError("no answer") from error

"""

MUTANTS: dict[str, tuple[str, str, str, set[str]]] = {
    # A package that is not there can't be looked at, nor imported.
    "plugin.listed": (
        ENTRY,
        'package="mirascope_sound"',
        'package="mirascope_silent"',
        {
            "plugin.package",
            "plugin.metadata",
            "plugin.hooks_by_import",
            "import.light",
            "import.silent",
        },
    ),
    # Core refuses it as well.
    "plugin.same_name": (
        ENTRY,
        '"chat": lambda: PROVIDER',
        '"chat": lambda: PROVIDER, "responses": lambda: PROVIDER',
        {"plugin.listed"},
    ),
    "plugin.package": (TABLE, 'currency = "USD"', "", set()),
    "plugin.metadata": ("METADATA", "httpx>=0.27,<1", "httpx>=0.27", set()),
    "plugin.hooks_by_import": (
        CODE,
        "call = Call(PROVIDER)",
        "call = Call(SoundProvider())",
        set(),
    ),
    # The two streams are of different chunks, and so have different names.
    "plugin.decorators": (
        CODE,
        "class AsyncStream(CompatibleAsyncStream):",
        "class Chunk(CompatibleCallResponseChunk):\n    __slots__ = ()\n\n"
        "class AsyncStream(CompatibleAsyncStream[Chunk]):",
        set(),
    ),
    "plugin.capabilities": (ENTRY, "Capability.TOOLS, ", "", set()),
    "import.light": (CODE, "PROVIDER =", "import httpx\nPROVIDER =", set()),
    "import.silent": (CODE, "PROVIDER =", "print('Sound!')\nPROVIDER =", set()),
    "error.no_key": (ENTRY, '("SOUND_API_KEY",)', '("SOUND_KEY", "SOUND_API_KEY")', set()),
    "secret.address": (
        CODE,
        "    stream_class",
        "    def _is_own(self, given_url, connection):\n        return True\n\n    stream_class",
        set(),
    ),
    "env.late": (
        CODE,
        '    base_url = "https://sound.example/v1"\n    base_url_env = "SOUND_BASE_URL"\n',
        "    import os\n"
        '    base_url = os.environ.get("SOUND_BASE_URL", "https://sound.example/v1")\n',
        set(),
    ),
    "client.wrong_kind": (CODE, "    stream_class", UNCHECKED + "    stream_class", set()),
}
"""For each check: the file, what is changed into what, and the other checks that must see it."""


class Sound(ProviderConformance):
    """What the distribution's own tests would be."""

    __test__ = False
    provider = "sound"
    model = "model-1"
    url_path = "/v1"
    wire = Wire.chat()
    expect: Mapping[str, Any] = {"cost": "0.000065"}
    address_variable = "SOUND_BASE_URL"


Sound.__test__ = False
OWN = ("plugin.", "import.", "error.no_key", "secret.address", "env.", "client.wrong")


@contextmanager
def installed(path: Path, changed: tuple[str, str, str] | None = None) -> Generator[None]:
    """Install the distribution on sys.path, with one thing changed."""
    for name, text in FILES.items():
        if changed is not None and name.endswith("/" + changed[0]):
            assert text.count(changed[1]) == 1
            text = text.replace(changed[1], changed[2])
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(text)
    sys.path.insert(0, str(path))
    importlib.invalidate_caches()
    try:
        with isolated_registry():
            yield
    finally:
        sys.path.remove(str(path))
        for module in [name for name in sys.modules if name.startswith("mirascope_sound")]:
            del sys.modules[module]


def failing() -> dict[str, Any]:
    ids = [check for check in CHECKS if check.startswith(OWN)]
    return {r.id: r for r in Sound.run(ids) if r.state is not CheckState.PASSED}


@pytest.mark.filterwarnings("ignore")
def test_a_sound_distribution_passes(tmp_path: Path) -> None:
    with installed(tmp_path):
        assert failing() == {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", MUTANTS)
def test_each_check_catches_its_mutant_and_no_other_does(check: str, tmp_path: Path) -> None:
    file, old, new, also = MUTANTS[check]
    with installed(tmp_path, (file, old, new)):
        found = failing()
    assert set(found) == {check, *also}
